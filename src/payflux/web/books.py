"""Whether what is stored and what the processor shows add up, in words for a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.reconciling.queries import latest_checks
from payflux.monitor.processors.reconciling.rules import Check, Identity, State
from payflux.web.formatting import count, money
from payflux.world.bootstrap import World

_WHAT = {
    Identity.BALANCE_CHANGE: mark("The balance against what moved it"),
    Identity.OPEN_RESERVES: mark("The reserve against its holds and releases"),
    Identity.REFUNDS_OF_CHARGES: mark("Charges against their refunds"),
    Identity.PAYOUTS: mark("The newest payouts against what they pay out"),
}
_BALANCES = {"risk_reserved": mark("The reserved balance against what moved it")}
_NOUNS = {
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "payout": "payouts",
    "reserve_hold": mark("reserve holds"),
    "reserve_release": mark("reserve releases"),
    "early_fraud_warnings": mark("early fraud warnings"),
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
    noun = _(_NOUNS.get(check.subject, check.subject))
    what = {
        Identity.MOVEMENTS_STORED: _("What Stripe booked against the stored %(noun)s") % {"noun": noun},
        Identity.COUNTS: _("The number of %(noun)s") % {"noun": noun},
        Identity.BALANCE_CHANGE: _(_BALANCES.get(check.subject, _WHAT[Identity.BALANCE_CHANGE])),
    }.get(check.identity) or _(_WHAT[check.identity])
    return f"{what}, {check.currency.upper()}" if check.currency else what


def _said(check: Check) -> str:
    if check.state == State.CANNOT_TELL:
        return _("Cannot tell: %(reason)s") % {"reason": check.reason}
    if check.state == State.HOLDS:
        return _("Adds up")
    size = abs(check.difference)
    if not size:
        return _("Differs: %(reason)s") % {"reason": check.reason}
    amount = money(size, check.currency) if check.currency else count(size)
    return _("Differs by %(amount)s: %(reason)s") % {"amount": amount, "reason": check.reason}
