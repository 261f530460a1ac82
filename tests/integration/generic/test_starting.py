"""From posted events to live: it begins by itself once enough are in, and only then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from payflux.activation.sources import TooFewPayments, compute_from_stored, start_from_events
from payflux.activation.states import ActivationState
from payflux.app import create_app
from payflux.monitor.processors.connecting.ending import disconnect
from payflux.monitor.processors.generic.applying import QUIET, apply_waiting, keep_sources_going
from payflux.monitor.processors.generic.connecting import connect_source
from payflux.monitor.processors.models import DailyRollup
from payflux.monitor.processors.rollups import METRICS, unpack_rollup
from payflux.monitor.projections.queries import projection_of_pull
from payflux.monitor.risk.queries import surface_of_pull
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.generic.sending import Source, connection_of, merchant_history, send, source_of
from tests.integration.test_pipeline import work_off, workspace_of


async def sent(world: World, source: Source, count: int) -> None:
    now, app = world.clock.now(), create_app(world)
    history = merchant_history(now, count)
    for start in range(0, count, 300):
        answer = await send(app, source, history[start : start + 300], now, message_id=f"msg_{start}")
        assert answer.status_code == 200, answer.text


async def test_the_pipeline_goes_on_when_the_first_events_are_in(world: World, clock: MovedClock) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 900)
    await work_off(world)
    await keep_sources_going(world)
    await work_off(world)
    assert (await workspace_of(world, alice.account_id)).activation_state == ActivationState.PAID_UNCONNECTED
    clock.move(QUIET)
    await keep_sources_going(world)
    await work_off(world)
    workspace = await workspace_of(world, alice.account_id)
    assert workspace.activation_state == ActivationState.LIVE_MONITORED
    assert workspace.pull_id is not None
    async with world.database.tenant(alice.account_id) as session:
        surface = await surface_of_pull(session, account_id=alice.account_id, pull_id=workspace.pull_id)
        projection = await projection_of_pull(session, account_id=alice.account_id, pull_id=workspace.pull_id)
    assert surface is not None
    assert projection is not None
    assert surface.event_count == 900
    assert [window.horizon_days for window in projection.windows] == [30, 60, 90]


async def test_too_few_payments_begin_nothing(world: World, clock: MovedClock) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 20)
    clock.move(QUIET)
    await work_off(world)
    await keep_sources_going(world)
    await work_off(world)
    workspace = await workspace_of(world, alice.account_id)
    assert workspace.activation_state == ActivationState.PAID_UNCONNECTED
    connection = await connection_of(world, alice)
    async with world.database.tenant(alice.account_id) as session:
        with pytest.raises(TooFewPayments):
            await compute_from_stored(session, workspace, connection, now=clock.now(), actor_id=alice.user_id)


async def test_nothing_begins_by_itself_once_the_trial_is_over(world: World, clock: MovedClock) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 200)
    await work_off(world)
    clock.move(timedelta(days=30))
    await keep_sources_going(world)
    await work_off(world)
    assert (await workspace_of(world, alice.account_id)).activation_state == ActivationState.PAID_UNCONNECTED


async def test_a_history_that_ended_long_ago_is_judged_as_of_its_last_day(world: World, clock: MovedClock) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 200)
    await work_off(world)
    last = (await connection_of(world, alice)).last_event_at
    assert last is not None
    clock.move(timedelta(days=12))
    await keep_sources_going(world)
    await work_off(world)
    workspace = await workspace_of(world, alice.account_id)
    assert workspace.pull_id is not None
    async with world.database.tenant(alice.account_id) as session:
        surface = await surface_of_pull(session, account_id=alice.account_id, pull_id=workspace.pull_id)
    assert surface is not None
    assert surface.as_of.date() == last.date()


async def test_what_begins_takes_in_everything_that_was_accepted_before(world: World) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 600)
    payload = {"account_id": str(alice.account_id), "connection_id": str(alice.connection_id)}
    await start_from_events(world, payload)
    connection = await connection_of(world, alice)
    assert connection.event_count == 600
    assert (await workspace_of(world, alice.account_id)).connection_id == connection.id


async def test_what_is_applied_after_the_processor_was_stopped_is_stored_but_in_no_figure(world: World) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 100)
    async with world.database.tenant(alice.account_id) as session:
        await disconnect(session, account_id=alice.account_id, connection_id=alice.connection_id, now=world.clock.now())
    await apply_waiting(world, account_id=alice.account_id, connection_id=alice.connection_id)
    assert (await connection_of(world, alice)).event_count == 100
    async with world.database.tenant(alice.account_id) as session:
        assert (await session.execute(select(DailyRollup))).scalars().all() == []


async def test_a_processor_that_was_stopped_and_set_up_again_goes_on_where_it_was(world: World) -> None:
    alice = await source_of(world, "Alice")
    await sent(world, alice, 300)
    await work_off(world)
    async with world.database.tenant(alice.account_id) as session:
        await disconnect(session, account_id=alice.account_id, connection_id=alice.connection_id, now=world.clock.now())
    now, app = world.clock.now(), create_app(world)
    assert (await send(app, alice, merchant_history(now, 1), now, message_id="late")).status_code == 404
    async with world.database.tenant(alice.account_id) as session:
        again, secret = await connect_source(
            session,
            world,
            account_id=alice.account_id,
            workspace_id=alice.workspace_id,
            name="ADYEN ",
            actor_id=alice.user_id,
        )
    assert again.id == alice.connection_id
    old = await send(app, alice, merchant_history(now, 1), now, message_id="late")
    new = await send(app, alice, merchant_history(now, 1), now, message_id="late", secret=secret)
    assert [old.status_code, new.status_code] == [400, 200]
    payload = {"account_id": str(alice.account_id), "connection_id": str(alice.connection_id)}
    await start_from_events(world, payload)
    async with world.database.tenant(alice.account_id) as session:
        rows = await session.execute(select(DailyRollup))
        rolled = [unpack_rollup(row.currency, row.first_day, row.days, row.vector) for row in rows.scalars()]
    assert sum(int(rollup.matrix[:, METRICS.index("events")].sum()) for rollup in rolled) == 300
