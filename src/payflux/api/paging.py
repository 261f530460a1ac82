"""Lists by cursor: a page says where the next one begins, so that nothing is skipped while rows arrive."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from payflux.kit.errors import InvalidInput

Item = TypeVar("Item")
Place = TypeVar("Place")

MOST = 100
"""Rows of a page, at most."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="rows of a page")]
Cursor = Annotated[str, Query(max_length=500, description="`next_cursor` of the page before")]


class Page(BaseModel, Generic[Item]):
    """One page of a list, the newest first. `next_cursor` leads to the next, and is null on the last."""

    data: list[Item]
    next_cursor: str | None = Field(None, description="send it as `cursor` for the next page")


def page_of(
    rows: Sequence[Place], limit: int, place: Callable[[Place], Sequence[object]]
) -> tuple[Sequence[Place], str | None]:
    """The page that `rows`, read with one more than `limit`, make, and the cursor of the next. `place` is where a row
    stands in the order of the list."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _write(place(rows[limit - 1]))


def _write(place: Sequence[object]) -> str:
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in place]
    written = json.dumps([str(part) if isinstance(part, UUID) else part for part in plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type[object]) -> list[object] | None:
    """The place that `cursor` names, its parts of `kinds` (int, str, UUID, datetime); None for the first page. Raises
    InvalidInput for text that no page gave out."""
    if not cursor:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError
        return [_read(part, kind) for part, kind in zip(parts, kinds, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise InvalidInput({"cursor": "Send the next_cursor of the page before, whole and unchanged."}) from None


def _read(part: object, kind: type[object]) -> object:
    if kind is int:
        if type(part) is not int or abs(part) >= 2**63:
            raise ValueError
        return part
    if not isinstance(part, str) or "\x00" in part:
        raise ValueError
    part.encode()  # raises ValueError for half of a character
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return UUID(part) if kind is UUID else part
