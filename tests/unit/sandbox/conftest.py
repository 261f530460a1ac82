"""A sandbox whose time stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import cache

import pytest

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.merchants.merchant import Merchant
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work

ANCHOR = date(2026, 11, 21)
NOON = datetime.combine(ANCHOR, time(12), UTC)


@cache
def merchant_of(name: str, anchor: date = ANCHOR, horizon: date = ANCHOR) -> Merchant:
    return Merchant(ARCHETYPES[name], anchor, horizon)


@pytest.fixture(scope="session")
def seen() -> Callable[[str], Work]:
    """A merchant's books at noon of the anchor."""
    state = SandboxState(now=lambda: NOON)
    return lambda name: Work(state, ARCHETYPES[name].account_id, int(NOON.timestamp()))
