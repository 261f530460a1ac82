"""Older history: read in the background, slice by slice, whatever comes in between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, text, update

from payflux.kit.clock import SystemClock
from payflux.kit.jobs import Payload, Permanent
from payflux.monitor.processors.backfill.jobs import backfill_history
from payflux.monitor.processors.backfill.queries import BackfillProgress, backfill_progress
from payflux.monitor.processors.backfill.rules import ALLOWANCE_PAUSE, reads_allowed
from payflux.monitor.processors.backfill.service import interrupted, resume_backfill, start_backfill
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.live.refreshing import catch_up
from payflux.monitor.processors.models import Connection, DailyRollup, HistoryPull, PullPurpose, PullWindow
from payflux.monitor.processors.planning import HISTORY
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.monitor.processors.queries import get_connection, get_pull, read_events
from payflux.monitor.processors.rollups import roll_up, unpack_rollup
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.integration.processors.conftest import Shop
from tests.integration.processors.test_pull import listed_by_stripe, source_ids

MERCHANT = "low_activity"


class HurryingClock(SystemClock):
    """Two seconds go by whenever somebody asks for the time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        self._ahead += timedelta(seconds=2)
        return super().now() + self._ahead


async def first_pulled(shop: Shop, merchant: str = MERCHANT) -> tuple[Connection, HistoryPull]:
    """A connection whose last 90 days are read, and the plan for what is older."""
    first = await shop.plan(await shop.connect(merchant))
    await run_pull(shop.world, shop.account_id, first.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        connection = await get_connection(session, account_id=shop.account_id, connection_id=first.connection_id)
        pull = await start_backfill(session, connection, first, shop.world.clock.now())
    assert pull is not None
    return connection, pull


async def waiting(world: World) -> list[tuple[Payload, datetime]]:
    """The slices that wait, with the time of each, taken off the queue."""
    async with world.database.system() as session:
        query = text("DELETE FROM pgqueuer WHERE entrypoint = 'backfill_history' RETURNING payload, execute_after")
        return [(json.loads(payload), at) for payload, at in await session.execute(query)]


async def run_slice(shop: Shop, world: World | None = None) -> bool:
    """Run the slice that waits; False when there is none."""
    found = await waiting(shop.world)
    if found:
        ((payload, _),) = found
        await backfill_history(world or shop.world, payload)
    return bool(found)


async def progress(shop: Shop, connection: Connection) -> BackfillProgress:
    async with shop.world.database.tenant(shop.account_id) as session:
        found = await backfill_progress(session, account_id=shop.account_id, connection_id=connection.id)
    assert found is not None
    return found


async def stored(shop: Shop, connection: Connection) -> Connection:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await get_connection(session, account_id=shop.account_id, connection_id=connection.id)


async def test_older_history_is_read_in_slices_the_newest_first_to_thirteen_months(shop: Shop) -> None:
    connection, pull = await first_pulled(shop)
    hurried = replace(shop.world, clock=HurryingClock())
    seen = [(await progress(shop, connection)).read_back_to]
    while await run_slice(shop, hurried):
        seen.append((await progress(shop, connection)).read_back_to)
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) > 4
    assert seen[0] - timedelta(seconds=1) == pull.to_at
    done = await progress(shop, connection)
    assert done.read_back_to == done.goal == pull.from_at
    assert done.finished_at is not None
    assert done.problem == ""
    whole = HistoryPull(from_at=pull.from_at, to_at=pull.to_at + timedelta(days=90))
    for kind, path in ((Kind.CHARGE, "/v1/charges"), (Kind.REFUND, "/v1/refunds"), (Kind.PAYOUT, "/v1/payouts")):
        assert await source_ids(shop, kind) == await listed_by_stripe(shop, MERCHANT, path, whole)


async def test_rollups_reach_as_far_back_as_the_history(shop: Shop) -> None:
    connection, pull = await first_pulled(shop)
    while await run_slice(shop):
        pass
    async with shop.world.database.tenant(shop.account_id) as session:
        events = await read_events(
            session,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            since=(pull.to_at + timedelta(days=90) - HISTORY).replace(hour=0, minute=0, second=0),
            until=shop.world.clock.now(),
        )
        (row,) = (await session.execute(select(DailyRollup))).scalars()
    (expected,) = roll_up(events)
    assert unpack_rollup(row.currency, row.first_day, row.days, row.vector).vector == expected.vector
    assert (await stored(shop, connection)).event_count >= len(events)


async def test_a_disconnect_stops_it_and_nothing_is_asked_any_more(shop: Shop) -> None:
    connection, _ = await first_pulled(shop)
    assert await run_slice(shop, replace(shop.world, clock=HurryingClock()))
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(update(Connection).values(status="disconnected"))
    asked = len(shop.network.requests)
    assert await run_slice(shop)
    assert len(shop.network.requests) == asked
    assert not await waiting(shop.world)
    assert (await progress(shop, connection)).finished_at is None


@pytest.mark.parametrize(
    ("status", "error"), [(401, {"type": "invalid_request_error"}), (403, {"code": "account_invalid"})]
)
async def test_access_that_is_gone_ends_it_with_the_connection(shop: Shop, status: int, error: dict[str, str]) -> None:
    connection, _ = await first_pulled(shop)
    shop.network.refuse = lambda _request: httpx.Response(status, json={"error": error})
    while await run_slice(shop):
        pass
    ended = await stored(shop, connection)
    assert (ended.status, ended.disconnected_by) == ("disconnected", "processor")


