"""A shop sees how its rates stand beside those of others of its size, and of no fewer than twenty."""

from __future__ import annotations

import asyncpg
from sqlalchemy import select

from payflux.activation.watching import WINDOW, begin_sweep
from payflux.monitor.benchmarks.models import Benchmark
from payflux.monitor.benchmarks.rules import LEAST_SHOPS
from payflux.monitor.benchmarks.service import compare, compute_benchmarks
from tests.integration.team.conftest import stored
from tests.integration.watching.conftest import Shop

TWIN = """
    WITH made AS (INSERT INTO accounts (id, name) VALUES (gen_random_uuid(), 'Another shop') RETURNING id),
    placed AS (
        INSERT INTO workspaces (account_id, id, name, activation_state, entitled_at)
        SELECT id, gen_random_uuid(), 'Another shop', 'live_monitored', now() FROM made RETURNING account_id, id
    ), connected AS (
        INSERT INTO processor_connections SELECT (jsonb_populate_record(own, jsonb_build_object(
            'account_id', placed.account_id, 'id', gen_random_uuid(), 'workspace_id', placed.id, 'livemode', $3::bool,
            'external_account_id', 'acct_' || placed.id
        ))).* FROM processor_connections own, placed WHERE own.account_id = $1
    )
    INSERT INTO sweep_readings SELECT (jsonb_populate_record(own, jsonb_build_object(
        'account_id', placed.account_id, 'workspace_id', placed.id, 'refund_rate_30', $2::float8
    ))).* FROM sweep_readings own, placed WHERE own.account_id = $1
"""
"""Another account with the sales of this one, and a refund rate of its own."""


__all__ = ["stored"]


async def add_shops(stored: asyncpg.Connection, shop: Shop, *refund_rates: float, livemode: bool = False) -> None:
    for rate in refund_rates:
        await stored.execute(TWIN, shop.account_id, rate, livemode)


async def computed(shop: Shop) -> dict[str, Benchmark]:
    async with shop.world.database.system() as session:
        await compute_benchmarks(session, livemode=False, now=shop.now)
        return {row.metric: row for row in (await session.execute(select(Benchmark))).scalars()}


async def test_twenty_shops_make_a_figure_and_nineteen_none(stored: asyncpg.Connection, shop: Shop) -> None:
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await compare(session, account_id=shop.account_id)).payments is None, "no sweep has read it"
    await begin_sweep(shop.world)
    await add_shops(stored, shop, *(number / 100 for number in range(1, LEAST_SHOPS - 1)))
    assert await computed(shop) == {}
    await add_shops(stored, shop, 0.19)
    refunds = (await computed(shop))["refund_rate_30"]
    assert (refunds.shops, refunds.size) == (LEAST_SHOPS, "25-250")
    assert (refunds.lower, refunds.median, refunds.upper) == (0.048, 0.095, 0.14)
    async with shop.world.database.tenant(shop.account_id) as session:
        mine = {one.metric.key: one for one in (await compare(session, account_id=shop.account_id)).rates}
    assert (mine["refund_rate_30"].rate, mine["refund_rate_30"].standing) == (0, "lowest")


async def test_shops_of_one_owner_do_not_hide_the_others(stored: asyncpg.Connection, shop: Shop) -> None:
    await begin_sweep(shop.world)
    await add_shops(stored, shop, *([0.1] * (LEAST_SHOPS - 1)))
    async with stored.transaction():
        await stored.execute("SET LOCAL session_replication_role = replica")  # as if one account had opened two of them
        await stored.execute(
            "UPDATE accounts SET parent_id = $1 WHERE id IN (SELECT id FROM accounts WHERE id <> $1 LIMIT 1)",
            shop.account_id,
        )
    assert await computed(shop) == {}
    await add_shops(stored, shop, 0.2)
    assert (await computed(shop))["refund_rate_30"].shops == LEAST_SHOPS + 1


async def test_test_payments_and_connections_that_ended_are_not_counted(stored: asyncpg.Connection, shop: Shop) -> None:
    await begin_sweep(shop.world)
    await add_shops(stored, shop, *([0.1] * LEAST_SHOPS), livemode=True)
    assert await computed(shop) == {}


async def test_every_sweep_computes_them_anew(stored: asyncpg.Connection, shop: Shop) -> None:
    await begin_sweep(shop.world)
    await add_shops(stored, shop, *([0.1] * LEAST_SHOPS))
    assert "refund_rate_30" in await computed(shop)
    shop.clock.move(WINDOW)
    await begin_sweep(shop.world)  # the twins have readings and no sales behind them
    async with shop.world.database.system() as session:
        assert (await session.execute(select(Benchmark))).first() is None
