"""Pulling a history from the sandbox into PostgreSQL, and being interrupted while doing so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import numpy as np
import pytest
from sqlalchemy import func, select, text

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.processors.models import Connection, DailyRollup, HistoryPull, PullWindow, StoredEvent
from payflux.monitor.processors.pull import pull_progress, run_pull
from payflux.monitor.processors.queries import count_events, get_connection, history_of_pull, last_pulled_at
from payflux.monitor.processors.reading import PullTakenOver
from payflux.monitor.processors.rollups import METRICS, roll_up, unpack_rollup
from payflux.world.stripe import Disconnected, KeyRefused, PermissionMissing, RequestRefused
from tests.integration.processors.conftest import Shop, refuse_after


async def history(shop: Shop, pull: HistoryPull) -> np.ndarray:
    async with shop.world.database.tenant(shop.account_id) as session:
        return (await history_of_pull(session, account_id=shop.account_id, pull_id=pull.id)).events


async def connection_of(shop: Shop, pull: HistoryPull) -> Connection:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await get_connection(session, account_id=shop.account_id, connection_id=pull.connection_id)


async def progress(shop: Shop, pull: HistoryPull) -> dict[str, int]:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await pull_progress(session, pull.id)


async def source_ids(shop: Shop, kind: Kind) -> set[str]:
    async with shop.world.database.tenant(shop.account_id) as session:
        query = select(StoredEvent.source_id).where(StoredEvent.kind == kind)
        return set((await session.execute(query)).scalars())


async def listed_by_stripe(shop: Shop, merchant: str, path: str, pull: HistoryPull) -> set[str]:
    """The ids that a plain client finds page by page, one window, nothing at the same time."""
    found: list[str] = []
    params: dict[str, str | int] = {
        "limit": 100,
        "created[gte]": int(pull.from_at.timestamp()),
        "created[lte]": int(pull.to_at.timestamp()),
    }
    while True:
        response = await shop.world.http.get(
            shop.world.settings.stripe_api_base + path,
            params=params,
            headers={"Authorization": f"Bearer rk_test_sandbox_{merchant}"},
        )
        page = response.json()
        found += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            assert len(found) == len(set(found))
            return set(found)
        params["starting_after"] = found[-1]


async def test_a_pull_brings_exactly_what_stripe_lists(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("default"))
    await run_pull(shop.world, shop.account_id, pull.id)
    for kind, path in (
        (Kind.CHARGE, "/v1/charges"),
        (Kind.REFUND, "/v1/refunds"),
        (Kind.DISPUTE, "/v1/disputes"),
        (Kind.EARLY_FRAUD_WARNING, "/v1/radar/early_fraud_warnings"),
        (Kind.PAYOUT, "/v1/payouts"),
    ):
        expected = await listed_by_stripe(shop, "default", path, pull)
        assert expected
        assert await source_ids(shop, kind) == expected


async def test_progress_state_and_rollups_tell_the_same_numbers(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("healthy"))
    assert set((await progress(shop, pull)).values()) == {0}
    await run_pull(shop.world, shop.account_id, pull.id)
    events = await history(shop, pull)
    read = await progress(shop, pull)
    connection = await connection_of(shop, pull)
    async with shop.world.database.tenant(shop.account_id) as session:
        counts = await count_events(session, account_id=shop.account_id, connection_id=connection.id)
        rollup = (await session.execute(select(DailyRollup))).scalar_one()
        assert await last_pulled_at(session, account_id=shop.account_id, connection_id=connection.id) == pull.to_at
    assert events.dtype == EVENT_DTYPE
    assert connection.event_count == len(events) == sum(counts.values())
    assert connection.last_event_at is not None
    assert connection.last_event_at.timestamp() == events["at"].max()
    assert (read["charges"], read["refunds"]) == (counts[Kind.CHARGE], counts[Kind.REFUND])
    unpacked = unpack_rollup(rollup.currency, rollup.first_day, rollup.days, rollup.vector)
    (expected,) = roll_up(events)
    assert np.array_equal(unpacked.matrix, expected.matrix)
    assert unpacked.matrix[:, METRICS.index("payments")].sum() > 1000


async def test_the_history_carries_the_account_and_the_instant_it_was_taken(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("not_ready"))
    await run_pull(shop.world, shop.account_id, pull.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        taken = await history_of_pull(session, account_id=shop.account_id, pull_id=pull.id)
    assert taken.as_of == pull.to_at
    assert taken.account is not None
    assert taken.balance is not None
    assert (taken.account.charges_enabled, taken.account.disabled_reason) == (False, "requirements.past_due")


async def test_a_reserve_in_force_is_seen_hold_by_hold(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("reserve_in_force"))
    await run_pull(shop.world, shop.account_id, pull.id)
    events = await history(shop, pull)
    holds = events[events["kind"] == Kind.RESERVE_HOLD]
    charges = {int(row["source"]): int(row["settled"]) for row in events[events["kind"] == Kind.CHARGE]}
    assert len(holds) > 1000
    assert all(abs(10 * int(hold["settled"]) - charges[int(hold["charge"])]) <= 10 for hold in holds)
    async with shop.world.database.tenant(shop.account_id) as session:
        dense = select(func.count()).where(PullWindow.resource == "balance_transactions", PullWindow.objects > 0)
        assert (await session.execute(dense)).scalar_one() > 2


async def test_a_finished_pull_asks_for_nothing_and_changes_nothing(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    await run_pull(shop.world, shop.account_id, pull.id)
    before, asked = await history(shop, pull), len(shop.network.requests)
    await run_pull(shop.world, shop.account_id, pull.id)
    assert len(shop.network.requests) == asked
    assert np.array_equal(await history(shop, pull), before)


async def test_reading_the_same_history_again_changes_nothing(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    pull = await shop.plan(connection)
    await run_pull(shop.world, shop.account_id, pull.id)
    before = await history(shop, pull)
    again = await shop.plan(connection)
    await run_pull(shop.world, shop.account_id, again.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await session.execute(select(func.count()).select_from(StoredEvent))).scalar_one() >= len(before)
    assert np.array_equal(await history(shop, pull), before)


@pytest.mark.parametrize("requests", [1, 7, 15, 40])
@pytest.mark.parametrize("end", ["refused", "canceled"])
async def test_an_interrupted_pull_goes_on_and_ends_as_if_nothing_had_happened(
    shop: Shop, requests: int, end: str
) -> None:
    connection = await shop.connect("dispute_spike")
    pull = await shop.plan(connection)
    if end == "refused":
        shop.network.refuse = refuse_after(requests, lambda: httpx.Response(400, json={"error": {"type": "x"}}))
        with pytest.raises(RequestRefused):
            await run_pull(shop.world, shop.account_id, pull.id)
    else:
        enough = asyncio.Event()
        shop.network.refuse = refuse_after(requests, enough.set)
        running = asyncio.ensure_future(run_pull(shop.world, shop.account_id, pull.id))
        await enough.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    shop.network.refuse = lambda _request: None
    halfway = await progress(shop, pull)
    await run_pull(shop.world, shop.account_id, pull.id)
    whole = await progress(shop, pull)
    assert halfway != whole
    assert all(halfway[resource] <= whole[resource] for resource in whole)
    assert await source_ids(shop, Kind.CHARGE) == await listed_by_stripe(shop, "dispute_spike", "/v1/charges", pull)
    assert whole["charges"] == len(await source_ids(shop, Kind.CHARGE))
    assert whole["refunds"] == len(await source_ids(shop, Kind.REFUND))


async def test_a_resumed_pull_does_not_ask_again_for_what_was_stored(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    shop.network.silent = "/v1/refunds"
    running = asyncio.ensure_future(run_pull(shop.world, shop.account_id, pull.id))
    while not await all_read_but(shop, pull, "refunds"):
        assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    shop.network.silent, already = "", len(shop.network.requests)
    await run_pull(shop.world, shop.account_id, pull.id)
    assert {request.url.path for request in shop.network.requests[already:]} == {"/v1/refunds"}


async def all_read_but(shop: Shop, pull: HistoryPull, resource: str) -> bool:
    async with shop.world.database.tenant(shop.account_id) as session:
        query = select(func.count()).where(PullWindow.pull_id == pull.id, ~PullWindow.done)
        return not (await session.execute(query.where(PullWindow.resource != resource))).scalar_one()


async def test_a_key_without_disputes_still_pulls_everything_else(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("default_no_disputes"))
    await run_pull(shop.world, shop.account_id, pull.id)
    read = await progress(shop, pull)
    assert read["disputes"] == 0
    assert read["charges"] > 5000
    assert (await connection_of(shop, pull)).status == "degraded"


async def test_a_permission_that_is_taken_away_later_degrades_the_connection(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    missing = {"error": {"message": "Having the 'rak_payout_read' permission would allow this", "type": "x"}}
    shop.network.refuse = lambda request: (
        httpx.Response(403, json=missing) if request.url.path == "/v1/payouts" else None
    )
    await run_pull(shop.world, shop.account_id, pull.id)
    connection = await connection_of(shop, pull)
    assert (connection.status, connection.capabilities["payouts"]) == ("degraded", "forbidden")
    assert connection.capabilities["charges"] == "ok"


async def test_charges_that_may_not_be_read_end_the_pull_by_name(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    missing = {"error": {"message": "Having the 'rak_charge_read' permission would allow this", "type": "x"}}
    shop.network.refuse = lambda request: (
        httpx.Response(403, json=missing) if request.url.path == "/v1/charges" else None
    )
    with pytest.raises(PermissionMissing, match="charge_read"):
        await run_pull(shop.world, shop.account_id, pull.id)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(401, json={"error": {"type": "invalid_request_error"}}), KeyRefused),
        (httpx.Response(403, json={"error": {"code": "account_invalid"}}), Disconnected),
    ],
)
async def test_access_that_is_gone_disconnects(shop: Shop, answer: httpx.Response, failure: type[Exception]) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    shop.network.refuse = refuse_after(3, lambda: httpx.Response(answer.status_code, content=answer.content))
    with pytest.raises(failure):
        await run_pull(shop.world, shop.account_id, pull.id)
    assert (await connection_of(shop, pull)).status == "disconnected"


async def test_of_two_workers_on_one_pull_one_gives_way_and_nothing_is_counted_twice(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("healthy"))
    outcomes = await asyncio.gather(
        *(run_pull(shop.world, shop.account_id, pull.id) for _ in range(2)), return_exceptions=True
    )
    assert all(outcome is True or isinstance(outcome, PullTakenOver) for outcome in outcomes), outcomes
    await run_pull(shop.world, shop.account_id, pull.id)
    assert (await progress(shop, pull))["charges"] == len(await source_ids(shop, Kind.CHARGE))


async def test_a_slow_page_does_not_overwrite_what_was_read_later(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    await run_pull(shop.world, shop.account_id, pull.id)
    async with shop.world.database.tenant(shop.account_id) as session:
        later = {"read_at": shop.world.clock.now() + timedelta(hours=1)}
        await session.execute(text("UPDATE payment_events SET status = 99, read_at = :read_at"), later)
    again = await shop.plan(await connection_of(shop, pull))
    await run_pull(shop.world, shop.account_id, again.id)
    assert set((await history(shop, pull))["status"].tolist()) == {99}


async def test_another_workspaces_events_are_not_read(shop: Shop) -> None:
    pull = await shop.plan(await shop.connect("low_activity"))
    await run_pull(shop.world, shop.account_id, pull.id)
    other = Shop(shop.world, shop.network, account_id=shop.account_id)
    second = await other.plan(await other.connect("healthy"), days=7)
    await run_pull(shop.world, shop.account_id, second.id)
    assert len(await history(shop, pull)) == (await connection_of(shop, pull)).event_count
