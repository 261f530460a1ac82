"""How a stretch of history is cut into windows that are read at the same time. Pure.

Stripe lists newest first, and a page is only known by the last object of the page before: one window is one chain of
requests. Windows of equal time shorten the chains; what is left of a long one is cut again as soon as a page has shown
how much it is, so that the rate limit stays the only limit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

_CHAINS = 0.7  # of the requests that may leave together
_SHORTEST = 0.5  # pages


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one resource, `start` to `end` in unix seconds, both included; `cursor` is the last id stored."""

    resource: str
    number: int
    filter: str
    start: int
    end: int
    cursor: str = ""


def cut(start: int, end: int, parts: int) -> list[tuple[int, int]]:
    """`start` to `end`, both included, in at most `parts` stretches of equal length, the newest first."""
    parts = max(1, min(parts, end - start + 1))
    edges = [start + (end - start + 1) * n // parts for n in range(parts + 1)]
    return [(low, high - 1) for low, high in itertools.pairwise(edges)][::-1]


def pages_left(window: Window, *, top: int, oldest: int) -> float:
    """About how many pages of `window` are left after one that reached from `top` down to `oldest`."""
    return (oldest - window.start) / max(top - oldest, 1)


def parts_of(pages: float, *, total: float, at_once: int) -> int:
    """In how many parts to go on with a window that has about `pages` left, of `total` in all windows, where `at_once`
    requests may leave together: so many that somebody is always there to use the rate limit and all end together.

    A chain asks more than once a second, and each costs about half a page more, so fewer than `at_once` are enough
    until the rest can leave at once; then it does, in parts as short as half a page.
    """
    chains = _CHAINS * at_once if total > at_once else at_once
    return max(1, round(pages / max(total / chains, _SHORTEST)))


class Sample(NamedTuple):
    """The newest `pages` pages of a window of `span` seconds reached over `read` seconds."""

    span: int
    read: int
    pages: int


def expected_pages(samples: Iterable[Sample]) -> float:
    """How many pages the windows have in all, each as dense as its sample."""
    return sum(sample.pages * max(1.0, sample.span / max(sample.read, 1)) for sample in samples)


def complete_from(start: int, unread: Iterable[int]) -> int:
    """From when on everything is read, of a stretch that begins at `start`; `unread` are the ends of the windows that
    are not read to their beginning yet."""
    return max((end + 1 for end in unread), default=start)
