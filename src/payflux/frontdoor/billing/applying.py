"""Bring an account's subscriptions to what Stripe says of them: read anew under a lock, written as they stand now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.billing.attempts import close_attempt
from payflux.frontdoor.billing.following import Row, columns, follow
from payflux.frontdoor.billing.models import CheckoutAttempt, StripeEvent, Subscription
from payflux.frontdoor.billing.reconciling import Difference, note_difference
from payflux.frontdoor.billing.revenue import monthly_revenue
from payflux.frontdoor.billing.rules import UnknownStripeStatus
from payflux.frontdoor.catalogue.prices import plan_of_price
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.frontdoor.funnel.events import MonthlyRevenueChanged
from payflux.frontdoor.funnel.recording import record
from payflux.kit.audit import record_change
from payflux.kit.errors import NotFound
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.billing_objects import RemoteSubscription, instant
from payflux.world.stripe.errors import StripeFailure

MOST_ATTEMPTS = 12
"""How often an event is tried, for about nine hours in all, before it is left to the staff."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)

_TOLD = ("plan", "plan_version", "status", "stripe_status", "seat_limit", "billing_interval", "current_period_end")
_TOLD_OF_END = ("cancel_at", "canceled_at", "stripe_subscription_id")

log = structlog.get_logger(__name__)


class UnknownPrice(Exception):
    """A subscription at Stripe is for a price that is none of ours, so nobody can say what was bought."""


async def apply_stripe_event(world: World, payload: Payload) -> None:
    """Job: apply one event of the inbox. What goes wrong is written on the event, which is tried again, and in the end
    stands among the failed ones in the console."""
    event_id = payload["event_id"]
    try:
        outcome = await apply_subscription_event(world, event_id)
    except (UnknownPrice, UnknownStripeStatus) as trouble:
        await _settle(world, event_id, trouble, final=True)
    except StripeFailure as trouble:
        await _settle(world, event_id, trouble, final=False)
    except Exception as trouble:
        log.exception("Stripe event not applied", event_id=event_id)
        await _settle(world, event_id, trouble, final=False)
    else:
        log.info("Stripe event applied", event_id=event_id, outcome=outcome)


async def apply_subscription_event(world: World, event_id: str) -> str:
    """Apply one event that waits, and say what came of it. The event is a hint alone: all subscriptions of the account
    are read again, after the account was locked, and written as they are; one transaction with the event's own state.

    Raises StripeFailure, UnknownPrice and UnknownStripeStatus; then nothing is written.
    """
    async with world.database.system() as session:
        event = await _waiting(session, event_id)
        if event is None:
            return "applied before"
        account_id = await _account_of(session, event.payload_excerpt)
    async with world.database.system() as session:
        account = await _locked(session, account_id) if account_id else None
        event = await _waiting(session, event_id, lock=True)
        if event is None:
            return "applied before"
        now = world.clock.now()
        if account is None:
            outcome, event.state = "about no account of ours", "ignored"
        else:
            billing = StripeBilling(world.settings, world.http)
            customers = {account.stripe_customer_id, event.payload_excerpt.get("customer")}
            outcome = await bring_up_to_date(session, billing, account, customers=customers, now=now)
            await _close_checkout(session, event, account_id=account.id, now=now)
            event.state = "applied"
        event.outcome, event.processed_at, event.attempts = outcome, now, event.attempts + 1
        return outcome


async def refresh_account(world: World, account_id: UUID) -> str:
    """Bring one account to what Stripe says now, without an event: when the staff ask for it. Raises NotFound and as
    :func:`apply_subscription_event`."""
    async with world.database.system() as session:
        account = await _locked(session, account_id)
        if account is None:
            raise NotFound("There is no such account.", way_out="It may have been deleted.")
        billing = StripeBilling(world.settings, world.http)
        return await bring_up_to_date(
            session, billing, account, customers={account.stripe_customer_id}, now=world.clock.now()
        )


async def bring_up_to_date(
    session: AsyncSession,
    billing: StripeBilling,
    account: Account,
    *,
    customers: set[str | None],
    now: datetime,
) -> str:
    """Write what Stripe says of the subscriptions of `account`, which is locked, and of these customers; a sentence of
    what has changed. Raises as :func:`apply_subscription_event`."""
    owned = select(Subscription).where(Subscription.account_id == account.id)
    rows = {row.id: row for row in (await session.execute(owned)).scalars()}
    remotes = await _remotes(billing, rows.values(), customers)
    found = follow(
        [Row(row.id, row.status, row.stripe_subscription_id, row.current_period_start) for row in rows.values()],
        remotes,
    )
    told, paid_before = [], await monthly_revenue(session, account_id=account.id)
    for step in found.steps:
        row = rows[step.row_id] if step.row_id else None
        told += await _write(session, account.id, row, step.remote, now=now)
    for rival in found.rivals:
        log.error("two subscriptions run at Stripe", account_id=str(account.id), subscription_id=rival.id)
        rivalry = Difference("two_live", rival.id, {"account_id": str(account.id)})
        await note_difference(session, rivalry, now=now)
    if told:
        await bump_account(session, account.id)
        paid = await monthly_revenue(session, account_id=account.id)
        if paid != paid_before:
            await record(session, MonthlyRevenueChanged(paid_before, paid), at=now, account_id=account.id)
    return "; ".join(told) or "nothing has changed"


