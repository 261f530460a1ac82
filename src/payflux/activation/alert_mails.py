"""The mails that tell a member of alerts: how each is written, and what is noted once it is delivered or given up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import mark
from payflux.kit.phrases import spoken
from payflux.monitor.alerts.delivering import note_attempt
from payflux.monitor.alerts.facts import Facts
from payflux.monitor.alerts.handling import get_alert
from payflux.monitor.alerts.models import Alert, AlertDelivery, AlertEvent, AlertState, DeliveryState
from payflux.monitor.alerts.queries import told_facts
from payflux.monitor.alerts.wording import explanation, headline, name_of
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


class Told(NamedTuple):
    """An alert that is not over, and what of it is told."""

    alert: Alert
    event: AlertEvent
    facts: Facts


async def _alert(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    told = await _unresolved(world, payload)
    return None if not told else _written(world, addressee, told[0])


async def _alert_digest(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    told = await _unresolved(world, payload)
    if len(told) < 2:
        return _written(world, addressee, told[0]) if told else None
    worst = max(told, key=lambda one: one.facts.risk_tier)
    return write_mail(
        "alert_digest",
        greeting=addressee.greeting,
        account=addressee.account_name,
        first=headline(worst.facts),
        alerts=[(headline(one.facts), explanation(one.facts), moment_words(one.alert.raised_at)) for one in told],
        causes=spoken(worst.facts).causes,
        url=f"{world.settings.url}/alerts",
        settings_url=f"{world.settings.url}/settings/alerts",
    )


async def _alert_test(world: World, _payload: Payload, addressee: Addressee) -> Mail:
    return write_mail(
        "alert_test",
        greeting=addressee.greeting,
        account=addressee.account_name,
        url=f"{world.settings.url}/settings/alerts",
    )


def _written(world: World, addressee: Addressee, told: Told) -> Mail:
    alert, facts = told.alert, told.facts
    return write_mail(
        "alert",
        greeting=addressee.greeting,
        account=addressee.account_name,
        rule=name_of(facts.trigger, alert.name),
        happened=told.event.kind,
        headline=headline(facts),
        explanation=explanation(facts),
        causes=spoken(facts).causes,
        raised_at=moment_words(alert.raised_at),
        as_of=moment_words(facts.as_of),
        url=f"{world.settings.url}/alerts#alert-{alert.id}",
        settings_url=f"{world.settings.url}/settings/alerts",
    )


async def _unresolved(world: World, payload: Payload) -> list[Told]:
    """What the mail's deliveries tell that is still to be told, of each alert the newest. Those whose alert is over by
    now are dropped."""
    found: dict[UUID, Told] = {}
    async with _waiting(world, payload) as (session, deliveries):
        for delivery in deliveries:
            event = await session.get(AlertEvent, (delivery.account_id, delivery.event_id))
            assert event is not None, "an event outlives its deliveries"
            alert = await get_alert(session, account_id=delivery.account_id, alert_id=event.alert_id)
            if alert.state == AlertState.RESOLVED:
                delivery.state, now = DeliveryState.DROPPED, world.clock.now()
                await note_attempt(session, delivery, succeeded=False, outcome=mark("It was over by then."), now=now)
            elif alert.id not in found or found[alert.id].event.at <= event.at:
                found[alert.id] = Told(alert, event, told_facts(event))
    return list(found.values())


async def _delivered(world: World, payload: Payload) -> None:
    now = world.clock.now()
    async with _waiting(world, payload) as (session, deliveries):
        for delivery in deliveries:
            delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
            outcome = mark("The mail server has taken it.")
            await note_attempt(session, delivery, succeeded=True, outcome=outcome, now=now)


async def _refused(world: World, payload: Payload, why: str) -> None:
    now = world.clock.now()
    async with _waiting(world, payload) as (session, deliveries):
        for delivery in deliveries:
            delivery.state = DeliveryState.FAILED
            await note_attempt(session, delivery, succeeded=False, outcome=why, now=now)


@asynccontextmanager
async def _waiting(world: World, payload: Payload) -> AsyncGenerator[tuple[AsyncSession, Sequence[AlertDelivery]]]:
    """Those deliveries of a mail that are still waiting, locked, by when they were made."""
    account_id = UUID(payload["account_id"])
    row = AlertDelivery
    async with world.database.tenant(account_id) as session:
        query = select(row).where(
            row.account_id == account_id,
            row.id.in_([UUID(one) for one in payload["delivery_ids"].split()]),
            row.state == DeliveryState.WAITING,
        )
        found = await session.execute(query.order_by(row.created_at, row.id).with_for_update())
        yield session, found.scalars().all()


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "alert": _alert,
    "alert_digest": _alert_digest,
    "alert_test": _alert_test,
}
DELIVERED: dict[str, Callable[[World, Payload], Awaitable[None]]] = {"alert": _delivered, "alert_digest": _delivered}
REFUSED: dict[str, Callable[[World, Payload, str], Awaitable[None]]] = {"alert": _refused, "alert_digest": _refused}
