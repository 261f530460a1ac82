"""Storing readings: in whatever order and however often they arrive, the latest of each event stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent, event_record
from payflux.monitor.processors.models import (
    Connection,
    ConnectionMethod,
    ConnectionStatus,
    DailyRollup,
    StoredEvent,
)
from payflux.monitor.processors.queries import read_events
from payflux.monitor.processors.rollups import roll_up
from payflux.monitor.processors.store import apply_to_rollups, renew_rollups, upsert_events
from payflux.world.bootstrap import World

THEN = datetime(2026, 10, 1, tzinfo=UTC)


def reading(kind: Kind, number: int, status: Status, amount: int, version: int) -> tuple[PaymentEvent, datetime]:
    event = PaymentEvent(
        kind=kind,
        source_id=f"id_{number}",
        occurred_at=THEN + timedelta(days=number),
        status=status,
        amount=amount,
        currency="usd",
        settled_amount=amount,
        settled_currency="usd",
        charge_id=f"ch_{number}",
        reason="a_word_of_tomorrow" if version % 2 else "fraudulent",
    )
    return event, THEN + timedelta(seconds=version)


READINGS = st.lists(
    st.builds(
        reading,
        st.sampled_from([Kind.CHARGE, Kind.REFUND, Kind.DISPUTE]),
        st.integers(0, 6),
        st.sampled_from(Status),
        st.integers(0, 2**62),
        st.integers(0, 10**6),
    ),
    max_size=40,
    # two readings at the same instant may truly differ; here each is its own
    unique_by=lambda read: read[1],
)


async def connected(world: World) -> Connection:
    connection = Connection(
        account_id=uuid4(),
        id=uuid4(),
        workspace_id=uuid4(),
        method=ConnectionMethod.RESTRICTED_KEY,
        external_account_id="acct_1",
        livemode=False,
        status=ConnectionStatus.ACTIVE,
        connected_at=THEN,
    )
    async with world.database.tenant(connection.account_id) as session:
        session.add(connection)
    return connection


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=READINGS, seed=st.integers())
async def test_any_order_any_batches_and_any_duplicates_end_in_the_same_rows(
    world: World, readings: list[tuple[PaymentEvent, datetime]], seed: int
) -> None:
    connection = await connected(world)
    random = Random(seed)
    arriving = readings + random.sample(readings, len(readings) // 2)
    random.shuffle(arriving)
    while arriving:
        batch = [arriving.pop() for _ in range(random.randint(1, len(arriving)))]
        async with world.database.tenant(connection.account_id) as session:
            await upsert_events(session, connection, batch)
    latest = {(event.kind, event.source_id): event for event, _ in sorted(readings, key=lambda read: read[1])}
    async with world.database.tenant(connection.account_id) as session:
        stored = (await session.execute(select(StoredEvent))).scalars().all()
        columns = await read_events(
            session,
            account_id=connection.account_id,
            workspace_id=connection.workspace_id,
            since=THEN,
            until=THEN + timedelta(days=30),
        )
    assert {(Kind(row.kind), row.source_id): row.amount for row in stored} == {
        key: event.amount for key, event in latest.items()
    }
    assert sorted(columns.tolist()) == sorted(tuple(map(int, event_record(event))) for event in latest.values())


async def test_a_reason_without_a_code_keeps_its_words(world: World) -> None:
    connection = await connected(world)
    async with world.database.tenant(connection.account_id) as session:
        await upsert_events(session, connection, [reading(Kind.DISPUTE, n, Status.OPEN, 5, n) for n in range(2)])
        stored = (await session.execute(select(StoredEvent).order_by(StoredEvent.source_id))).scalars().all()
    assert [(row.detail, row.reason > 0) for row in stored] == [("", True), ("a_word_of_tomorrow", False)]


@pytest.mark.parametrize("ended", [True, False])
async def test_an_ended_connections_events_leave_the_workspaces_readings(world: World, ended: bool) -> None:
    connection = await connected(world)
    async with world.database.tenant(connection.account_id) as session:
        await upsert_events(session, connection, [reading(Kind.CHARGE, 1, Status.SUCCEEDED, 5, 0)])
        stored = await session.merge(connection)
        stored.status = ConnectionStatus.DISCONNECTED if ended else ConnectionStatus.DEGRADED
        await session.flush()
        events = await read_events(
            session,
            account_id=connection.account_id,
            workspace_id=connection.workspace_id,
            since=THEN,
            until=THEN + timedelta(days=30),
        )
    assert len(events) == (0 if ended else 1)


SMALL_READINGS = st.lists(
    st.builds(
        reading,
        st.sampled_from([Kind.CHARGE, Kind.REFUND, Kind.DISPUTE]),
        st.integers(-3, 6),
        st.sampled_from(Status),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    ),
    max_size=40,
    unique_by=lambda read: read[1],
)


async def stored_rollups(world: World, connection: Connection) -> list[tuple]:
    columns = (DailyRollup.currency, DailyRollup.first_day, DailyRollup.days, DailyRollup.vector)
    async with world.database.tenant(connection.account_id) as session:
        return [tuple(row) for row in await session.execute(select(*columns).order_by(DailyRollup.currency))]


async def rolled_up(world: World, connection: Connection, *, since: datetime) -> list[tuple]:
    async with world.database.tenant(connection.account_id) as session:
        events = await read_events(
            session,
            account_id=connection.account_id,
            workspace_id=connection.workspace_id,
            since=since,
            until=THEN + timedelta(days=3000),
        )
    return [(r.currency, r.first_day, len(r.matrix), r.vector) for r in roll_up(events)]


async def store(world: World, connection: Connection, batch: list[tuple[PaymentEvent, datetime]], now: datetime) -> int:
    async with world.database.tenant(connection.account_id) as session:
        changes = await upsert_events(session, connection, batch)
        await apply_to_rollups(session, connection, changes.removed, changes.added, now)
    return len(changes.removed) + len(changes.added)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=SMALL_READINGS, seed=st.integers())
async def test_rollups_equal_all_events_rolled_up_after_every_batch_while_the_days_go_by(
    world: World, readings: list[tuple[PaymentEvent, datetime]], seed: int
) -> None:
    connection = await connected(world)
    random = Random(seed)
    arriving, days = readings + random.sample(readings, len(readings) // 2), 398
    random.shuffle(arriving)
    while arriving:
        batch = [arriving.pop() for _ in range(random.randint(1, len(arriving)))]
        changed = await store(world, connection, batch, THEN + timedelta(days=days))
        if changed:
            expected = await rolled_up(world, connection, since=THEN + timedelta(days=days - 400))
            assert await stored_rollups(world, connection) == expected
        days += random.randint(0, 1)


async def test_an_event_that_is_read_again_and_is_the_same_changes_no_rollup(world: World) -> None:
    connection = await connected(world)
    first, again = (reading(Kind.CHARGE, 1, Status.SUCCEEDED, 5, 2 * n) for n in (0, 1))
    assert await store(world, connection, [first], THEN) == 1
    assert await store(world, connection, [again], THEN) == 0
    assert await store(world, connection, [first], THEN) == 0
    assert await store(world, connection, [reading(Kind.CHARGE, 1, Status.FAILED, 5, 1)], THEN) == 0
    assert await store(world, connection, [reading(Kind.CHARGE, 1, Status.FAILED, 5, 4)], THEN) == 2


async def test_two_writers_of_one_workspace_leave_rollups_of_both(world: World) -> None:
    connection = await connected(world)
    batches = [
        [reading(Kind.CHARGE, number, Status.SUCCEEDED, number, number) for number in range(start, start + 20)]
        for start in (0, 10, 20, 5)
    ]
    await asyncio.gather(*(store(world, connection, batch, THEN) for batch in batches))
    assert await stored_rollups(world, connection) == await rolled_up(world, connection, since=THEN)


async def test_events_of_a_connection_taken_up_again_make_the_rollups_anew(world: World) -> None:
    connection = await connected(world)
    ended = {"account_id": connection.account_id, "workspace_id": connection.workspace_id, "now": THEN}
    await store(world, connection, [reading(Kind.CHARGE, n, Status.SUCCEEDED, 5, 0) for n in range(3)], THEN)
    for status in (ConnectionStatus.DISCONNECTED, ConnectionStatus.ACTIVE):
        async with world.database.tenant(connection.account_id) as session:
            stored = await session.merge(connection)
            stored.status = status
            await session.flush()
            if status == ConnectionStatus.DISCONNECTED:
                await renew_rollups(session, **ended)
    await store(world, connection, [reading(Kind.CHARGE, 1, Status.FAILED, 5, 1)], THEN)
    assert await stored_rollups(world, connection) == await rolled_up(world, connection, since=THEN)