async def test_a_request_that_stripe_refuses_ends_it_with_a_problem(shop: Shop) -> None:
    connection, _ = await first_pulled(shop)
    shop.network.refuse = lambda _request: httpx.Response(400, json={"error": {"code": "parameter_unknown"}})
    with pytest.raises(Permanent):
        await run_slice(shop)
    assert (await progress(shop, connection)).problem == "RequestRefused"
    assert not await waiting(shop.world)


async def test_a_slice_that_is_given_up_is_said_and_read_on_with_the_next_catch_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, _ = await first_pulled(shop)
    monkeypatch.setattr("payflux.kit.jobs.MAX_ATTEMPTS", 0)

    async def break_down(_world: World, _payload: Payload) -> None:
        raise RuntimeError("a mistake of ours")

    async with shop.world.database.system() as session:
        await session.execute(text("DELETE FROM pgqueuer WHERE entrypoint <> 'backfill_history'"))
        await session.execute(text("UPDATE pgqueuer SET execute_after = now()"))
    await work(shop.world, drain=True, steps={"backfill_history": break_down})
    assert (await progress(shop, connection)).interrupted
    assert not await waiting(shop.world)
    await catch_up(shop.world, {"account_id": str(shop.account_id), "connection_id": str(connection.id)})
    while await run_slice(shop):
        pass
    done = await progress(shop, connection)
    assert (done.problem, done.read_back_to) == ("", done.goal)


async def test_a_slice_that_waits_is_not_added_again_and_one_that_got_lost_is(shop: Shop) -> None:
    connection, pull = await first_pulled(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        await resume_backfill(session, connection)
    ((payload, _),) = await waiting(shop.world)
    assert payload["slice"] == "1"
    async with shop.world.database.tenant(shop.account_id) as session:
        await resume_backfill(session, connection)
    assert len(await waiting(shop.world)) == 1
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(update(HistoryPull).where(HistoryPull.id == pull.id).values(problem="RequestRefused"))
        await interrupted(session, account_id=shop.account_id, pull_id=pull.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        await resume_backfill(session, connection)
    assert not await waiting(shop.world)


async def test_a_slice_that_runs_twice_reads_nothing_twice_and_has_one_successor(shop: Shop) -> None:
    connection, pull = await first_pulled(shop)
    ((payload, _),) = await waiting(shop.world)
    worlds = [replace(shop.world, clock=HurryingClock()) for _ in range(2)]
    await asyncio.gather(*(backfill_history(world, payload) for world in worlds))
    assert len(await waiting(shop.world)) == 1
    await run_pull(shop.world, shop.account_id, pull.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        rows = (await session.execute(select(PullWindow).where(PullWindow.resource == "charges"))).scalars().all()
    assert sum(row.objects for row in rows) == len(await source_ids(shop, Kind.CHARGE))
    assert (await progress(shop, connection)).finished_at is not None


async def test_when_the_months_reads_are_used_up_it_goes_on_tomorrow(shop: Shop) -> None:
    await first_pulled(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(update(PullWindow).where(PullWindow.resource == "charges").values(pages=10**9))
    asked = len(shop.network.requests)
    assert await run_slice(shop)
    assert len(shop.network.requests) == asked
    ((_, at),) = await waiting(shop.world)
    assert at > shop.world.clock.now() + ALLOWANCE_PAUSE - timedelta(hours=1)


async def test_who_connects_again_is_not_read_anew_where_nothing_is_missing(shop: Shop) -> None:
    connection, _ = await first_pulled(shop)
    while await run_slice(shop):
        pass
    again = await shop.plan(await stored(shop, connection))
    await run_pull(shop.world, shop.account_id, again.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        joined = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        assert await start_backfill(session, joined, again, shop.world.clock.now()) is None


async def test_what_lies_before_a_long_pause_is_not_taken_for_whole(shop: Shop) -> None:
    connection, pull = await first_pulled(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        earlier = {"history_from": pull.from_at, "synced_through": pull.to_at - timedelta(days=30)}
        await session.execute(update(Connection).values(**earlier))
    again = await shop.plan(await stored(shop, connection))
    await run_pull(shop.world, shop.account_id, again.id)
    found = await stored(shop, connection)
    assert (found.history_from, found.synced_through) == (again.from_at, again.to_at)


@pytest.mark.parametrize(("days_ago", "joined"), [(1, True), (0, False)])
async def test_a_gap_that_is_read_joins_what_was_known_to_its_end(shop: Shop, days_ago: int, joined: bool) -> None:
    connection, _ = await first_pulled(shop)
    before = (await stored(shop, connection)).synced_through
    assert before is not None
    async with shop.world.database.tenant(shop.account_id) as session:
        until = before + timedelta(hours=3)
        since = before - timedelta(days=days_ago) if joined else before + timedelta(hours=1)
        gap = await start_pull(
            session, connection, shop.world.clock.now(), since=since, until=until, purpose=PullPurpose.GAP
        )
    assert await run_pull(shop.world, shop.account_id, gap.id)
    assert (await stored(shop, connection)).synced_through == (until if joined else before)
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await get_pull(session, account_id=shop.account_id, pull_id=gap.id)).finished_at is not None


def test_half_of_what_stripe_allows_is_ours() -> None:
    assert [reads_allowed(transactions) for transactions in (0, 20, 1000)] == [5_000, 5_000, 250_000]
