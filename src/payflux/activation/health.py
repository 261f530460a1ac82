"""How the whole installation does, as its database knows it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.frontdoor.billing.models import StripeEvent
from payflux.frontdoor.funnel.models import RecordedEvent
from payflux.kit.failures import ANALYTICS, JOB, MAIL, FailureCount
from payflux.kit.jobs import waiting_jobs
from payflux.kit.metrics import Reading
from payflux.kit.pools import COMMON, COMMON_NAME, isolated_accounts
from payflux.monitor.alerts.models import AlertDelivery
from payflux.monitor.risk.sweep.models import Sweep
from payflux.world.analytics import analytics_of
from payflux.world.bootstrap import World

STUCK_AFTER = timedelta(minutes=30)
"""A connected workspace that has failed, or shown nothing, for so long is stuck."""

_FAILED = {
    JOB: ("payflux_jobs_dead", "job", "Jobs that were given up.", ["send_mail"]),
    MAIL: (
        "payflux_mail_failures",
        "mail",
        "Attempts to send a mail that failed.",
        ["verify_address", "account_invite"],
    ),
    ANALYTICS: ("payflux_analytics_failures", "service", "Batches of product events that were not taken.", ["posthog"]),
}
"""By kind: the counter, its label, what it counts, and of what it tells a zero, without which no rise would show."""


async def health_readings(session: AsyncSession, world: World) -> list[Reading]:
    """What `/metrics` tells beside a process' own counters. As the system role."""
    now = world.clock.now()
    readings = [
        Reading("payflux_activations_stuck", "Workspaces held up on their way to live.", await _stuck(session, now)),
        Reading(
            "payflux_sweep_age_seconds", "Since the last sweep over all workspaces began.", await _age(session, now)
        ),
        *await _counted(session, now),
        await _unsent(session, world),
        *await _failures(session),
    ]
    return readings + await _queue(session)


async def _queue(session: AsyncSession) -> list[Reading]:
    """The queue, by job and by pool of workers."""
    jobs = await waiting_jobs(session)
    number: Counter[str] = Counter()
    pools = {COMMON, *(await isolated_accounts(session)).values(), *(job.pool for job in jobs)}
    overdue = dict.fromkeys(sorted(pools), 0.0)
    for job in jobs:
        number[job.name] += job.number
        overdue[job.pool] = max(overdue[job.pool], job.seconds_overdue)
    late = "How late the most overdue job of a pool of workers is."
    waiting = "Jobs that wait or run."
    return [
        Reading("payflux_job_overdue_seconds", "How late the most overdue job is.", max(overdue.values())),
        *(
            Reading("payflux_pool_overdue_seconds", late, seconds, ("pool", pool or COMMON_NAME))
            for pool, seconds in overdue.items()
        ),
        *(
            Reading("payflux_jobs_waiting", waiting, many, ("job", name))
            for name, many in (number or {"none": 0}).items()
        ),
    ]


async def _failures(session: AsyncSession) -> list[Reading]:
    counted = select(FailureCount.kind, FailureCount.label, func.sum(FailureCount.number))
    found = dict.fromkeys(((kind, which) for kind, (*_, always) in _FAILED.items() for which in always), 0.0)
    for kind, which, number in await session.execute(counted.group_by(FailureCount.kind, FailureCount.label)):
        found[kind, which] = float(number)
    return [
        Reading(_FAILED[kind][0], _FAILED[kind][2], number, (_FAILED[kind][1], which), is_counter=True)
        for (kind, which), number in found.items()
    ]


async def _stuck(session: AsyncSession, now: datetime) -> int:
    since = func.coalesce(Workspace.failing_since, Workspace.connected_at)
    stuck = select(func.count()).where(
        Workspace.pull_id.is_not(None), Workspace.live_monitored_at.is_(None), since <= now - STUCK_AFTER
    )
    return (await session.execute(stuck)).scalar_one()


async def _age(session: AsyncSession, now: datetime) -> float:
    """Seconds since the last sweep; 0 where there was none yet, for then there is nothing to read anew."""
    began = (await session.execute(select(func.max(Sweep.began_at)))).scalar_one()
    return (now - began).total_seconds() if began else 0.0


async def _counted(session: AsyncSession, now: datetime) -> list[Reading]:
    undelivered = select(func.count()).where(AlertDelivery.state == "waiting", AlertDelivery.due_at <= now)
    failed = select(func.count()).where(StripeEvent.state == "failed")
    return [
        Reading(name, words, (await session.execute(query)).scalar_one())
        for name, words, query in (
            ("payflux_alerts_undelivered", "Deliveries of alerts that are due and not out.", undelivered),
            ("payflux_billing_events_failed", "Events of our billing that were given up.", failed),
        )
    ]


async def _unsent(session: AsyncSession, world: World) -> Reading:
    """Zero where there is no service that they should go to."""
    waiting = select(func.count()).where(RecordedEvent.sent_at.is_(None))
    number = (await session.execute(waiting)).scalar_one() if analytics_of(world.settings, world.http) else 0
    return Reading("payflux_product_events_unsent", "Product events that the analytics service has not.", number)
