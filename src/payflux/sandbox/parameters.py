"""The query of a read call, checked as Stripe checks it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from payflux.sandbox.errors import StripeError

FOREVER = 2**62
_RANGE = re.compile(r"(created|arrival_date)\[(gt|gte|lt|lte)\]")
_EXPAND = re.compile(r"expand\[\d*\]")


class Query(NamedTuple):
    limit: int
    starting_after: str | None
    ending_before: str | None
    created: tuple[int, int]  # first and last second, both included
    arrival_date: tuple[int, int]
    filters: dict[str, str]
    expand: tuple[str, ...]


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", text):
        raise StripeError(400, f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    return int(text)


def parse_query(items: Iterable[tuple[str, str]], filters: frozenset[str], *, paged: bool) -> Query:
    """The query of a list (`paged`) or of a single object, which takes nothing but `expand`.

    Raises StripeError 400 for an unknown or invalid parameter.
    """
    limit, cursors, chosen, expand = 10, dict[str, str](), dict[str, str](), list[str]()
    ranges = {"created": (0, FOREVER), "arrival_date": (0, FOREVER)}
    for name, text in items:
        if _EXPAND.fullmatch(name):
            expand.append(text)
            continue
        base = name.partition("[")[0]
        bound = _RANGE.fullmatch(name)
        if not paged or (base not in filters and name not in ("limit", "starting_after", "ending_before")):
            raise StripeError(400, f"Received unknown parameter: {base}", code="parameter_unknown", param=base)
        if name == "limit":
            limit = _limit(text)
        elif name in ("starting_after", "ending_before"):
            cursors[name] = text
        elif bound or name in ranges:
            ranges[base] = _narrowed(ranges[base], bound[2] if bound else "", _integer(name, text))
        elif "[" in name:
            raise StripeError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        else:
            chosen[name] = text
    if len(cursors) == 2:
        raise StripeError(400, "Received both starting_after and ending_before parameters. Please pass in only one.")
    return Query(
        limit,
        cursors.get("starting_after"),
        cursors.get("ending_before"),
        ranges["created"],
        ranges["arrival_date"],
        chosen,
        tuple(expand),
    )


def _limit(text: str) -> int:
    limit = _integer("limit", text)
    for wrong, word, bound in ((limit < 1, "greater", 1), (limit > 100, "less", 100)):
        if wrong:
            message = f"This value must be {word} than or equal to {bound} (it currently is '{limit}')."
            raise StripeError(400, message, code=None, param="limit")
    return limit


def _narrowed(bounds: tuple[int, int], operator: str, value: int) -> tuple[int, int]:
    low, high = bounds
    if operator in ("", "gt", "gte"):
        low = max(low, value + (operator == "gt"))
    if operator in ("", "lt", "lte"):
        high = min(high, value - (operator == "lt"))
    return low, high
