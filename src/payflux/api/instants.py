"""Instants as callers write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator


def _written(value: object) -> object:
    """Raises ValueError for a bare number, which says neither of which unit nor since when it counts."""
    if isinstance(value, str) and "-" in value.removeprefix("-"):
        return value
    raise ValueError("Write an instant with its offset, such as 2026-11-20T10:00:00Z.")


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A date and time with its offset (RFC 3339)."""
