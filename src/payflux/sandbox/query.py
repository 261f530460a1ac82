"""How a list is asked for: page size, cursor, range of time and filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from payflux.sandbox.errors import StripeError

FOREVER = 2**62
_PAGING = frozenset({"limit", "starting_after", "ending_before", "created", "arrival_date", "expand"})


class Query(NamedTuple):
    limit: int
    starting_after: str | None
    ending_before: str | None
    created: tuple[int, int]  # first and last second, both included
    arrival_date: tuple[int, int]
    filters: dict[str, Any]


def query_of(params: Mapping[str, Any]) -> Query:
    """The query that checked parameters of a list make. Raises StripeError 400."""
    if "starting_after" in params and "ending_before" in params:
        raise StripeError(400, "Received both starting_after and ending_before parameters. Please pass in only one.")
    limit = params.get("limit", 10)
    for wrong, word, bound in ((limit < 1, "greater", 1), (limit > 100, "less", 100)):
        if wrong:
            message = f"This value must be {word} than or equal to {bound} (it currently is '{limit}')."
            raise StripeError(400, message, param="limit")
    return Query(
        limit,
        params.get("starting_after"),
        params.get("ending_before"),
        _range(params.get("created")),
        _range(params.get("arrival_date")),
        {name: value for name, value in params.items() if name not in _PAGING},
    )


def _range(asked: int | Mapping[str, int] | None) -> tuple[int, int]:
    if asked is None:
        return 0, FOREVER
    if isinstance(asked, int):
        return asked, asked
    low = max(asked.get("gte", 0), asked.get("gt", -1) + 1)
    return low, min(asked.get("lte", FOREVER), asked.get("lt", FOREVER + 1) - 1)
