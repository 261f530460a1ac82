"""Instants as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator


def _written(value: object) -> object:
    """Raises ValueError for a bare number, which says neither of which unit nor since when it counts."""
    if isinstance(value, str) and "-" in value.removeprefix("-"):
        return value
    raise ValueError("Write an instant with its offset, such as 2026-11-20T10:00:00Z.")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("Write an instant between the years 1 and 9999 in UTC.") from None


Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
"""A date and time with its offset (RFC 3339)."""
