"""What the next dispute costs beyond its own amount: the processor's fee and what it adds to the networks' fines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from payflux.kit.messages import mark
from payflux.kit.phrases import joined
from payflux.monitor.risk.rules.programmes.programme import Month
from payflux.monitor.risk.rules.programmes.status import Status, status, with_precedence


class CostItem(NamedTuple):
    """One part of the cost, as a range where it depends or sources conflict; minor units of `currency`."""

    kind: str  # dispute fee, fine, event fee, issuer recovery
    programme: str  # its key; empty: the processor itself
    low: int
    high: int
    currency: str
    basis: str
    source: str


class DisputeFee(NamedTuple):
    """A processor's own fee: on each dispute, and once more when it is answered and not won; minor units."""

    received: int
    countered: int
    countered_from: date
    currency: str
    source: str


STRIPE_DISPUTE_FEE = DisputeFee(
    1_500, 1_500, date(2025, 6, 17), "usd",
    "chargebackgurus.com/blog/stripe-dispute-fees (2025-09-30); support.stripe.com june-2025-pricing-updates-for-"
    "disputes. The United States' fee; elsewhere it is assumed to be as much",
)  # fmt: skip


def next_dispute_cost(
    months: Mapping[str, Sequence[Month]],
    day: date,
    *,
    fraud: bool,
    ticket: int | None = None,
    country: str = "",
    processor_fee: DisputeFee | None = STRIPE_DISPUTE_FEE,
) -> tuple[CostItem, ...]:
    """What one more dispute in the last, running month would add, item by item; without the disputed amount.

    `months` holds, for each programme of the dispute's network by key, its months as :func:`status` takes them.
    `fraud` says that the dispute is for fraud, `ticket` is its amount in the programmes' currency. A programme's
    items are the difference between the month's fines with and without the dispute, so the one that crosses a step
    bears what the crossing costs. They may be negative: entering EFM replaces ECM's higher fines.
    """
    more = {key: [*rows[:-1], _with_dispute(rows[-1], fraud, ticket)] if rows else rows for key, rows in months.items()}
    without, with_it = _statuses(months, country), _statuses(more, country)
    items = [_processor_item(processor_fee, day)] if processor_fee else []
    for key, after in with_it.items():
        items.extend(_difference(kind, without[key], after) for kind in ("fine", "event fee", "issuer recovery"))
    return tuple(item for item in items if (item.low, item.high) != (0, 0))


def _processor_item(fee: DisputeFee, day: date) -> CostItem:
    countered = fee.countered if day >= fee.countered_from else 0
    basis = mark("on receipt; the higher figure when it is answered and not won") if countered else mark("on receipt")
    return CostItem("dispute fee", "", fee.received, fee.received + countered, fee.currency, basis, fee.source)


def _with_dispute(month: Month, fraud: bool, ticket: int | None) -> Month:
    def add(amount: int | None) -> int | None:
        return None if amount is None or ticket is None else amount + ticket

    month = month._replace(disputes=month.disputes + 1, vamp_amount=add(month.vamp_amount))
    if not fraud:
        return month
    return month._replace(fraud_disputes=month.fraud_disputes + 1, fraud_dispute_amount=add(month.fraud_dispute_amount))


def _statuses(months: Mapping[str, Sequence[Month]], country: str) -> dict[str, Status]:
    found = (status(key, rows, country, running=True) for key, rows in months.items())
    return {s.programme.key: s for s in with_precedence([s for s in found if s is not None])}


def _difference(kind: str, without: Status, with_it: Status) -> CostItem:
    before, after = (next((c for c in s.charges if c.kind == kind), None) for s in (without, with_it))
    changes = [
        (after.low if after else 0) - (before.low if before else 0),
        (after.high if after else 0) - (before.high if before else 0),
    ]
    phase, charge = with_it.programme, after or before
    basis = joined(": ", (phase.name, charge.basis)) if charge else ""
    return CostItem(kind, phase.key, min(changes), max(changes), phase.currency, basis, phase.source)
