"""What runs by itself: the scoring of projections whose horizons are over."""

from __future__ import annotations

import structlog

from payflux.monitor.projections.queries import due_projections
from payflux.monitor.projections.service import score_due_projections
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)


async def score_projections(world: World) -> None:
    """Score every horizon that is over, one transaction for each projection; one that fails stops no other."""
    now = world.clock.now()
    async with world.database.system() as session:
        due = await due_projections(session, now=now)
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
