"""Once a night: do Stripe and we agree on who pays for what? What differs is reported, and never mended silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.billing.following import columns
from payflux.frontdoor.billing.models import BillingDifference, Subscription
from payflux.frontdoor.catalogue.models import StripePrice
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import RemoteSubscription

KINDS = {
    "two_live": "Two subscriptions of one account run at Stripe",
    "unknown_account": "A subscription runs at Stripe whose customer is no account of ours",
    "not_followed": "A subscription runs at Stripe, and the account does not have it here",
    "missing": "An account has a subscription here that Stripe does not know",
    "state": "Stripe says something else of a subscription than we do",
    "unknown_price": "A subscription is for a price that is not ours",
}
"""What may differ, in words for the staff."""

_COMPARED = ("status", "seat_limit", "stripe_price_id", "billing_interval", "current_period_end", "cancel_at")

log = structlog.get_logger(__name__)


class Difference(NamedTuple):
    """One thing that differs. `subject` is the id at Stripe that it is about."""

    kind: str
    subject: str
    detail: dict[str, Any]


async def reconcile_subscriptions(world: World) -> list[Difference]:
    """Compare every subscription that runs at Stripe, and every one that we follow, with the other side. What differs
    is reported until it no longer does. Raises StripeFailure; then what was reported before stands."""
    billing = StripeBilling(world.settings, world.http)
    remotes = {remote.id: remote for remote in await billing.subscriptions() if remote.livemode == billing.livemode}
    async with world.database.system() as session:
        ours = await _followed(session)
    for missing in ours.keys() - remotes.keys():
        remote = await billing.subscription(missing)
        remotes |= {missing: remote} if remote else {}
    async with world.database.system() as session:
        # read again: what was applied while Stripe was asked is newer than what it answered before
        ours, customers, prices = await _followed(session), await _customers(session), await _prices(session)
        found = compare(ours, remotes, customers, prices)
        await _report(session, found, now=world.clock.now())
    for difference in found:
        log.error("billing differs from Stripe", kind=difference.kind, subject=difference.subject, **difference.detail)
    return found


def compare(
    ours: Mapping[str, Subscription],
    remotes: Mapping[str, RemoteSubscription],
    customers: Mapping[str, UUID],
    prices: Collection[str],
) -> list[Difference]:
    """What differs between the rows that follow a subscription at Stripe, by its id, and all that Stripe has.
    `customers` are the accounts by their customer, and `prices` those that we sell at."""
    found = [
        Difference("missing", stripe_id, {"account_id": str(row.account_id), "here": row.status})
        for stripe_id, row in ours.items()
        if stripe_id not in remotes
    ]
    running: dict[UUID, list[str]] = {}
    for remote in remotes.values():
        row = ours.get(remote.id)
        account_id = row.account_id if row else customers.get(remote.customer)
        if account_id is None:
            found.append(
                Difference("unknown_account", remote.id, {"customer": remote.customer, "there": remote.status})
            )
            continue
        if not remote.has_ended:
            running.setdefault(account_id, []).append(remote.id)
        if row is not None:
            found += _unlike(row, remote)
        if remote.item.price.id not in prices:
            told = {"account_id": str(account_id), "price": remote.item.price.id}
            found.append(Difference("unknown_price", remote.id, told))
    for account_id, ids in running.items():
        told = {"account_id": str(account_id)}
        if len(ids) > 1:
            found += [Difference("two_live", each, told | {"beside": sorted({*ids} - {each})}) for each in ids]
        elif ids[0] not in ours:
            found.append(Difference("not_followed", ids[0], told | {"there": remotes[ids[0]].status}))
    return sorted(found, key=lambda difference: (difference.kind, difference.subject))


def _unlike(row: Subscription, remote: RemoteSubscription) -> Iterable[Difference]:
    there = columns(remote)
    unlike = {
        name: {"here": _told(getattr(row, name)), "there": _told(there[name])}
        for name in _COMPARED
        if getattr(row, name) != there[name]
    }
    return [Difference("state", remote.id, {"account_id": str(row.account_id), **unlike})] if unlike else []


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


async def _followed(session: AsyncSession) -> dict[str, Subscription]:
    query = select(Subscription).where(
        Subscription.stripe_subscription_id.is_not(None), Subscription.status != "canceled"
    )
    return {str(row.stripe_subscription_id): row for row in (await session.execute(query)).scalars()}


async def _customers(session: AsyncSession) -> dict[str, UUID]:
    query = select(Account.stripe_customer_id, Account.id).where(Account.stripe_customer_id.is_not(None))
    return {str(customer): account_id for customer, account_id in await session.execute(query)}


async def _prices(session: AsyncSession) -> set[str]:
    return set((await session.execute(select(StripePrice.id))).scalars())


async def note_difference(session: AsyncSession, difference: Difference, *, now: datetime) -> None:
    """Report a difference, once for as long as it lasts; as the system role."""
    row = {**difference._asdict(), "id": new_id(), "found_at": now, "last_seen_at": now}
    lasting = BillingDifference.resolved_at.is_(None)
    seen = {"last_seen_at": now, "detail": difference.detail}
    added = insert(BillingDifference).values(row)
    await session.execute(
        added.on_conflict_do_update(index_elements=["kind", "subject"], index_where=lasting, set_=seen)
    )


async def _report(session: AsyncSession, found: list[Difference], *, now: datetime) -> None:
    for difference in found:
        await note_difference(session, difference, now=now)
    lasting = [(difference.kind, difference.subject) for difference in found]
    gone = update(BillingDifference).where(
        BillingDifference.resolved_at.is_(None),
        tuple_(BillingDifference.kind, BillingDifference.subject).not_in(lasting),
    )
    await session.execute(gone.values(resolved_at=now))
