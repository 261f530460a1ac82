"""Whether what is stored and what the processor shows add up, in words for a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.reconciling.queries import latest_checks
from payflux.monitor.processors.reconciling.rules import Check, Identity, State
from payflux.web.formatting import count, money
from payflux.world.bootstrap import World

_WHAT = {
    Identity.BALANCE_CHANGE: "The balance against what moved it",
    Identity.OPEN_RESERVES: "The reserve against its holds and releases",
    Identity.REFUNDS_OF_CHARGES: "Charges against their refunds",
    Identity.PAYOUTS: "The newest payouts against what they pay out",
}
_BALANCES = {"risk_reserved": "The reserved balance against what moved it"}
_NOUNS = {
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "payout": "payouts",
    "reserve_hold": "reserve holds",
    "reserve_release": "reserve releases",
    "early_fraud_warnings": "early fraud warnings",
}


class BooksLine(NamedTuple):
    """One check: what is compared (in which currency), over which stretch, and what came of it."""

    what: str
    since: datetime
    until: datetime
    state: State
    said: str  # "Adds up", "Differs by $12.00: 1 not stored.", "Cannot tell: …"


async def books_lines(session: AsyncSession, world: World, connection: Connection) -> list[BooksLine]:
    """The newest check of everything that is compared, and each difference of the last 30 days that stands."""
    checks = await latest_checks(
        session, account_id=connection.account_id, connection_id=connection.id, now=world.clock.now()
    )
    return lines_of(checks)


def lines_of(checks: Sequence[Check]) -> list[BooksLine]:
    """The lines of `checks`: what differs first, then what adds up, then what cannot be told."""
    lines = [BooksLine(_what(check), check.since, check.until, check.state, _said(check)) for check in checks]
    order = (State.DIFFERS, State.HOLDS, State.CANNOT_TELL)
    return sorted(lines, key=lambda line: order.index(line.state))


def _what(check: Check) -> str:
    noun = _NOUNS.get(check.subject, check.subject)
    what = {
        Identity.MOVEMENTS_STORED: f"What Stripe booked against the stored {noun}",
        Identity.COUNTS: f"The number of {noun}",
        Identity.BALANCE_CHANGE: _BALANCES.get(check.subject, _WHAT[Identity.BALANCE_CHANGE]),
    }.get(check.identity) or _WHAT[check.identity]
    return f"{what}, {check.currency.upper()}" if check.currency else what


def _said(check: Check) -> str:
    if check.state == State.CANNOT_TELL:
        return f"Cannot tell: {check.reason}"
    if check.state == State.HOLDS:
        return "Adds up"
    size = abs(check.difference)
    if not size:
        return f"Differs: {check.reason}"
    amount = money(size, check.currency) if check.currency else count(size)
    return f"Differs by {amount}: {check.reason}"
