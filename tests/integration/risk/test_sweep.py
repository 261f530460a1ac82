"""The sweep, PostgreSQL to PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import ProgrammingError

from payflux.monitor.processors.models import DailyRollup
from payflux.monitor.processors.rollups import Rollup
from payflux.monitor.risk.sweep.kernel import READING_DTYPE
from payflux.monitor.risk.sweep.models import SweepReading
from payflux.monitor.risk.sweep.service import sweep
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.sweeping import random_rollups, read_workspace


def today(world: World) -> date:
    return world.clock.now().astimezone(UTC).date()


async def store(world: World, rollup: Rollup, account_id: UUID, currency: str = "usd") -> None:
    async with world.database.tenant(account_id) as session:
        session.add(
            DailyRollup(
                account_id=account_id,
                workspace_id=account_id,
                currency=currency,
                first_day=rollup.first_day,
                days=len(rollup.matrix),
                vector=rollup.vector,
                updated_at=world.clock.now(),
            )
        )


async def readings(world: World, account_id: UUID) -> dict[str, SweepReading]:
    async with world.database.tenant(account_id) as session:
        return {reading.currency: reading for reading in (await session.execute(select(SweepReading))).scalars()}


async def test_each_workspace_reads_the_numbers_of_the_loop_to_the_bit_and_its_own_alone(world: World) -> None:
    kept = {uuid4(): rollup for rollup in random_rollups(40, today(world), seed=5)}
    for account_id, rollup in kept.items():
        await store(world, rollup, account_id)
    assert await sweep(world.database, world.clock.now()) == len(kept)
    for account_id, rollup in kept.items():
        (reading,) = (await readings(world, account_id)).values()
        assert (reading.account_id, reading.workspace_id, reading.day) == (account_id, account_id, today(world))
        found = {name: getattr(reading, name) for name in READING_DTYPE.names or ()}
        assert found == read_workspace(rollup, today(world))


async def test_each_currency_of_a_workspace_is_read_apart(world: World) -> None:
    alice = uuid4()
    usd, eur = random_rollups(2, today(world), seed=6)
    await store(world, usd, alice)
    await store(world, eur, alice, currency="eur")
    await sweep(world.database, world.clock.now())
    found = await readings(world, alice)
    assert {currency: reading.volume_90 for currency, reading in found.items()} == {
        "usd": read_workspace(usd, today(world))["volume_90"],
        "eur": read_workspace(eur, today(world))["volume_90"],
    }


async def test_a_later_sweep_replaces_the_readings_and_forgets_what_is_gone(world: World, clock: MovedClock) -> None:
    alice, bob = uuid4(), uuid4()
    (rollup,) = random_rollups(1, today(world), seed=7)
    await store(world, rollup, alice)
    await store(world, rollup, bob)
    await sweep(world.database, clock.now())
    clock.move(timedelta(days=40))
    async with world.database.tenant(bob) as session:
        await session.execute(delete(DailyRollup).where(DailyRollup.account_id == bob))
    assert await sweep(world.database, clock.now()) == 1
    (reading,) = (await readings(world, alice)).values()
    assert (reading.day, reading.payments_30, reading.tier_30) == (today(world), 0, 2)
    assert await readings(world, bob) == {}


async def test_no_rollup_at_all_is_no_error(world: World) -> None:
    assert await sweep(world.database, world.clock.now()) == 0


async def test_two_sweeps_at_once_leave_one_reading_each(world: World) -> None:
    alice = uuid4()
    await store(world, random_rollups(1, today(world), seed=8)[0], alice)
    counts = await asyncio.gather(*(sweep(world.database, world.clock.now()) for _ in range(3)))
    assert set(counts) <= {1, None}, "one that is under way is not joined"
    assert 1 in counts
    assert len(await readings(world, alice)) == 1


async def test_a_tenant_may_read_and_delete_its_readings_and_not_change_them(world: World) -> None:
    """Deleting is what the deletion of an account does."""
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with world.database.tenant(uuid4()) as session:
            await session.execute(update(SweepReading).values(payments_30=0))
    async with world.database.tenant(uuid4()) as session:
        await session.execute(delete(SweepReading))
