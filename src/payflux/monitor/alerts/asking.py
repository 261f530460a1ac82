"""What members ask of the deliveries to a channel: a test, and that one is posted again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import NotFound, TooManyRequests
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.delivering import enqueue_delivery
from payflux.monitor.alerts.models import AlertChannel, AlertDelivery, DeliveryState

BETWEEN_TESTS = timedelta(seconds=30)


class JustTested(TooManyRequests):
    code = "just_tested"


async def send_test(session: AsyncSession, channel: AlertChannel, *, now: datetime) -> UUID:
    """Post a test to `channel` once the transaction commits; the id of its delivery. Raises JustTested: whoever adds
    the address of somebody else cannot have us trouble them."""
    row = AlertDelivery
    recent = select(row.id).where(
        row.account_id == channel.account_id,
        row.target == channel.id,
        row.event_id.is_(None),
        row.created_at > now - BETWEEN_TESTS,
    )
    if (await session.execute(recent.limit(1))).first() is not None:
        raise JustTested(_("A test was sent a moment ago."), way_out=_("Look at what became of it, then try again."))
    delivery = AlertDelivery(
        account_id=channel.account_id,
        id=new_id(),
        kind=channel.kind,
        target=channel.id,
        state=DeliveryState.WAITING,
        created_at=now,
        due_at=now,
    )
    session.add(delivery)
    await session.flush()
    await enqueue_delivery(session, account_id=channel.account_id, delivery_id=delivery.id, attempt=1)
    return delivery.id


async def replay(session: AsyncSession, *, account_id: UUID, delivery_id: UUID, now: datetime) -> AlertDelivery:
    """Post a delivery to its channel once more, under the same id. Raises NotFound, also for a mail."""
    delivery = await session.get(AlertDelivery, (account_id, delivery_id), with_for_update=True)
    if delivery is None or delivery.kind == "email":
        raise NotFound(
            _("There is no such delivery."), way_out=_("Go to the channel, and choose one of its deliveries.")
        )
    delivery.state, delivery.due_at = DeliveryState.WAITING, now
    await session.flush()
    await enqueue_delivery(
        session, account_id=account_id, delivery_id=delivery_id, attempt=delivery.attempts + 1, asked_for=True
    )
    return delivery
