"""The identities that a processor's books keep, checked. Pure: no clock, no input or output.

They hold in Stripe's books by definition: the net amounts of an account's balance transactions are the change of its
balance, by currency and `balance_type`; what was put in reserve less what was released is what is reserved; a charge's
`amount_refunded` is the sum of its refunds; an automatic payout is the sum of the balance transactions it pays out
(docs.stripe.com/reports/balance-transaction-types, /api/balance_transactions/object, /payouts/reconciliation).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

EDGE = timedelta(seconds=5)
"""How exactly a balance can be placed in time: a movement this near to its reading may be in it or not."""

_KIND_OF_MONEY = {"payments": "payments", "risk_reserved": "reserved"}


class State(StrEnum):
    HOLDS = "holds"
    DIFFERS = "differs"
    CANNOT_TELL = "cannot_tell"


class Identity(StrEnum):
    """What is compared; the first amount of each is `expected`, the second `actual`."""

    BALANCE_CHANGE = "balance_change"  # the balance's change ↔ the sum of its movements
    MOVEMENTS_STORED = "movements_stored"  # the movements of a kind ↔ the stored events they belong to
    OPEN_RESERVES = "open_reserves"  # what the processor says is reserved ↔ holds less releases, as stored
    REFUNDS_OF_CHARGES = "refunds_of_charges"  # what charges say was refunded ↔ their stored refunds
    PAYOUTS = "payouts"  # payouts ↔ the movements they pay out
    COUNTS = "counts"  # objects the processor lists ↔ objects stored


class Movement(NamedTuple):
    """One balance transaction: `amount` before fees and `net`, in minor units of `currency`, signed. `kind` is the
    name of the events it belongs to, empty for none; `source` is the id of such an event."""

    at: int  # unix seconds
    currency: str
    balance_type: str
    amount: int
    net: int
    kind: str = ""
    source: str = ""


class Balance(NamedTuple):
    """What an account held: minor units by currency. `reserved` is None where the processor does not show it."""

    taken_at: datetime
    payments: Mapping[str, int]  # available and pending
    reserved: Mapping[str, int] | None = None


class Check(NamedTuple):
    """What a check found over (since, until]. Amounts are minor units of `currency`; without one they are counts.

    `subject` tells checks of one identity apart. Amounts are None where it cannot be told; `reason` says why, or what
    differs.
    """

    identity: Identity
    subject: str
    currency: str
    since: datetime
    until: datetime
    expected: int | None
    actual: int | None
    state: State
    reason: str = ""

    @property
    def difference(self) -> int:
        """What is there beyond what should be; 0 where it cannot be told."""
        return (self.actual or 0) - (self.expected or 0)


def compare(
    identity: Identity,
    subject: str,
    currency: str,
    window: tuple[datetime, datetime],
    *,
    expected: int,
    actual: int,
    reason: str = "",
) -> Check:
    """The check of two numbers; `reason` is kept only when they differ."""
    state = State.HOLDS if expected == actual else State.DIFFERS
    return Check(identity, subject, currency, *window, expected, actual, state, "" if expected == actual else reason)


def cannot_tell(
    identity: Identity, subject: str, window: tuple[datetime, datetime], reason: str, currency: str = ""
) -> Check:
    return Check(identity, subject, currency, *window, None, None, State.CANNOT_TELL, reason)


def check_balance(before: Balance, after: Balance, movements: Sequence[Movement]) -> list[Check]:
    """Whether the balances' change is the sum of the movements between them, by currency and kind of balance.

    `movements` are all from :data:`EDGE` before the first balance on, oldest first. A movement within EDGE of a reading
    may be on either side of it; whatever side the readings leave open is tried before a difference is told.
    """
    window = (before.taken_at, after.taken_at)
    checks = []
    for balance_type, money in _KIND_OF_MONEY.items():
        first, last = getattr(before, money), getattr(after, money)
        own = [movement for movement in movements if movement.balance_type == balance_type]
        if first is None or last is None:
            if own:
                why = "The processor does not show this balance."
                checks.append(cannot_tell(Identity.BALANCE_CHANGE, balance_type, window, why))
            continue
        for currency in sorted({*first, *last, *(movement.currency for movement in own)}):
            change = last.get(currency, 0) - first.get(currency, 0)
            moved = _sum_between([one for one in own if one.currency == currency], window, change)
            checks.append(
                compare(
                    Identity.BALANCE_CHANGE,
                    balance_type,
                    currency,
                    window,
                    expected=change,
                    actual=moved,
                    reason="The balance changed by another amount than its movements come to.",
                )
            )
    others = sorted({movement.balance_type for movement in movements} - set(_KIND_OF_MONEY))
    why = "This balance is not read."
    return checks + [cannot_tell(Identity.BALANCE_CHANGE, name, window, why) for name in others]


def _sum_between(movements: Sequence[Movement], window: tuple[datetime, datetime], change: int) -> int:
    """The sum of what moved within `window`: `change` where some cut through the edges gives it."""
    times = [movement.at for movement in movements]
    totals = list(accumulate((movement.net for movement in movements), initial=0))
    starts, ends = (_cuts(times, moment) for moment in window)
    left_out = {totals[cut] for cut in starts}
    if any(totals[cut] - change in left_out for cut in ends):
        return change
    since, until = (bisect_right(times, moment.timestamp()) for moment in window)
    return totals[until] - totals[since]


def _cuts(times: Sequence[int], moment: datetime) -> range:
    """How many of the movements at `times` may have come before `moment`."""
    near = EDGE.total_seconds()
    at = moment.timestamp()
    return range(bisect_left(times, at - near), bisect_right(times, at + near) + 1)


def check_stored(
    movements: Iterable[Movement], stored: Mapping[tuple[str, str], int], window: tuple[datetime, datetime]
) -> list[Check]:
    """Whether each movement's event is stored with the movement's amount; one check a kind and currency.

    `movements` are those within `window`; `stored` are the settled amounts of events by kind and source id.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    missing: Counter[tuple[str, str]] = Counter()
    for movement in movements:
        if not movement.kind:
            continue
        key = (movement.kind, movement.currency)
        amounts = sums.setdefault(key, [0, 0])
        found = stored.get((movement.kind, movement.source))
        amounts[0] += abs(movement.amount)
        amounts[1] += found or 0
        missing[key] += found is None
    return [
        compare(
            Identity.MOVEMENTS_STORED,
            kind,
            currency,
            window,
            expected=expected,
            actual=actual,
            reason=f"{missing[kind, currency]} not stored."
            if missing[kind, currency]
            else "An amount is not the same.",
        )
        for (kind, currency), (expected, actual) in sorted(sums.items())
    ]


