"""Post the events of alerts to channels: at least once, tried again for days, each try in a log."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.crypto import UndecryptableSecret
from payflux.kit.jobs import Payload, enqueue
from payflux.kit.messages import mark
from payflux.monitor.alerts.channels import address_of, disable, secret_of
from payflux.monitor.alerts.handling import get_alert
from payflux.monitor.alerts.models import (
    Alert,
    AlertAttempt,
    AlertChannel,
    AlertDelivery,
    AlertEvent,
    AlertState,
    DeliveryState,
    Happening,
)
from payflux.monitor.alerts.posting import (
    PAGERDUTY_URL,
    Message,
    pagerduty_body,
    service_text,
    slack_body,
    webhook_body,
)
from payflux.monitor.alerts.queries import told_facts
from payflux.monitor.processors.generic.signatures import sign
from payflux.world.bootstrap import World
from payflux.world.notification_services import notify_service
from payflux.world.notify import Answer, PostFailure, post

RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after each failed try; then a delivery is given up. Source: the Standard Webhooks specification,
"Deliverability and reliability"."""

GONE = 410
UNDER_WAY = timedelta(minutes=2)
"""For so long a try is left alone; after that, its worker is taken to be dead."""

KEPT_FOR = timedelta(days=90)
"""For so long it can be looked up what became of a delivery."""

_LONGEST_WAIT = timedelta(days=1)
_JOB = "deliver_alert"

log = structlog.get_logger(__name__)


Posting = Callable[[], Awaitable[Answer]]
"""One try, ready to be made; raises PostFailure where no answer comes."""


async def deliver_alert(world: World, payload: Payload) -> None:
    """Job: one try at a delivery. What the other side says decides whether there is another, and when."""
    account_id, delivery_id = UUID(payload["account_id"]), UUID(payload["delivery_id"])
    async with world.database.tenant(account_id) as session:
        delivery = await _waiting(session, account_id=account_id, delivery_id=delivery_id)
        if delivery is None or delivery.attempts >= int(payload.get("attempt", delivery.attempts + 1)):
            return
        posting = await _posting(session, world, delivery)
        delivery.due_at = world.clock.now() + UNDER_WAY
    if posting is None:
        return
    began = time.monotonic()
    try:
        answer, failure = await posting(), ""
    except PostFailure as error:
        answer, failure = None, str(error)
    milliseconds = round(1000 * (time.monotonic() - began))
    async with world.database.tenant(account_id) as session:
        delivery = await _waiting(session, account_id=account_id, delivery_id=delivery_id)
        if delivery is not None:
            await _settle(session, world, delivery, answer, failure, milliseconds=milliseconds)
            log.info("alert posted", kind=delivery.kind, attempt=delivery.attempts, state=delivery.state)


async def _waiting(session: AsyncSession, *, account_id: UUID, delivery_id: UUID) -> AlertDelivery | None:
    delivery = await session.get(AlertDelivery, (account_id, delivery_id), with_for_update=True)
    return delivery if delivery is not None and delivery.state == DeliveryState.WAITING else None


async def _posting(session: AsyncSession, world: World, delivery: AlertDelivery) -> Posting | None:
    """How to post it; None, and the delivery is dropped, where nobody takes it any more."""
    now = world.clock.now()
    channel = await session.get(AlertChannel, (delivery.account_id, delivery.target))
    if channel is None or channel.disabled_at is not None:
        delivery.state = DeliveryState.DROPPED
        outcome = mark("The channel was removed.") if channel is None else mark("The channel was switched off.")
        await note_attempt(session, delivery, succeeded=False, outcome=outcome, now=now)
        return None
    try:
        address, secret = address_of(world, channel), secret_of(world, channel)
    except UndecryptableSecret:
        delivery.state, because = DeliveryState.DROPPED, mark("Its address cannot be read any more. Add it anew.")
        await note_attempt(session, delivery, succeeded=False, outcome=because, now=now)
        await disable(session, channel, because=because, now=now)
        return None
    message = await _message(session, world, delivery)
    headers = {"Content-Type": "application/json", "User-Agent": "PayFlux-Alerts/1", "Accept-Encoding": "identity"}
    to = partial(post, world.settings, world.http)
    match channel.kind:
        case "slack":
            return partial(to, address, slack_body(message), headers)
        case "pagerduty":
            return partial(to, PAGERDUTY_URL, pagerduty_body(message, routing_key=address), headers)
        case "apprise":
            return partial(
                notify_service,
                world.settings,
                address,
                title=message.summary,
                body=service_text(message),
                wrong=not message.ends,
            )
        case _:
            body, message_id = webhook_body(message), f"msg_{delivery.id.hex}"
            signed = {
                "webhook-id": message_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": sign(message_id, body, [secret], now),
            }
            return partial(to, address, body, headers | signed)


