"""How a stretch of history is cut into windows that are read at the same time. Pure.

Stripe lists newest first, and a page is only known by the last object of the page before: one window is one chain of
requests. Windows of equal time shorten the chains; one that turns out dense is cut again.
"""

from __future__ import annotations

import itertools

import msgspec

CHAIN = 16
"""A window expected to take more pages than this is cut. Each cut costs about half a page more."""

MOST_PARTS = 8


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


def remaining(window: Window, *, top: int, oldest: int) -> list[tuple[int, int]]:
    """What is left of `window` after a page that reached from `top` down to `oldest`: one stretch, or several where
    at this density more than :data:`CHAIN` pages would follow."""
    span = max(top - oldest, 1)
    pages = (oldest - window.start) / span
    return cut(window.start, oldest, min(MOST_PARTS, -int(-pages // CHAIN)))
