"""What runs by itself: the scoring of projections whose horizons are over."""

from __future__ import annotations

import structlog

from payflux.kit.pools import served_by
from payflux.monitor.projections.queries import due_projections
from payflux.monitor.projections.service import score_due_projections
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)


async def score_projections(world: World) -> None:
    """Score every horizon that is over, one transaction for each projection; one that fails stops no other."""
    now = world.clock.now()
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        due = [each for each in await due_projections(session, now=now) if ours(each[0])]
    for account_id, projection_id in due:
        try:
            async with world.database.tenant(account_id) as session:
                scored = await score_due_projections(
                    world, session, account_id=account_id, projection_id=projection_id, now=now
                )
        except Exception:
            log.exception("projection not scored", projection_id=str(projection_id))
        else:
            log.info("projection scored", projection_id=str(projection_id), horizons=scored)
