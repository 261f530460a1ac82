"""Whom an alert is told to: members by mail, channels by post. The monitor knows no members; here they meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.mail_preferences import MailKind, opted_out
from payflux.activation.recording import record_alert
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import NotFound
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload
from payflux.kit.pools import served_by
from payflux.monitor.alerts.channels import FEATURE_OF, active_channels
from payflux.monitor.alerts.delivering import due_deliveries, enqueue_delivery
from payflux.monitor.alerts.evaluating import enqueue_telling
from payflux.monitor.alerts.handling import get_alert, wake
from payflux.monitor.alerts.mail_times import mail_times
from payflux.monitor.alerts.models import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AlertEvent,
    AlertRule,
    AlertState,
    DeliveryState,
    Happening,
)
from payflux.monitor.alerts.queries import told_facts
from payflux.monitor.alerts.timing import mail_at
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail

MAILED = (Happening.RAISED, Happening.WORSENED, Happening.WOKEN)
"""What is worth a mail. That it is over, whoever looks sees, and programs are told."""

ENDS = (Happening.CLEARED, Happening.RESOLVED)

UNTOLD_FOR = timedelta(minutes=2)
"""After so long a job that should have told an event is taken to be lost."""

log = structlog.get_logger(__name__)


class Target(NamedTuple):
    """A member, for the kind `email`, or a channel of its own kind."""

    kind: str
    id: UUID


async def tell_alert(world: World, payload: Payload) -> None:
    """Job: find whom an event of an alert is told to, and have it sent to each; each once, however often this runs."""
    account_id, event_id = UUID(payload["account_id"]), UUID(payload["event_id"])
    async with world.database.tenant(account_id) as session:
        event = await session.get(AlertEvent, (account_id, event_id), with_for_update=True)
        if event is None or event.told_at is not None:
            return
        alert = await get_alert(session, account_id=account_id, alert_id=event.alert_id)
        now = world.clock.now()
        targets = [*await _readers(session, alert, event), *await _channels(session, world, alert, event)]
        times = await mail_times(session, account_id=account_id, workspace_id=alert.workspace_id)
        mailed_at = mail_at(times, now, risk_tier=told_facts(event).risk_tier)
        await _send(session, event, targets, now=now, mailed_at=mailed_at)
        event.told_at = now
        await record_alert(world, session, alert, event)
    log.info("alert told", kind=event.kind, targets=len(targets))


async def _readers(session: AsyncSession, alert: Alert, event: AlertEvent) -> list[Target]:
    rule = await session.get(AlertRule, (alert.account_id, alert.rule_id))
    if rule is None or "email" not in rule.channels or event.kind not in MAILED:
        return []
    return [Target("email", user_id) for user_id in await readers_of(session, rule)]


async def readers_of(session: AsyncSession, rule: AlertRule) -> list[UUID]:
    """The members whom `rule` mails: those it names, or else everybody who looks after alerts; of them those who want
    such mails."""
    # an address that is not proven may be a stranger's
    here = [member for member in await members(session, account_id=rule.account_id) if member.verified]
    named = [member.user_id for member in here if rule.told_to is not None and member.user_id in rule.told_to]
    meant = named or [member.user_id for member in here if may(member.role, "alerts.manage")]
    without = await opted_out(session, account_id=rule.account_id, kind=MailKind.ALERTS)
    return [user_id for user_id in meant if user_id not in without]


async def _channels(session: AsyncSession, world: World, alert: Alert, event: AlertEvent) -> list[Target]:
    """The channels that the event is posted to: those of its rule, and of its end, those that were told before."""
    allowed = await channels_told(session, world, account_id=alert.account_id, workspace_id=alert.workspace_id)
    if event.kind in ENDS:
        chosen = await _told_before(session, alert)
    else:
        rule = await session.get(AlertRule, (alert.account_id, alert.rule_id))
        chosen = None if rule is None else rule.posted_to
    return [Target(channel.kind, channel.id) for channel in allowed if chosen is None or channel.id in chosen]


async def channels_told(
    session: AsyncSession, world: World, *, account_id: UUID, workspace_id: UUID
) -> list[AlertChannel]:
    """The channels that are switched on, as far as the plan has their kind."""
    held = await entitlements_of(session, world, account_id=account_id)
    found = await active_channels(session, account_id=account_id, workspace_id=workspace_id)
    return [channel for channel in found if held.features[FEATURE_OF[channel.kind]]]


async def _told_before(session: AsyncSession, alert: Alert) -> Sequence[UUID]:
    query = (
        select(AlertDelivery.target)
        .join(
            AlertEvent,
            (AlertEvent.account_id == AlertDelivery.account_id) & (AlertEvent.id == AlertDelivery.event_id),
        )
        .where(AlertDelivery.account_id == alert.account_id, AlertEvent.alert_id == alert.id)
    )
    return (await session.execute(query)).scalars().all()


async def _send(
    session: AsyncSession, event: AlertEvent, targets: Iterable[Target], *, now: datetime, mailed_at: datetime
) -> None:
    for target in targets:
        held = target.kind == "email" and mailed_at > now
        delivery = {
            "account_id": event.account_id,
            "id": new_id(),
            "event_id": event.id,
            "kind": target.kind,
            "target": target.id,
            "state": DeliveryState.HELD if held else DeliveryState.WAITING,
            "created_at": now,
            "due_at": mailed_at if held else now,
        }
        added = insert(AlertDelivery).values(delivery).on_conflict_do_nothing().returning(AlertDelivery.id)
        delivery_id = (await session.execute(added)).scalar_one_or_none()
        if delivery_id is None or held:
            continue
        if target.kind == "email":
            await enqueue_mail(session, "alert", event.account_id, target.id, delivery_ids=str(delivery_id))
        else:
            await enqueue_delivery(session, account_id=event.account_id, delivery_id=delivery_id, attempt=1)


async def keep_alerts_going(world: World) -> None:
    """Every minute: snoozes that are over, mails whose time has come, and what a worker that died has left untold or
    unsent."""
    now = world.clock.now()
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        over = select(Alert.account_id, Alert.id).where(Alert.state == AlertState.SNOOZED, Alert.snoozed_until <= now)
        snoozed = [row for row in await session.execute(over) if ours(row.account_id)]
        held = select(AlertDelivery.account_id, AlertDelivery.target).distinct()
        due = held.where(AlertDelivery.state == DeliveryState.HELD, AlertDelivery.due_at <= now)
        readers = [row for row in await session.execute(due) if ours(row.account_id)]
        untold = select(AlertEvent.account_id, AlertEvent.id).where(
            AlertEvent.tells, AlertEvent.told_at.is_(None), AlertEvent.at <= now - UNTOLD_FOR
        )
        for account_id, event_id in (await session.execute(untold)).all():
            if ours(account_id):
                await enqueue_telling(session, account_id=account_id, event_id=event_id)
        for account_id, delivery_id, attempts in await due_deliveries(session, now=now):
            if ours(account_id):
                await enqueue_delivery(session, account_id=account_id, delivery_id=delivery_id, attempt=attempts + 1)
    for account_id, alert_id in snoozed:
        with suppress(NotFound):  # deleted meanwhile, with its account
            async with world.database.tenant(account_id) as session:
                await wake(session, account_id=account_id, alert_id=alert_id, now=now)
    for account_id, user_id in readers:
        async with world.database.tenant(account_id) as session:
            await _mail_held(session, account_id=account_id, user_id=user_id, now=now)


async def _mail_held(session: AsyncSession, *, account_id: UUID, user_id: UUID, now: datetime) -> None:
    """Send a member what was held for them until now, in one mail."""
    row = AlertDelivery
    query = select(row).where(
        row.account_id == account_id, row.target == user_id, row.state == DeliveryState.HELD, row.due_at <= now
    )
    deliveries = (await session.execute(query.order_by(row.created_at, row.id).with_for_update())).scalars().all()
    for delivery in deliveries:
        delivery.state, delivery.due_at = DeliveryState.WAITING, now
    if deliveries:
        ids = " ".join(str(delivery.id) for delivery in deliveries)
        await enqueue_mail(session, "alert_digest", account_id, user_id, delivery_ids=ids)