async def _message(session: AsyncSession, world: World, delivery: AlertDelivery) -> Message:
    page = f"{world.settings.url}/alerts"
    if delivery.event_id is None:
        return Message(delivery.id, "Test", Happening.RAISED, delivery.created_at, None, page)
    event = await session.get(AlertEvent, (delivery.account_id, delivery.event_id))
    assert event is not None, "an event outlives its deliveries"
    alert = await get_alert(session, account_id=delivery.account_id, alert_id=event.alert_id)
    kind = Happening(event.kind)
    return Message(alert.id, alert.name, kind, event.at, told_facts(event), f"{page}#alert-{alert.id}")


async def _settle(
    session: AsyncSession,
    world: World,
    delivery: AlertDelivery,
    answer: Answer | None,
    failure: str,
    *,
    milliseconds: int,
) -> None:
    now, taken = world.clock.now(), answer is not None and answer.taken
    said = failure if answer is None else f"Answered {answer.status}" + (f": {answer.words}" if answer.words else ".")
    await note_attempt(
        session,
        delivery,
        succeeded=taken,
        outcome=said,
        now=now,
        status=answer.status if answer else None,
        milliseconds=milliseconds,
    )
    if taken:
        delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
    elif answer is not None and answer.status == GONE:
        delivery.state = DeliveryState.DROPPED
        channel = await session.get(AlertChannel, (delivery.account_id, delivery.target), with_for_update=True)
        if channel is not None and channel.disabled_at is None:
            await disable(session, channel, because=mark("It answered 410 Gone: it wants nothing more."), now=now)
    elif delivery.attempts > len(RETRY_AFTER):
        delivery.state = DeliveryState.FAILED
    else:
        wait = RETRY_AFTER[delivery.attempts - 1] * (1 + 0.1 * random.random())  # noqa: S311 -- jitter
        if answer is not None and answer.retry_after is not None:
            wait = min(max(wait, timedelta(seconds=answer.retry_after)), _LONGEST_WAIT)
        delivery.due_at = now + wait
        await enqueue_delivery(
            session,
            account_id=delivery.account_id,
            delivery_id=delivery.id,
            attempt=delivery.attempts + 1,
            delay=wait,
        )


async def note_attempt(
    session: AsyncSession,
    delivery: AlertDelivery,
    *,
    succeeded: bool,
    outcome: str,
    now: datetime,
    status: int | None = None,
    milliseconds: int = 0,
) -> None:
    """Write a try at `delivery` into its log."""
    delivery.attempts += 1
    session.add(
        AlertAttempt(
            account_id=delivery.account_id,
            delivery_id=delivery.id,
            number=delivery.attempts,
            at=now,
            succeeded=succeeded,
            status=status,
            outcome=outcome,
            milliseconds=milliseconds,
        )
    )
    await session.flush()


async def delete_old_deliveries(session: AsyncSession, *, before: datetime, account_id: UUID | None = None) -> int:
    """Forget what became of deliveries from before `before`, of one account or of all, with their tries; how many. For
    the system role. What an alert that is not over was told to stays, so that its end is told there too."""
    done = await session.execute(delete(AlertDelivery).where(*_over(before, account_id)).returning(AlertDelivery.id))
    return len(done.all())


async def count_old_deliveries(session: AsyncSession, *, account_id: UUID, before: datetime) -> int:
    """How many deliveries of an account :func:`delete_old_deliveries` would forget."""
    query = select(func.count()).select_from(AlertDelivery).where(*_over(before, account_id))
    return (await session.execute(query)).scalar_one()


def _over(before: datetime, account_id: UUID | None) -> list[ColumnElement[bool]]:
    row = AlertDelivery
    under_way = exists().where(
        AlertEvent.account_id == row.account_id,
        AlertEvent.id == row.event_id,
        Alert.account_id == AlertEvent.account_id,
        Alert.id == AlertEvent.alert_id,
        Alert.state != AlertState.RESOLVED,
    )
    ended = row.state.not_in((DeliveryState.WAITING, DeliveryState.HELD))
    old = [row.created_at < before, ended, ~under_way]
    return old if account_id is None else [row.account_id == account_id, *old]


async def enqueue_delivery(
    session: AsyncSession,
    *,
    account_id: UUID,
    delivery_id: UUID,
    attempt: int,
    delay: timedelta | None = None,
    asked_for: bool = False,
) -> None:
    """Have the try of this number made once. One that is `asked_for` is made though it waits for its time, and then
    not a second time."""
    payload = {"account_id": str(account_id), "delivery_id": str(delivery_id), "attempt": str(attempt)}
    key = f"{_JOB}:{delivery_id}:{attempt}" + (":asked" if asked_for else "")
    await enqueue(session, _JOB, payload, dedupe_key=key, delay=delay)


async def due_deliveries(session: AsyncSession, *, now: datetime) -> list[tuple[UUID, UUID, int]]:
    """(account, delivery, tries until now) of all that should have been posted by `now`, for the system role."""
    row = AlertDelivery
    query = select(row.account_id, row.id, row.attempts).where(
        row.state == DeliveryState.WAITING, row.kind != "email", row.due_at <= now - UNDER_WAY
    )
    return [(account_id, delivery_id, attempts) for account_id, delivery_id, attempts in await session.execute(query)]
