"""Every six hours everything live is looked at, whatever becomes of one workspace, a worker or the night."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from payflux.activation import watching
from payflux.activation.watching import begin_sweep, sweep_workspaces, window_of
from payflux.monitor.risk.sweep.models import Sweep
from payflux.monitor.risk.sweep.service import SWEEP_LOCK
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.watching.conftest import DAY, START, Shop, account_state, open_shop

HOUR = timedelta(hours=1)


async def swept(shop: Shop) -> int:
    """Begin the sweep, if it is time to, and run its jobs; how many there were."""
    await begin_sweep(shop.world)
    jobs = await shop.jobs("sweep_workspaces")
    for job in jobs:
        await sweep_workspaces(shop.world, job)
    return len(jobs)


async def pass_time(shop: Shop, by: timedelta) -> None:
    """Let time pass in which the processor told nothing new."""
    shop.clock.move(by)
    await shop.set_connection(polled_through=shop.now)


async def test_a_window_has_one_sweep(shop: Shop) -> None:
    assert [await swept(shop), await swept(shop)] == [1, 0]
    await pass_time(shop, 5 * HOUR)
    assert await swept(shop) == 0
    await pass_time(shop, HOUR)
    assert await swept(shop) == 1


async def test_windows_that_nobody_was_there_for_are_swept_once(shop: Shop) -> None:
    await swept(shop)
    await pass_time(shop, 3 * DAY)
    assert [await swept(shop), await swept(shop)] == [1, 0]
    async with shop.world.database.system() as session:
        windows = (await session.execute(select(Sweep.window_start).order_by(Sweep.window_start))).scalars().all()
    assert windows == [START, START + 3 * DAY]


async def test_a_workspace_that_nothing_happened_in_is_looked_at_and_said_to_be_the_same(shop: Shop) -> None:
    await pass_time(shop, HOUR)
    await swept(shop)
    assert await shop.reasons() == ["first"]
    assert (await shop.state()).read_at == shop.now
    await pass_time(shop, DAY)
    await swept(shop)
    assert await shop.reasons() == ["first", "sweep"]  # of another day


async def test_one_that_was_read_within_the_window_is_left_alone_unless_its_rates_have_moved(shop: Shop) -> None:
    await swept(shop)
    await pass_time(shop, 5 * HOUR)
    await shop.tell(state=account_state(shop.now, past_due=("external_account",)))
    await shop.read()
    await pass_time(shop, 2 * HOUR)
    assert await swept(shop) == 0
    await pass_time(shop, 4 * HOUR)
    await shop.tell(state=account_state(shop.now))
    await shop.read()
    await pass_time(shop, 2 * HOUR)  # past midnight, where every rate of a window moves on by a day
    assert await swept(shop) == 1


async def test_one_workspace_that_fails_is_recorded_and_stops_no_other(
    world: World, clock: MovedClock, shop: Shop
) -> None:
    others = [await open_shop(world, clock, name, sales_a_day=1) for name in ("bob", "charlie")]
    await swept(shop)
    clock.move(DAY)
    for each in (shop, *others):
        await each.set_connection(polled_through=clock.now())
    broken = {"account": {"taken_at": "never"}}
    await shop.set_connection(snapshot=broken)
    assert await swept(shop) == 1
    assert [await each.reasons() for each in others] == [["first", "sweep"]] * 2
    assert await shop.reasons() == ["first"]
    state = await shop.state()
    assert (state.failed_at, state.failure) == (clock.now(), "ValidationError")
    await shop.set_connection(snapshot={})
    await pass_time(shop, 6 * HOUR)
    await swept(shop)
    assert await shop.reasons() == ["first", "sweep"]
    assert (await shop.state()).failed_at is None


async def test_a_shard_that_is_run_again_reads_nobody_twice(shop: Shop) -> None:
    await pass_time(shop, DAY)
    await begin_sweep(shop.world)
    (job,) = await shop.jobs("sweep_workspaces")
    await sweep_workspaces(shop.world, job)
    read_at = (await shop.state()).read_at
    shop.clock.move(timedelta(minutes=1))
    await sweep_workspaces(shop.world, job)
    assert (await shop.state()).read_at == read_at


async def test_a_workspace_that_is_not_live_is_in_no_sweep(shop: Shop) -> None:
    await shop.set_workspace(live_monitored_at=None)
    assert await swept(shop) == 0


async def test_a_sweep_is_split_into_jobs_that_any_worker_takes(
    world: World, clock: MovedClock, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SHARD", 2)
    shops = [shop, *[await open_shop(world, clock, name, sales_a_day=1) for name in ("bob", "charlie")]]
    await begin_sweep(world)
    jobs = await shop.jobs("sweep_workspaces")
    assert sorted(len(job["accounts"].split()) for job in jobs) == [1, 2]
    await asyncio.gather(*(sweep_workspaces(world, job) for job in jobs))
    assert {(await each.state()).read_at for each in shops} == {clock.now()}


async def test_two_workers_that_begin_a_sweep_at_once_begin_one(shop: Shop) -> None:
    await asyncio.gather(*(begin_sweep(shop.world) for _ in range(3)))
    assert len(await shop.jobs("sweep_workspaces")) == 1


async def test_while_another_worker_reads_the_rates_no_sweep_begins_that_would_leave_out_what_has_moved(
    shop: Shop,
) -> None:
    async with shop.world.database.system() as session:
        await session.execute(select(func.pg_advisory_xact_lock(SWEEP_LOCK)))
        await begin_sweep(shop.world)
        assert (await session.execute(select(Sweep.window_start))).all() == []
    assert await swept(shop) == 1


async def test_an_account_that_was_deleted_meanwhile_stops_nobody(shop: Shop) -> None:
    job = {"began_at": shop.now.isoformat(), "accounts": f"{uuid4()} {shop.account_id}"}
    await sweep_workspaces(shop.world, job)
    assert (await shop.state()).read_at == shop.now


def test_windows_begin_at_midnight_six_noon_and_six_of_utc() -> None:
    starts = {window_of(datetime(2026, 11, 21, hour, 59, tzinfo=UTC)).hour for hour in range(24)}
    assert starts == {0, 6, 12, 18}
