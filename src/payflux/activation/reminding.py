"""Who has not connected a processor is reminded twice, and never again."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from payflux.activation.models import Workspace
from payflux.activation.sending import mail_members_once
from payflux.activation.service import get_workspace
from payflux.activation.states import ActivationState
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.pools import served_by
from payflux.world.bootstrap import World

FIRST, LAST = timedelta(hours=24), timedelta(hours=72)
"""How long after an account became entitled it is reminded."""
STILL_NEWS = timedelta(days=7)
"""How long after its time a reminder is still sent where nobody worked."""

CONNECTING = "processor_connection"

log = structlog.get_logger(__name__)


def reminder_due(entitled_at: datetime, now: datetime) -> str | None:
    """Which reminder is due, ``first`` or ``last``; the first one is not sent any more once the last is. Pure."""
    age = now - entitled_at
    if FIRST <= age < LAST:
        return "first"
    return "last" if LAST <= age < LAST + STILL_NEWS else None


async def send_due_reminders(world: World) -> None:
    """Every quarter of an hour: a mail to those who may connect a processor and have not, each once."""
    now, sent = world.clock.now(), 0
    async with world.database.system() as session:
        waiting = select(Workspace.account_id).where(
            Workspace.activation_state == ActivationState.PAID_UNCONNECTED,
            Workspace.entitled_at <= now - FIRST,
            Workspace.entitled_at > now - LAST - STILL_NEWS,
        )
        ours = await served_by(session, world.settings.worker_pool)
        accounts = (await session.execute(waiting)).scalars().all()
    for account_id in filter(ours, accounts):
        async with world.database.tenant(account_id) as session:
            workspace = await get_workspace(session, account_id=account_id)
            held = await entitlements_of(session, world, account_id=account_id)
            due = reminder_due(workspace.entitled_at, now)
            if due is None or not held.features[CONNECTING]:
                continue
            sent += await mail_members_once(
                session,
                "activation_reminder",
                f"reminder {due} {workspace.id}",
                account_id=account_id,
                capability="connection.manage",
                now=now,
                reminder=due,
            )
    log.info("activation reminders sent", mails=sent)
