"""Which of the subscriptions at Stripe an account's rows follow. Pure.

It goes by how all of them stand now and by nothing that an event says, so that events may come in any order, twice, or
not at all: whatever is applied last leaves what applying all of them in order would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from payflux.frontdoor.billing.rules import local_status
from payflux.world.stripe.billing_objects import RemoteSubscription, instant

UNSTARTED = frozenset({"incomplete", "incomplete_expired"})
"""The statuses of a subscription whose first payment has not come: it gives nothing, and takes nothing away."""
LIVE = frozenset({"trialing", "active", "past_due"})


class Row(NamedTuple):
    """An account's subscription here: `stripe_id` is None for what Stripe does not know of, which began at `begun`."""

    id: UUID
    status: str
    stripe_id: str | None
    begun: datetime


class Step(NamedTuple):
    """`row_id` takes the state of `remote`; None is a new row."""

    row_id: UUID | None
    remote: RemoteSubscription


@dataclass(frozen=True)
class Following:
    """What to write, in this order, and the subscriptions that run at Stripe beside the one that is followed."""

    steps: list[Step] = field(default_factory=list)
    rivals: list[RemoteSubscription] = field(default_factory=list)


@dataclass
class _Live:
    """The row that is not canceled, while the steps are found; `id` is None for one that a step makes."""

    id: UUID | None
    linked: bool
    begun: datetime | None = None


def follow(rows: Sequence[Row], remotes: Iterable[RemoteSubscription]) -> Following:
    """What becomes of an account's rows. A subscription that was ever paid for, or tried with a card, is followed to
    its end, the oldest first; one that runs replaces a trial, Free or a complimentary plan; one that has ended ends
    what began before that. Of several that run the first to be followed stays, and the others are rivals."""
    ordered = sorted(remotes, key=lambda remote: (remote.created, remote.id))
    known = {row.stripe_id: row for row in rows if row.stripe_id}
    found = Following()
    live = next((_Live(row.id, row.stripe_id is not None, row.begun) for row in rows if row.status != "canceled"), None)
    for remote in ordered:
        row = known.get(remote.id)
        if row is None or row.status == "canceled":
            continue
        found.steps.append(Step(row.id, remote))
        if remote.has_ended:
            live = None
    for remote in ordered:
        if remote.id in known or remote.status in UNSTARTED:
            continue
        if live is not None and live.linked:
            if not remote.has_ended:
                found.rivals.append(remote)
            continue
        if live is not None and not _replaces(remote, live):
            continue
        found.steps.append(Step(live.id if live else None, remote))
        live = None if remote.has_ended else _Live(live.id if live else None, linked=True)
    return found


def _replaces(remote: RemoteSubscription, live: _Live) -> bool:
    """Whether one that nobody follows takes the place of what Stripe does not know of: if it runs, or would have been
    followed by now had it been looked at while it ran."""
    if remote.status in LIVE:
        return True
    since = instant(remote.ended_at if remote.has_ended and remote.ended_at else remote.created)
    return live.begun is not None and since is not None and since >= live.begun


def columns(remote: RemoteSubscription) -> dict[str, Any]:
    """What a row says of a subscription at Stripe, beside its plan. Raises UnknownStripeStatus."""
    start, end = remote.period
    ends_at = instant(remote.cancel_at) or (end if remote.cancel_at_period_end else None)
    price = remote.item.price
    return {
        "status": local_status(remote.status),
        "stripe_status": remote.status,
        "stripe_subscription_id": remote.id,
        "stripe_price_id": price.id,
        "seat_limit": remote.item.quantity,
        "billing_interval": price.recurring.interval if price.recurring else None,
        "current_period_start": start or instant(remote.created),
        "current_period_end": end,
        # the portal ends a subscription of flexible billing mode at an instant, and one of classic mode with its period
        "cancel_at_period_end": ends_at is not None,
        "cancel_at": ends_at,
        "canceled_at": instant(remote.ended_at) if remote.has_ended else None,
        "next_payment_attempt_at": remote.next_payment_attempt if remote.status == "past_due" else None,
    }
