"""How two ways of doing the same work are compared, and how much memory one of them takes."""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

SLOW_MACHINE_SECONDS = 20.0


class Row(NamedTuple):
    """One line of the table: what ours and its peer take (medians in seconds, or MB), and the ratio it should stay at
    or below."""

    work: str
    peer_name: str
    ours: float
    peer: float
    goal: float
    unit: str = "s"

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

    async def repeated(way: Callable[[], object]) -> None:
        for _ in range(runs):
            way()

    row = asyncio.run(
        compare_async(work, peer_name, goal, lambda: repeated(ours), lambda: repeated(peer), rounds=rounds)
    )
    return row._replace(ours=row.ours / runs, peer=row.peer / runs)


async def compare_async(
    work: str,
    peer_name: str,
    goal: float,
    ours: Callable[[], Awaitable[object]],
    peer: Callable[[], Awaitable[object]],
    *,
    rounds: int,
) -> Row:
    """As :func:`compare`, for work that waits."""
    await ours()
    await peer()
    times: tuple[list[float], list[float]] = ([], [])
    started = time.perf_counter()
    for _ in range(rounds):
        for way, taken in zip((ours, peer), times, strict=True):
            begun = time.perf_counter()
            await way()
            taken.append(time.perf_counter() - begun)
        if time.perf_counter() - started > SLOW_MACHINE_SECONDS:
            break
    return Row(work, peer_name, median(times[0]), median(times[1]), goal)


class Alone(NamedTuple):
    """What one run took in a process of its own: seconds of the work, and the most memory of the process in MB."""

    seconds: float
    memory: float


def run_alone(module: str, function: str, *arguments: str) -> Alone:
    """Run `module.function(*arguments)`, all texts, once, in a Python process of its own."""
    script = (
        f"import sys, time; from {module} import {function} as run; from {__name__} import peak_memory; "
        "begun = time.perf_counter(); run(*sys.argv[1:]); print(time.perf_counter() - begun, peak_memory())"
    )
    command = [sys.executable, "-c", script, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    taken, peak = answer.stdout.split()[-2:]
    return Alone(float(taken), int(peak) / 2**20)


def peak_memory() -> int:
    """The most bytes of memory this process has held."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss counts the parent as well, as it was when it forked
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
