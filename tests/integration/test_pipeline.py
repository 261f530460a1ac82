"""From connected to live: each step once, whatever happens to the worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from payflux.activation import service as activation
from payflux.activation.models import ActivationTransition, Workspace
from payflux.activation.pipeline import STEPS, Step
from payflux.activation.queries import activation_progress
from payflux.activation.states import ActivationState, Cause
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.jobs import Payload
from payflux.monitor.alerts.models import AlertRule
from payflux.monitor.ledger.exporting import export_ledger
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.verifying import verify_export
from payflux.monitor.processors.backfill.queries import backfill_progress
from payflux.monitor.processors.codes import COUNTED_KINDS
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.models import StoredEvent
from payflux.monitor.projections.models import ProjectionScoreRecord, ReserveProjectionRecord
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import SECRET
from tests.integration.funnel.reading import recorded_events
from tests.integration.killed_worker import run_until_killed
from tests.running import product_environment


async def connected_account(world: World, merchant: str) -> UUID:
    """An account in its trial, whose merchant has just been connected."""
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(
            session, name="Alice", email="alice@shop.example", password="quiet harbour lantern", now=now
        )
        await start_trial(session, account_id=account.id, now=now)
        await activation.create_workspace(session, account_id=account.id, name="Shop", now=now)
    await reconnect(world, account.id, user.id, merchant)
    return account.id


async def reconnect(world: World, account_id: UUID, user_id: UUID | None, merchant: str) -> None:
    authorized = await authorize_with_key(world, key=f"rk_test_sandbox_{merchant}")
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id)
        connection = await store_connection(
            session, world, authorized, account_id=account_id, workspace_id=workspace.id
        )
        await activation.begin_pipeline(session, workspace, connection, now=world.clock.now(), actor_id=user_id)


async def left_for_later(_world: World, _payload: Payload) -> None:
    """Older history has tests of its own; these do not wait for it."""


PIPELINE_ALONE = {**STEPS, "backfill_history": left_for_later}


async def work_off(world: World, steps: Mapping[str, Step] = PIPELINE_ALONE) -> None:
    async with asyncio.timeout(120):
        await work(world, drain=True, steps=steps, heartbeat_timeout=timedelta(seconds=1))


async def work_until_live(world: World, account_id: UUID) -> None:
    """Run a worker that takes over what a dead one left behind, until the workspace is live."""
    shutdown = asyncio.Event()
    worker = asyncio.create_task(
        work(world, shutdown=shutdown, steps=PIPELINE_ALONE, heartbeat_timeout=timedelta(seconds=1))
    )
    async with asyncio.timeout(60):
        while (await workspace_of(world, account_id)).activation_state != ActivationState.LIVE_MONITORED:  # noqa: ASYNC110 -- it lives in the database
            await asyncio.sleep(0.1)
    shutdown.set()
    await worker
    await work_off(world)


async def workspace_of(world: World, account_id: UUID) -> Workspace:
    async with world.database.tenant(account_id) as session:
        return await activation.get_workspace(session, account_id=account_id)


async def counts(world: World, account_id: UUID) -> dict[str, int]:
    """How much there is of everything the pipeline makes."""
    tables = {
        "events": StoredEvent,
        "surfaces": RiskSurfaceRecord,
        "projections": ReserveProjectionRecord,
        "alerts": AlertRule,
        "transitions": ActivationTransition,
    }
    async with world.database.tenant(account_id) as session:
        found = {
            name: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in tables.items()
        }
        found["different_events"] = (
            await session.execute(text("SELECT count(DISTINCT (connection_id, kind, source_id)) FROM payment_events"))
        ).scalar_one()
        # an account's changes are told by its snapshots, not read again from lists
        read = select(func.count()).where(StoredEvent.kind.in_(COUNTED_KINDS))
        found["read"] = (await session.execute(read)).scalar_one()
        kinds = select(LedgerArtifact.kind, func.count()).group_by(LedgerArtifact.kind)
        found |= {f"recorded {kind}": count for kind, count in await session.execute(kinds)}
    return found


async def test_older_history_that_came_in_before_is_read_as_soon_as_the_workspace_is_live(live_world: World) -> None:
    account_id = await connected_account(live_world, "healthy")
    await work_off(live_world, steps={**STEPS, "arm_default_alerts": left_for_later})
    assert (await counts(live_world, account_id))["projections"] == 1
    workspace = await workspace_of(live_world, account_id)
    payload = {"account_id": str(account_id), "workspace_id": str(workspace.id), "pull_id": str(workspace.pull_id)}
    await STEPS["arm_default_alerts"](live_world, payload)
    await work_off(live_world)
    async with live_world.database.tenant(account_id) as session:
        reasons = (await session.execute(select(RiskSurfaceRecord.reason).order_by(RiskSurfaceRecord.as_of))).scalars()
        assert list(reasons) == ["first", "history"]
        # the two say the same of the same day, which ends once
        scored = select(func.count(ProjectionScoreRecord.projection_id.distinct()))
        assert (await session.execute(scored)).scalar_one() == 1


async def test_a_connected_workspace_becomes_live_with_one_of_everything(live_world: World) -> None:
    account_id = await connected_account(live_world, "healthy")
    await work_off(live_world, steps=STEPS)
    workspace = await workspace_of(live_world, account_id)
    assert workspace.activation_state == ActivationState.LIVE_MONITORED
    async with live_world.database.tenant(account_id) as session:
        assert workspace.connection_id is not None
        older = await backfill_progress(session, account_id=account_id, connection_id=workspace.connection_id)
    assert older is not None
    assert older.finished_at is not None
    found = await counts(live_world, account_id)
    assert found["events"] == found["different_events"] > 100
    # and one more, once older history is in
    assert (found["surfaces"], found["projections"], found["alerts"], found["transitions"]) == (2, 2, 4, 4)
    async with live_world.database.tenant(account_id) as session:
        exported = export_ledger(live_world, session, account_id=account_id, workspace_id=workspace.id, last=4)
        lines = b"".join([piece async for piece in exported]).splitlines(keepends=True)
    assert verify_export(lines).artifacts == 4
    *named, envelope = (json.loads(line) for line in lines[1:])
    assert envelope["body"]["purpose"] == "activation"
    kinds = ("connection", "baseline", "projection")
    assert envelope["body"]["artifacts"] == [
        {"hash": each["hash"], "kind": kind, "sequence": each["sequence"]}
        for each, kind in zip(named, kinds, strict=True)
    ]
    moments = [
        workspace.entitled_at,
        workspace.connected_at,
        workspace.pulled_at,
        workspace.baseline_generated_at,
        workspace.first_projection_at,
        workspace.alert_policy_armed_at,
    ]
    assert moments == sorted(moment for moment in moments if moment)
    async with live_world.database.tenant(account_id) as session:
        progress = await activation_progress(session, account_id=account_id, now=live_world.clock.now())
    assert progress.done
    assert [stage.state for stage in progress.stages] == ["done"] * 4
    assert "charges" in progress.stages[0].count
    events = await recorded_events(live_world)
    assert [event.name for event in events] == [
        "trial_started",
        "processor_connected",
        "first_projection_made",
        "live_monitoring_started",
    ]
    assert {event.account_id for event in events} == {account_id}


@pytest.mark.parametrize(
    ("step", "point"),
    [(step, point) for step in STEPS for point in ("start", "inside", "end")]
    + [("pull_processor_events", "3"), ("pull_processor_events", "9"), ("pull_processor_events", "17")],
)
async def test_a_killed_worker_loses_nothing_and_does_nothing_twice(
    live_world: World, owner_url: str, sandbox_url: str, step: str, point: str
) -> None:
    account_id = await connected_account(live_world, "healthy")
    environment = product_environment(
        live_world.settings.data_dir,
        DATABASE_URL=owner_url,
        PAYFLUX_SECRET_KEY=SECRET,
        STRIPE_SECRET_KEY="sk_test_sandbox",
        STRIPE_CLIENT_ID="ca_sandbox",
        STRIPE_API_BASE=sandbox_url,
        STRIPE_CONNECT_BASE=sandbox_url,
    )
    await run_until_killed(environment, step, point)
    await work_until_live(live_world, account_id)
    after_the_kill = await counts(live_world, account_id)
    made = (after_the_kill["surfaces"], after_the_kill["projections"], after_the_kill["alerts"])
    assert (*made, after_the_kill["transitions"]) == (1, 1, 4, 4)
    recorded = {name: count for name, count in after_the_kill.items() if name.startswith("recorded")}
    assert recorded == {f"recorded {kind}": 1 for kind in ("connection", "baseline", "projection", "envelope")}
    if step == "pull_processor_events":
        async with live_world.database.tenant(account_id) as session:
            workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
            await activation.leave_connection(
                session, workspace, Cause.DISCONNECTED, now=live_world.clock.now(), actor_id=None
            )
            await session.execute(text("DELETE FROM payment_events"))
            # else what is older than 90 days would be taken for read
            await session.execute(text("UPDATE processor_connections SET history_from = NULL, synced_through = NULL"))
        await reconnect(live_world, account_id, None, "healthy")
        await work_off(live_world)
        assert after_the_kill["read"] == (await counts(live_world, account_id))["read"] > 100


async def test_a_step_of_an_earlier_connection_changes_nothing(live_world: World) -> None:
    account_id = await connected_account(live_world, "healthy")
    async with live_world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        await activation.leave_connection(session, workspace, Cause.CANCELED, now=live_world.clock.now(), actor_id=None)
    await work_off(live_world)
    workspace = await workspace_of(live_world, account_id)
    assert workspace.activation_state == ActivationState.PAID_UNCONNECTED
    assert (await counts(live_world, account_id))["surfaces"] == 0


async def test_an_account_that_was_taken_away_is_a_problem_in_words_and_not_a_retry(live_world: World) -> None:
    account_id = await connected_account(live_world, "healthy")
    broken = live_world.settings.model_copy(update={"stripe_api_base": live_world.settings.stripe_api_base + "/gone"})
    await work_off(replace(live_world, settings=broken))
    workspace = await workspace_of(live_world, account_id)
    assert workspace.problem
    assert all(workspace.problem[key] for key in ("title", "what_happened", "what_is_safe", "what_to_do"))
    assert workspace.activation_state == ActivationState.CONNECTED_GENERATING


async def test_a_dead_network_is_tried_again_and_the_pipeline_goes_on_from_where_it_stopped(live_world: World) -> None:
    account_id = await connected_account(live_world, "healthy")
    async with live_world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        workspace.problem = {"code": "x", "title": "x", "what_happened": "x", "what_is_safe": "x", "what_to_do": "x"}
    await work_off(live_world)
    assert (await workspace_of(live_world, account_id)).activation_state == ActivationState.LIVE_MONITORED
