"""Stored projections are scored when their horizons are over: once, from what was read, by one account alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.registering import register
from payflux.kit.ids import new_id
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus, HistoryPull
from payflux.monitor.processors.store import upsert_events
from payflux.monitor.projections.jobs import score_projections
from payflux.monitor.projections.models import ProjectionScoreRecord, ReserveProjectionRecord
from payflux.monitor.projections.queries import due_projections, scores_of_workspace
from payflux.monitor.projections.scorebook import Scorebook
from payflux.monitor.projections.service import project_workspace, score_due_projections
from payflux.monitor.risk.service import score_workspace
from payflux.world.bootstrap import World
from tests.conftest import MovedClock

BACKFILL: list[str] = import_module("payflux.migrations.versions.0002_projection_scores").BACKFILL
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@dataclass(frozen=True)
class Shop:
    """A merchant that sells the same every day, and what has been read of it."""

    world: World
    account_id: UUID
    workspace_id: UUID
    connection: Connection

    async def read(self, since: datetime, until: datetime, amount: int = 1_000) -> UUID:
        """A finished pull of `since` to `until`, with one payment at noon of each day; returns its id."""
        pull = HistoryPull(
            account_id=self.account_id,
            id=new_id(),
            workspace_id=self.workspace_id,
            connection_id=self.connection.id,
            from_at=since,
            to_at=until,
            started_at=until,
            finished_at=until,
        )
        async with self.world.database.tenant(self.account_id) as session:
            session.add(pull)
        await self.sell(since, until, amount)
        return pull.id

    async def sell(self, since: datetime, until: datetime, amount: int = 1_000) -> None:
        """Store one payment at noon of each day, of no pull."""
        first = since.replace(hour=12, minute=0, second=0)
        noons = [first + day * DAY for day in range((until - since).days + 2) if since <= first + day * DAY <= until]
        sold = [
            PaymentEvent(
                kind=Kind.CHARGE,
                source_id=f"ch_{noon:%Y%m%d}",
                occurred_at=noon,
                status=Status.SUCCEEDED,
                amount=amount,
                currency="usd",
                settled_amount=amount,
                settled_currency="usd",
            )
            for noon in noons
        ]
        async with self.world.database.tenant(self.account_id) as session:
            await upsert_events(session, self.connection, ((event, until) for event in sold))

    async def project(self, pull_id: UUID) -> None:
        place = {"account_id": self.account_id, "workspace_id": self.workspace_id, "pull_id": pull_id}
        async with self.world.database.tenant(self.account_id) as session:
            await score_workspace(session, **place)
            await project_workspace(session, **place)

    async def scorebook(self) -> Scorebook:
        async with self.world.database.tenant(self.account_id) as session:
            return await scores_of_workspace(
                session,
                account_id=self.account_id,
                connection_id=self.connection.id,
                now=self.world.clock.now(),
            )


async def open_shop(world: World, name: str) -> Shop:
    now = world.clock.now()
    async with world.database.system() as session:
        _, account = await register(
            session, name=name, email=f"{name}@{name}-shop.example", password="quiet harbour lantern", now=now
        )
        workspace = await create_workspace(session, account_id=account.id, name=name, now=now)
    connection = Connection(
        account_id=account.id,
        id=new_id(),
        workspace_id=workspace.id,
        method=ConnectionMethod.RESTRICTED_KEY,
        external_account_id=f"acct_{name}",
        livemode=False,
        status=ConnectionStatus.ACTIVE,
        connected_at=now,
    )
    async with world.database.tenant(account.id) as session:
        session.add(connection)
    shop = Shop(world, account.id, workspace.id, connection)
    await shop.project(await shop.read(now - 90 * DAY, now))
    return shop


@pytest.fixture
async def shop(world: World) -> Shop:
    return await open_shop(world, "alice")


async def test_the_first_score_is_announced_with_the_projection_and_made_when_its_day_is_over(
    shop: Shop, clock: MovedClock
) -> None:
    announced = await shop.scorebook()
    assert announced.due == ()
    assert announced.next is not None
    assert (announced.next.horizon_days, announced.next.as_of) == (30, START)
    assert str(announced.next.last_day) == "2026-12-21"
    clock.move(30 * DAY + timedelta(hours=11))
    await shop.read(START, clock.now(), 1_500)
    await score_projections(shop.world)
    assert (await shop.scorebook()).due == ()
    clock.move(timedelta(hours=2))
    await shop.read(clock.now() - DAY, clock.now(), 1_500)
    await score_projections(shop.world)
    scorebook = await shop.scorebook()
    [score] = scorebook.scores
    assert (score.sales_said, score.sales, score.currency) == (30_000, 45_000, "usd")
    assert (score.sales_inside, score.held) == (False, 0)
    assert score.tier_said in range(1, 6)
    assert scorebook.next is not None
    assert scorebook.next.horizon_days == 60


async def test_what_is_said_on_the_day_a_month_later_is_scored_too(shop: Shop, clock: MovedClock) -> None:
    clock.move(30 * DAY)
    later = clock.now()
    await shop.project(await shop.read(START, later))
    async with shop.world.database.tenant(shop.account_id) as session:
        said = (
            select(ReserveProjectionRecord.as_of, ProjectionScoreRecord.horizon_days)
            .join(ProjectionScoreRecord, ProjectionScoreRecord.projection_id == ReserveProjectionRecord.id)
            .order_by(ReserveProjectionRecord.as_of, ProjectionScoreRecord.horizon_days)
        )
        waiting = [tuple(row) for row in await session.execute(said)]
    # the 60 days of the first end when the 30 of the second do
    assert waiting == [(as_of, days) for as_of in (START, later) for days in (30, 60, 90)]


async def test_nothing_is_scored_twice_whoever_asks_at_the_same_time(shop: Shop, clock: MovedClock) -> None:
    clock.move(95 * DAY)
    await shop.read(START, clock.now())
    async with shop.world.database.system() as session:
        [(account_id, projection_id)] = await due_projections(session, now=clock.now())

    async def worker() -> int:
        async with shop.world.database.tenant(account_id) as session:
            return await score_due_projections(
                shop.world, session, account_id=account_id, projection_id=projection_id, now=clock.now()
            )

    assert sum(await asyncio.gather(worker(), worker(), worker())) == 3
    assert [outcome.horizon_days for outcome in (await shop.scorebook()).due] == [90, 60, 30]
    clock.move(2 * DAY)
    async with shop.world.database.system() as session:
        assert await due_projections(session, now=clock.now()) == []
    assert await worker() == 0


async def test_a_horizon_that_was_not_read_says_why_and_is_scored_once_it_is(shop: Shop, clock: MovedClock) -> None:
    clock.move(32 * DAY)
    await score_projections(shop.world)
    [outcome] = (await shop.scorebook()).due
    assert (outcome.score, outcome.why_not) == (None, "The history is known without a gap until 21 Nov 2026 only.")
    await shop.read(START, clock.now())
    await score_projections(shop.world)
    assert (await shop.scorebook()).scores == ()
    clock.move(DAY)
    await score_projections(shop.world)
    [outcome] = (await shop.scorebook()).due
    assert outcome.score is not None
    assert (outcome.score.sales, outcome.why_not) == (30_000, None)


async def test_what_events_and_catching_up_brought_counts_as_read(shop: Shop, clock: MovedClock) -> None:
    clock.move(31 * DAY)
    await shop.sell(START, clock.now())
    async with shop.world.database.tenant(shop.account_id) as session:
        known = {"history_from": START - 90 * DAY, "synced_through": clock.now()}
        await session.execute(update(Connection).values(**known))
    await score_projections(shop.world)
    [score] = (await shop.scorebook()).scores
    assert (score.sales, score.held) == (30_000, 0)


async def test_a_processor_that_posts_is_scored_and_what_it_never_told_of_is_not_taken_for_nothing_held(
    shop: Shop, clock: MovedClock
) -> None:
    clock.move(61 * DAY)
    await shop.sell(START, START + 61 * DAY)
    async with shop.world.database.tenant(shop.account_id) as session:
        known = {"history_from": START - 90 * DAY, "synced_through": START + 45 * DAY}
        await session.execute(update(Connection).values(method=ConnectionMethod.WEBHOOK, **known))
    await score_projections(shop.world)
    sixty, thirty = (await shop.scorebook()).due
    assert thirty.score is not None
    assert (thirty.score.sales, thirty.score.held) == (30_000, None)
    assert sixty.why_not == "The history is known without a gap until 5 Jan 2027 only."


async def test_a_gap_in_what_was_read_and_an_ended_connection_are_named(shop: Shop, clock: MovedClock) -> None:
    clock.move(40 * DAY)
    await shop.read(START + 10 * DAY, clock.now())
    await score_projections(shop.world)
    assert (await shop.scorebook()).due[0].why_not == "The history is known without a gap until 21 Nov 2026 only."
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(update(Connection).values(status=ConnectionStatus.DISCONNECTED))
    clock.move(DAY)
    await score_projections(shop.world)
    assert (await shop.scorebook()).due[0].why_not == "The connection ended; its history is known until 21 Nov 2026."


async def test_what_the_connection_may_not_read_is_not_taken_for_nothing_held(shop: Shop, clock: MovedClock) -> None:
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(update(Connection).values(capabilities={"balance_transactions": "forbidden"}))
    clock.move(32 * DAY)
    await shop.read(START, clock.now())
    await score_projections(shop.world)
    [score] = (await shop.scorebook()).scores
    assert score.held is None


async def test_another_account_sees_no_score_and_each_is_scored_from_its_own_events(
    shop: Shop, clock: MovedClock
) -> None:
    charlie = await open_shop(shop.world, "charlie")
    clock.move(32 * DAY)
    await shop.read(START, clock.now(), 2_000)
    await charlie.read(START, clock.now(), 3_000)
    await score_projections(shop.world)
    assert [score.sales for score in (await shop.scorebook()).scores] == [60_000]
    assert [score.sales for score in (await charlie.scorebook()).scores] == [90_000]
    async with shop.world.database.tenant(charlie.account_id) as session:
        seen = (await session.execute(select(ProjectionScoreRecord.account_id).distinct())).scalars().all()
        assert seen == [charlie.account_id]
        foreign = await scores_of_workspace(
            session, account_id=shop.account_id, connection_id=shop.connection.id, now=clock.now()
        )
        assert foreign == Scorebook()


async def test_one_broken_projection_stops_no_other(shop: Shop, clock: MovedClock, owner_url: str) -> None:
    charlie = await open_shop(shop.world, "charlie")
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute("ALTER TABLE reserve_projections NO FORCE ROW LEVEL SECURITY")
        await owner.execute(
            "UPDATE reserve_projections SET projection = '{}'::jsonb WHERE account_id = $1", shop.account_id
        )
    finally:
        await owner.close()
    clock.move(32 * DAY)
    await charlie.read(START, clock.now())
    await shop.read(START, clock.now())
    await score_projections(shop.world)
    assert (await shop.scorebook()).scores == ()
    assert len((await charlie.scorebook()).scores) == 1


async def test_a_score_is_final_and_no_row_can_be_taken_away(shop: Shop, clock: MovedClock) -> None:
    clock.move(32 * DAY)
    await shop.read(START, clock.now())
    await score_projections(shop.world)
    before = await shop.scorebook()
    async with shop.world.database.tenant(shop.account_id) as session:
        changed = await session.execute(text("UPDATE projection_scores SET why_not = 'nicer' RETURNING horizon_days"))
        assert sorted(changed.scalars()) == [60, 90]
    assert (await shop.scorebook()).due == before.due
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with shop.world.database.tenant(shop.account_id) as session:
            await session.execute(text("DELETE FROM projection_scores"))


async def test_projections_stored_before_there_were_scores_get_the_same_rows(shop: Shop, owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    rows = "SELECT * FROM projection_scores ORDER BY horizon_days"
    try:
        await owner.execute("ALTER TABLE projection_scores NO FORCE ROW LEVEL SECURITY")
        made = await owner.fetch(rows)
        await owner.execute("DELETE FROM projection_scores")
        for statement in BACKFILL:
            await owner.execute(statement)
        assert await owner.fetch(rows) == made
        forced = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'reserve_projections'"
        assert await owner.fetchval(forced)
    finally:
        await owner.close()
    assert len(made) == 3
    async with shop.world.database.tenant(shop.account_id) as session:
        assert len((await session.execute(select(ReserveProjectionRecord.id))).all()) == 1