def check_reserves(
    shown: Mapping[str, int] | None, stored: Mapping[str, int], window: tuple[datetime, datetime], *, subject: str
) -> list[Check]:
    """Whether holds less releases, as stored, are what the processor says is reserved, by currency.

    `subject` is where it says so: its balance, or its list of holds. Nothing to tell where nothing is held.
    """
    if shown is None:
        why = "The processor does not show what it holds."
        held = sorted(currency for currency, amount in stored.items() if amount)
        return [cannot_tell(Identity.OPEN_RESERVES, subject, window, why, currency) for currency in held]
    why = "Holds from before the history that was read, or a movement still to come, could explain it."
    return [
        compare(
            Identity.OPEN_RESERVES,
            subject,
            currency,
            window,
            expected=shown.get(currency, 0),
            actual=stored.get(currency, 0),
            reason=why,
        )
        for currency in sorted({*shown, *stored})
    ]


def check_each(
    identity: Identity,
    subject: str,
    said: Mapping[str, tuple[str, int]],
    found: Mapping[str, int],
    window: tuple[datetime, datetime],
) -> list[Check]:
    """Whether each object's own amount is the sum that was found of it, by currency. Differences that cancel out in the
    total are differences all the same.

    `said` maps an object's id to its currency and the amount it tells, `found` to the sum.
    """
    totals: dict[str, list[int]] = {}
    differing: Counter[str] = Counter()
    for one, (currency, amount) in said.items():
        amounts = totals.setdefault(currency, [0, 0])
        amounts[0] += amount
        amounts[1] += found.get(one, 0)
        differing[currency] += amount != found.get(one, 0)
    checks = []
    for currency, (expected, actual) in sorted(totals.items()):
        state = State.DIFFERS if differing[currency] else State.HOLDS
        why = f"{differing[currency]} of {len(said)} {subject} differ." if differing[currency] else ""
        checks.append(Check(identity, subject, currency, *window, expected, actual, state, why))
    return checks


def check_counts(shown: set[str], stored: set[str], window: tuple[datetime, datetime], *, subject: str) -> Check:
    """Whether exactly the objects that the processor lists within `window` are stored."""
    missing, beyond = len(shown - stored), len(stored - shown)
    why = "; ".join(
        text for number, text in ((missing, f"{missing} not stored"), (beyond, f"{beyond} no longer listed")) if number
    )
    state = State.DIFFERS if why else State.HOLDS
    return Check(Identity.COUNTS, subject, "", *window, len(shown), len(stored), state, why)
