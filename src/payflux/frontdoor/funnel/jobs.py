"""Product events on their way to the analytics service."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import column, select, table, update

from payflux.frontdoor.funnel.models import RecordedEvent
from payflux.kit.failures import ANALYTICS, count_failure
from payflux.world.analytics import AnalyticsEvent, AnalyticsUnavailable, analytics_of
from payflux.world.bootstrap import World

AT_ONCE, BATCHES = 200, 50
"""Events in one request, and requests in one run; the next run goes on."""

# the accounts are above, where the funnel does not look: their table is named here, and nothing else of them
_ACCOUNTS = table("accounts", column("id"), column("parent_id"))

log = structlog.get_logger(__name__)


async def send_product_events(world: World) -> None:
    """Every minute: pass on what was recorded and has not been sent, the oldest first. Without a service nothing is
    sent; once one is set, what was recorded until then goes there too.

    An event is marked after it was taken, so that none is lost; one that is sent twice is told by its id. A service
    that fails harms nothing: it is asked again at the next run.
    """
    service = analytics_of(world.settings, world.http)
    if service is None:
        return
    for _ in range(BATCHES):
        async with world.database.system() as session:
            unsent = select(RecordedEvent, _ACCOUNTS.c.parent_id).where(RecordedEvent.sent_at.is_(None))
            unsent = unsent.outerjoin(_ACCOUNTS, _ACCOUNTS.c.id == RecordedEvent.account_id).order_by(RecordedEvent.id)
            events = (await session.execute(unsent.limit(AT_ONCE))).all()
        if not events:
            return
        try:
            await service.send([_sent(event, parent_id) for event, parent_id in events])
        except AnalyticsUnavailable as failure:
            log.warning("product events not sent", events=len(events), reason=str(failure))
            async with world.database.system() as session:
                await count_failure(session, ANALYTICS, "posthog", at=world.clock.now())
            return
        async with world.database.system() as session:
            taken = update(RecordedEvent).where(RecordedEvent.id.in_([event.id for event, _parent in events]))
            await session.execute(taken.values(sent_at=world.clock.now()))


def _sent(event: RecordedEvent, parent_id: UUID | None) -> AnalyticsEvent:
    """`event` as the service gets it: one of a further workspace is told of its account."""
    who = event.user_id or event.account_id or event.visitor or event.id
    return AnalyticsEvent(
        id=event.id,
        name=event.name,
        subject=str(who),
        is_person=event.user_id is not None,
        account_id=parent_id or event.account_id,
        properties=event.properties,
        at=event.at,
    )
