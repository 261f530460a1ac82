"""The job that runs after every sync."""

from __future__ import annotations

from uuid import UUID

import structlog

from payflux.kit.jobs import Payload, Permanent
from payflux.monitor.processors.reconciling.rules import State
from payflux.monitor.processors.reconciling.service import reconcile
from payflux.world.bootstrap import World
from payflux.world.stripe import Disconnected, KeyRefused

log = structlog.get_logger(__name__)


async def reconcile_connection(world: World, payload: Payload) -> None:
    """Check whether a connection's books add up, and log what does not."""
    try:
        checks = await reconcile(
            world, account_id=UUID(payload["account_id"]), connection_id=UUID(payload["connection_id"])
        )
    except (KeyRefused, Disconnected) as failure:
        raise Permanent(str(failure)) from failure
    for check in checks:
        if check.state == State.DIFFERS:
            log.warning(
                "the books do not add up",
                identity=check.identity.value,
                subject=check.subject,
                currency=check.currency,
                difference=check.difference,
                reason=check.reason,
            )
