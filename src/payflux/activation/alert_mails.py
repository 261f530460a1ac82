"""The mail that tells a member of an alert: how it is written, and what is noted once it is delivered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.jobs import Payload
from payflux.monitor.alerts.delivering import note_attempt
from payflux.monitor.alerts.handling import get_alert
from payflux.monitor.alerts.models import AlertDelivery, AlertEvent, AlertState, DeliveryState
from payflux.monitor.alerts.queries import told_facts
from payflux.monitor.alerts.wording import explanation, headline
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _alert(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        delivery = await session.get(AlertDelivery, (account_id, UUID(payload["delivery_id"])))
        if delivery is None or delivery.event_id is None or delivery.state != DeliveryState.WAITING:
            return None
        event = await session.get(AlertEvent, (account_id, delivery.event_id))
        assert event is not None, "an event outlives its deliveries"
        alert = await get_alert(session, account_id=account_id, alert_id=event.alert_id)
        if alert.state == AlertState.RESOLVED:
            delivery.state = DeliveryState.DROPPED
            await note_attempt(
                session, delivery, succeeded=False, outcome="It was over by then.", now=world.clock.now()
            )
            return None
        facts = told_facts(event)
    return write_mail(
        "alert",
        greeting=f"Hello {addressee.name},",
        account=addressee.account_name,
        rule=alert.name,
        happened=event.kind,
        headline=headline(facts),
        explanation=explanation(facts),
        causes=facts.causes,
        raised_at=f"{alert.raised_at:%d %B %Y, %H:%M} UTC",
        as_of=f"{facts.as_of:%d %B %Y, %H:%M} UTC",
        url=f"{world.settings.url}/alerts#alert-{alert.id}",
        settings_url=f"{world.settings.url}/settings/alerts",
    )


async def _alert_delivered(world: World, payload: Payload) -> None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        delivery = await session.get(AlertDelivery, (account_id, UUID(payload["delivery_id"])), with_for_update=True)
        if delivery is not None and delivery.state == DeliveryState.WAITING:
            now = world.clock.now()
            delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
            await note_attempt(session, delivery, succeeded=True, outcome="The mail server has taken it.", now=now)


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {"alert": _alert}
DELIVERED: dict[str, Callable[[World, Payload], Awaitable[None]]] = {"alert": _alert_delivered}
