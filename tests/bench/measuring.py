"""How two ways of doing the same work are compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

SLOW_MACHINE_SECONDS = 20.0


class Row(NamedTuple):
    """One line of the table: medians in seconds, their ratio, and the ratio it should stay at or below."""

    work: str
    peer_name: str
    ours: float
    peer: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def met(self) -> bool:
        return self.ratio <= self.goal


def compare(
    work: str,
    peer_name: str,
    goal: float,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    rounds: int,
    runs: int = 1,
) -> Row:
    """Run both in turn, so that what else the machine does hits both: once to warm up, then `rounds` times.

    In each round a way runs `runs` times on end, so that short work is not measured in the other's cold caches.
    """
    ours(), peer()
    times: tuple[list[float], list[float]] = ([], [])
    started = time.perf_counter()
    for _ in range(rounds):
        for way, taken in zip((ours, peer), times, strict=True):
            begun = time.perf_counter()
            for _ in range(runs):
                way()
            taken.append((time.perf_counter() - begun) / runs)
        if time.perf_counter() - started > SLOW_MACHINE_SECONDS:
            break
    return Row(work, peer_name, median(times[0]), median(times[1]), goal)
