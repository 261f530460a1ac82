"""The inbox of Stripe's events about our own billing: each is stored once, with the job that applies it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.models import StripeEvent
from payflux.kit.errors import NotFound
from payflux.kit.jobs import enqueue
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import RemoteEvent

APPLIED = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
)
"""The types of events that are applied, each as a hint that something has changed; all others are acknowledged."""

OVERLAP = timedelta(hours=1)
"""How far back a poll looks beyond the newest event that is known: they do not come in order."""
LONGEST_LOOK = timedelta(days=30)
"""How long Stripe lists an event. Source: docs.stripe.com/api/events"""


async def receive(session: AsyncSession, events: Iterable[RemoteEvent], *, livemode: bool, now: datetime) -> int:
    """Store each event that is not there yet, as the system role; how many were new. `livemode` is that of our key:
    an event of the other mode is kept with the reason and never applied."""
    new = 0
    for event in events:
        reason = _reason_to_ignore(event, livemode)
        row = {
            "id": event.id,
            "event_type": event.type[:100],
            "livemode": event.livemode,
            "created_at": datetime.fromtimestamp(event.created, UTC),
            "received_at": now,
            "processed_at": now if reason else None,
            "due_at": now,
            "payload_excerpt": excerpt(event),
            "state": "ignored" if reason else "waiting",
            "outcome": reason or None,
        }
        stored = insert(StripeEvent).values(row).on_conflict_do_nothing().returning(StripeEvent.id)
        if (await session.execute(stored)).scalar_one_or_none() is None:
            continue
        new += 1
        if not reason:
            await enqueue_applying(session, event.id)
    return new


async def enqueue_applying(session: AsyncSession, event_id: str) -> None:
    await enqueue(session, "apply_stripe_event", {"event_id": event_id}, dedupe_key=f"apply_stripe_event {event_id}")


async def enqueue_due_events(session: AsyncSession, *, now: datetime) -> None:
    """A job for each event that is due, as the system role: those that were tried before."""
    due = select(StripeEvent.id).where(StripeEvent.state == "waiting", StripeEvent.due_at <= now)
    for event_id in (await session.execute(due)).scalars():
        await enqueue_applying(session, event_id)


async def apply_again(session: AsyncSession, event_id: str, *, now: datetime) -> None:
    """Have a failed event tried once more, as the system role. Raises NotFound for one that has not failed."""
    tried = update(StripeEvent).where(StripeEvent.id == event_id, StripeEvent.state == "failed")
    again = tried.values(state="waiting", due_at=now, attempts=0).returning(StripeEvent.id)
    if (await session.execute(again)).scalar_one_or_none() is None:
        raise NotFound("This event has not failed.", way_out="Look at the list again: it may have been applied since.")
    await enqueue_applying(session, event_id)


async def poll_stripe_events(world: World) -> int:
    """Take from Stripe's list what no webhook has brought, so that a lost delivery is made up for within minutes,
    also where Stripe cannot reach this server at all. How many were new. Raises StripeFailure."""
    now = world.clock.now()
    async with world.database.system() as session:
        newest = (await session.execute(select(func.max(StripeEvent.created_at)))).scalar_one()
    since = max(newest - OVERLAP, now - LONGEST_LOOK) if newest else now - LONGEST_LOOK
    billing = StripeBilling(world.settings, world.http)
    events = await billing.events(types=list(APPLIED), since=since)
    async with world.database.system() as session:
        return await receive(session, reversed(events), livemode=billing.livemode, now=now)


def excerpt(event: RemoteEvent) -> dict[str, Any]:
    """The ids of what an event is about."""
    told = event.data.object
    parent = (told.get("parent") or {}).get("subscription_details") or {}
    metadata = told.get("metadata") or {}
    subscription = told.get("id") if told.get("object") == "subscription" else told.get("subscription")
    found = {
        "object": told.get("object"),
        "id": told.get("id"),
        "customer": told.get("customer"),
        # the subscription of an invoice moved in 2025-03-31.basil
        "subscription": subscription or parent.get("subscription"),
        "account_id": told.get("client_reference_id")
        or metadata.get("account_id")
        or (parent.get("metadata") or {}).get("account_id"),
    }
    return {name: value[:255] for name, value in found.items() if isinstance(value, str)}


def _reason_to_ignore(event: RemoteEvent, livemode: bool) -> str:
    if event.livemode != livemode:
        return f"of {_mode(event.livemode)} mode, while our key is of {_mode(livemode)} mode"
    if event.account:
        return "of a connected account, which has an endpoint of its own"
    return "" if event.type in APPLIED else "a type that changes nothing here"


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"
