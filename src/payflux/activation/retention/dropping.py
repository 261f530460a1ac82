"""Every night: drop what accounts keep no longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from payflux.activation.retention.choosing import FEATURE, RETENTION, choices_of
from payflux.activation.retention.models import RetentionPeriod
from payflux.activation.retention.rules import Choice, Kept, period
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.pools import served_by
from payflux.monitor.alerts.delivering import delete_old_deliveries
from payflux.monitor.ledger.expiring import accounts_with_ledgers, expire_bodies
from payflux.monitor.processors.forgetting import forget_events_before
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)


async def drop_what_is_over(world: World) -> None:
    """Drop what is older than its account's periods. Where no subscription runs, nothing is dropped: whoever comes back
    finds what they had. One that fails stops no other."""
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        chosen = set((await session.execute(select(RetentionPeriod.account_id))).scalars())
        accounts = sorted(filter(ours, chosen.union(await accounts_with_ledgers(session))))
    for account_id in accounts:
        try:
            await _drop(world, account_id)
        except Exception:
            log.exception("nothing dropped", account_id=str(account_id))


async def _drop(world: World, account_id: UUID) -> None:
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        held = await entitlements_of(session, world, account_id=account_id)
        choices = await choices_of(session, account_id=account_id)
    if not held.live:
        return
    for kind in Kept:
        days = period(
            kind,
            choices.get(kind, Choice()),
            plan_days=held.limits[RETENTION],
            may_choose=held.features.get(FEATURE, False),
            now=now,
        )
        if days is not None:
            dropped = await _drop_kind(world, kind, account_id=account_id, before=now - timedelta(days=days))
            if dropped:
                log.info("dropped what is kept no longer", account_id=str(account_id), kind=kind, number=dropped)


async def _drop_kind(world: World, kind: Kept, *, account_id: UUID, before: datetime) -> int:
    now = world.clock.now()
    match kind:
        case Kept.EVIDENCE:
            async with world.database.system() as session:
                return await expire_bodies(session, account_id=account_id, before=before, now=now)
        case Kept.PAYMENT_EVENTS:
            return await forget_events_before(world.database, account_id=account_id, before=before)
        case Kept.DELIVERIES:
            async with world.database.system() as session:
                return await delete_old_deliveries(session, before=before, account_id=account_id)