async def _remotes(
    billing: StripeBilling, rows: Iterable[Subscription], customers: set[str | None]
) -> list[RemoteSubscription]:
    """The subscriptions of the customers, and the one that is followed if it is of another, older customer."""
    found = [remote for customer in sorted(filter(None, customers)) for remote in await billing.subscriptions(customer)]
    followed = {row.stripe_subscription_id for row in rows if row.status != "canceled"} - {None}
    for missing in followed - {remote.id for remote in found}:
        remote = await billing.subscription(str(missing))
        found += [remote] if remote else []
    return found


async def _write(
    session: AsyncSession, account_id: UUID, row: Subscription | None, remote: RemoteSubscription, *, now: datetime
) -> list[str]:
    values = columns(remote) | await _plan_of(session, row, remote, account_id=account_id, now=now)
    before = {name: getattr(row, name) for name in values} if row else {}
    changed = {name for name, value in values.items() if row is None or before[name] != value}
    if not changed:
        return []
    if row is None:
        row = Subscription(id=new_id(), account_id=account_id, created_at=instant(remote.created))
        session.add(row)
    for name in changed:
        setattr(row, name, values[name])
    row.updated_at = now
    await session.flush()  # the old one is canceled before the next begins: only one may live
    await record_change(
        session,
        account_id=account_id,
        action="subscription.changed",
        subject=str(row.id),
        at=now,
        before=_for_log(before, changed) or None,
        after=_for_log(values, changed),
    )
    return [f"{row.plan} is {row.status}"]


async def _plan_of(
    session: AsyncSession, row: Subscription | None, remote: RemoteSubscription, *, account_id: UUID, now: datetime
) -> dict[str, Any]:
    """What was bought. A subscription that was moved to a price that is not ours keeps what it had, and is reported."""
    sold = await plan_of_price(session, remote.item.price.id)
    if sold is not None:
        return {"plan": sold.plan, "plan_version": sold.version}
    detail = {"account_id": str(account_id), "price": remote.item.price.id}
    if row is None or row.stripe_subscription_id != remote.id:
        raise UnknownPrice(f"subscription {remote.id} is for {remote.item.price.id}, which is no price of ours")
    log.error("a subscription is for an unknown price", subscription_id=remote.id, **detail)
    await note_difference(session, Difference("unknown_price", remote.id, detail), now=now)
    return {"plan": row.plan, "plan_version": row.plan_version}


def _for_log(values: dict[str, Any], changed: set[str]) -> dict[str, object]:
    told = [name for name in (*_TOLD, *_TOLD_OF_END) if name in changed]
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name in told
        if (value := values.get(name)) is not None
    }


async def _waiting(session: AsyncSession, event_id: str, *, lock: bool = False) -> StripeEvent | None:
    query = select(StripeEvent).where(StripeEvent.id == event_id, StripeEvent.state == "waiting")
    return (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def _locked(session: AsyncSession, account_id: UUID) -> Account | None:
    """The account, which nobody else changes until this transaction ends; its row is what orders the events of an
    account that has no subscription yet."""
    query = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def _account_of(session: AsyncSession, excerpt: dict[str, Any]) -> UUID | None:
    """Whose event it is: by the customer that we know, else by what Checkout was told."""
    if customer := excerpt.get("customer"):
        known = select(Account.id).where(Account.stripe_customer_id == customer)
        if (found := (await session.execute(known)).scalar_one_or_none()) is not None:
            return found
    try:
        return UUID(excerpt.get("account_id", ""))
    except ValueError:
        return None


async def _close_checkout(session: AsyncSession, event: StripeEvent, *, account_id: UUID, now: datetime) -> None:
    if not event.event_type.startswith("checkout.session."):
        return
    of_session = (
        CheckoutAttempt.account_id == account_id,
        CheckoutAttempt.stripe_session_id == event.payload_excerpt.get("id"),
        CheckoutAttempt.status == "open",
    )
    attempt = (await session.execute(select(CheckoutAttempt).where(*of_session))).scalar_one_or_none()
    if attempt is not None:
        status = "expired" if event.event_type == "checkout.session.expired" else "complete"
        await close_attempt(session, attempt, status, now=now)


async def _settle(world: World, event_id: str, trouble: Exception, *, final: bool) -> None:
    log.warning("Stripe event not applied", event_id=event_id, trouble=str(trouble) or type(trouble).__name__)
    async with world.database.system() as session:
        event = await _waiting(session, event_id, lock=True)
        if event is None:
            return
        event.attempts += 1
        event.outcome = f"{type(trouble).__name__}: {trouble}"[:1000]
        event.due_at = world.clock.now() + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(event.attempts - 1, 10))
        if final or event.attempts >= MOST_ATTEMPTS:
            event.state = "failed"
