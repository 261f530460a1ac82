"""A worker: runs jobs and timers until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

import asyncpg
import structlog

from payflux.activation.alerting import keep_alerts_going, tell_alert
from payflux.activation.checkpoint_mails import mail_checkpoint
from payflux.activation.deletion import forget_member, sweep_up_account
from payflux.activation.domain_upkeep import look_domains_up
from payflux.activation.ending import connection_ended
from payflux.activation.evidence_exports import make_export, record_failed_export
from payflux.activation.evidence_reports import send_due_reports
from payflux.activation.keeping import keep_activations_going
from payflux.activation.mails import send_mail
from payflux.activation.pipeline import STEPS, Step, record_failure
from payflux.activation.reminding import send_due_reminders
from payflux.activation.retention.dropping import drop_what_is_over
from payflux.activation.scans import record_failed_scan, run_scan
from payflux.activation.sources import start_from_events
from payflux.activation.trial_notices import send_due_notices
from payflux.activation.watching import begin_sweep, read_due, read_workspace, record_unread, sweep_workspaces
from payflux.activation.weekly_summary import send_weekly_summaries
from payflux.frontdoor.accounts.bounces import delete_old_bounces
from payflux.frontdoor.accounts.factors.second_step import delete_ended_steps
from payflux.frontdoor.accounts.sessions import delete_ended_sessions
from payflux.frontdoor.accounts.verification.challenges import delete_old_challenges
from payflux.frontdoor.billing.applying import apply_stripe_event
from payflux.frontdoor.billing.moving import move_to_version
from payflux.frontdoor.billing.upkeep import (
    apply_due_stripe_events,
    follow_subscription,
    keep_up_with_stripe,
    reconcile_billing,
)
from payflux.frontdoor.funnel.jobs import send_product_events
from payflux.frontdoor.funnel.recording import delete_strangers_events
from payflux.frontdoor.sales.service import delete_old_leads
from payflux.frontdoor.staff.signing_in import delete_ended_staff_sessions
from payflux.kit.audit_check import verify_every_log
from payflux.kit.database import asyncpg_address
from payflux.kit.failures import JOB, count_failure
from payflux.kit.idempotency import forget_answers
from payflux.kit.jobs import HEARTBEAT_TIMEOUT, Handler, Payload, run_jobs
from payflux.kit.pools import COMMON_NAME
from payflux.monitor.alerts.delivering import KEPT_FOR, delete_old_deliveries, deliver_alert
from payflux.monitor.evidence.exporting import delete_expired_exports
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.processors.backfill.jobs import backfill_history, record_interruption
from payflux.monitor.processors.connecting.endpoint import create_webhook_endpoint
from payflux.monitor.processors.generic.applying import apply_posted_events, clean_deliveries, keep_sources_going
from payflux.monitor.processors.live.applying import apply_webhook_events
from payflux.monitor.processors.live.polling import poll_events
from payflux.monitor.processors.live.refreshing import catch_up, read_gap
from payflux.monitor.processors.live.upkeep import apply_due_events, clean_inbox, keep_connections_up_to_date
from payflux.monitor.processors.reconciling.jobs import reconcile_connection
from payflux.monitor.projections.jobs import score_projections
from payflux.monitor.scan.service import delete_expired_scans
from payflux.world.bootstrap import World

JOBS: dict[str, Step] = {
    job.__name__: job
    for job in (
        apply_posted_events,
        apply_stripe_event,
        apply_webhook_events,
        backfill_history,
        catch_up,
        connection_ended,
        create_webhook_endpoint,
        deliver_alert,
        follow_subscription,
        forget_member,
        make_export,
        move_to_version,
        poll_events,
        read_gap,
        read_workspace,
        reconcile_connection,
        run_scan,
        send_mail,
        start_from_events,
        sweep_up_account,
        sweep_workspaces,
        tell_alert,
    )
}
"""The jobs beside the pipeline's, by name."""

Timers = dict[str, tuple[str, Callable[[], Awaitable[None]]]]
"""What runs by the clock, by its name: when, as a cron expression in UTC, and what."""

log = structlog.get_logger(__name__)


async def work_until_stopped(world: World) -> None:
    """Run until SIGTERM or SIGINT; jobs under way are finished first."""
    shutdown = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, shutdown.set)
    await world.database.check()
    log.info("worker started", pool=world.settings.worker_pool or COMMON_NAME)
    try:
        await work(world, shutdown=shutdown)
    finally:
        await world.close()
        log.info("worker stopped")


async def work(
    world: World,
    *,
    shutdown: asyncio.Event | None = None,
    drain: bool = False,
    steps: Mapping[str, Step] = STEPS,
    heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT,
) -> None:
    """Run the jobs of the pool that the settings name until `shutdown` is set or, with `drain`, until none is left."""
    connection = await asyncpg.connect(asyncpg_address(world.database.urls.system))

    async def clean() -> None:
        async with world.database.system() as session:
            await delete_ended_sessions(session, now=world.clock.now())
            await delete_ended_staff_sessions(session, now=world.clock.now())
            await delete_ended_steps(session, now=world.clock.now())
            await delete_old_challenges(session, now=world.clock.now())
            await delete_expired_scans(session, now=world.clock.now())
            await delete_expired_exports(session, now=world.clock.now())
            await delete_old_leads(session, now=world.clock.now())
            await delete_strangers_events(session, now=world.clock.now())
            await forget_answers(session, now=world.clock.now())

    async def verify_logs() -> None:
        await verify_every_log(world.database)

    async def score() -> None:
        await score_projections(world)

    async def apply_due() -> None:
        await apply_due_events(world)
        await keep_sources_going(world)
        await read_due(world)

    async def keep_up() -> None:
        await keep_connections_up_to_date(world)

    async def follow_stripe() -> None:
        await keep_up_with_stripe(world)

    async def reconcile_with_stripe() -> None:
        await reconcile_billing(world)

    async def tidy() -> None:
        async with world.database.system() as session:
            await delete_old_deliveries(session, before=world.clock.now() - KEPT_FOR)
            await delete_old_bounces(session, now=world.clock.now())
        await clean_inbox(world)
        await clean_deliveries(world)

    pool = world.settings.worker_pool
    by_account: Timers = {
        "apply_due_events": ("* * * * *", apply_due),
        "drop_what_is_over": ("11 3 * * *", partial(drop_what_is_over, world)),
        "look_domains_up": ("29 4 * * *", partial(look_domains_up, world)),
        "keep_alerts_going": ("* * * * *", partial(keep_alerts_going, world)),
        "keep_activations_going": ("* * * * *", partial(keep_activations_going, world)),
        "keep_connections_up_to_date": ("*/5 * * * *", keep_up),
        "mail_checkpoint": ("20 * * * *", partial(mail_checkpoint, world)),
        "send_due_reminders": ("*/15 * * * *", partial(send_due_reminders, world)),
        "send_weekly_summaries": ("*/15 * * * *", partial(send_weekly_summaries, world)),
        "send_due_reports": ("*/15 * * * *", partial(send_due_reports, world)),
        "score_projections": ("37 * * * *", score),
    }
    for_everybody: Timers = {
        "apply_due_stripe_events": ("* * * * *", partial(apply_due_stripe_events, world)),
        "clean_inbox": ("47 3 * * *", tidy),
        "delete_ended_sessions": ("17 * * * *", clean),
        "keep_up_with_stripe": ("*/10 * * * *", follow_stripe),
        "reconcile_billing": ("41 1 * * *", reconcile_with_stripe),
        "send_due_notices": ("*/15 * * * *", partial(send_due_notices, world)),
        "send_product_events": ("* * * * *", partial(send_product_events, world)),
        "sign_ledger": ("5 0 * * *", partial(sign_tree, world)),
        "sweep": ("*/10 * * * *", partial(begin_sweep, world)),
        "verify_audit_logs": ("23 2 * * *", verify_logs),
    }
    try:
        await run_jobs(
            connection,
            {name: _handler(world, name, step) for name, step in {**JOBS, **steps}.items()},
            timers=by_account if pool else by_account | for_everybody,
            on_failure=partial(_record_failure, world),
            shutdown=shutdown,
            drain=drain,
            pool=pool,
            heartbeat_timeout=heartbeat_timeout,
        )
    finally:
        await connection.close()


def _handler(world: World, name: str, step: Step) -> Handler:
    async def handle(payload: Payload) -> None:
        with structlog.contextvars.bound_contextvars(job=name, workspace_id=payload.get("workspace_id")):
            await step(world, payload)
            log.info("job done")

    return handle


async def _record_failure(world: World, name: str, payload: Payload, error: Exception) -> None:
    await record_failure(world, name, payload, error)
    async with world.database.system() as session:
        await count_failure(session, JOB, name, at=world.clock.now())
    if name == backfill_history.__name__:
        await record_interruption(world, payload)
    if name == read_workspace.__name__:
        await record_unread(world, payload, error)
    if name == make_export.__name__:
        await record_failed_export(world, payload)
    if name == run_scan.__name__:
        await record_failed_scan(world, payload)
