"""After going live a workspace is read again whenever its figures change, once for each cause."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import func, select, text

from payflux.activation.service import get_workspace
from payflux.activation.watching import read_due, read_workspace
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.entitlements.overriding import Author, set_limit_override
from payflux.monitor.alerts.models import Alert, AlertRule, AlertState
from payflux.monitor.processors.models import ConnectionStatus
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.models import ProjectionScoreRecord, ReserveProjectionRecord
from payflux.monitor.projections.reading import read_workspace as read_stored
from payflux.monitor.risk.models import RiskSurfaceRecord
from tests.integration.team.conftest import stored
from tests.integration.watching.conftest import DAY, START, Shop, account_state, dispute, open_shop, sale

__all__ = ["stored"]

MINUTE = timedelta(minutes=1)


async def allow(shop: Shop, per_day: int | None) -> None:
    """Set how many projections a day the account may have, as its staff do."""
    async with shop.world.database.system() as session:
        await set_limit_override(
            session,
            account_id=shop.account_id,
            limit_key="projections_per_day",
            value=per_day,
            reason="so many suit this shop",
            author=Author("erin@payflux.example"),
            now=shop.now,
        )


async def test_disputes_that_come_in_move_the_tier(shop: Shop) -> None:
    before = await shop.newest()
    shop.clock.move(MINUTE)
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    assert await shop.read() == 1
    after = await shop.newest()
    assert after.reason == "event"
    assert after.surface.as_of == START + MINUTE
    assert after.surface.risk_tier > before.surface.risk_tier
    assert after.projection.windows[2].trapped > before.projection.windows[2].trapped
    assert await shop.reasons() == ["first", "event"]
    async with shop.world.database.tenant(shop.account_id) as session:
        counted = await session.execute(select(func.count()).select_from(ProjectionScoreRecord))
    assert counted.scalar_one() == 6


async def test_the_alert_rules_judge_each_reading_in_the_transaction_that_stores_it(shop: Shop) -> None:
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    shop.clock.move(MINUTE)
    await shop.read()
    async with shop.world.database.tenant(shop.account_id) as session:
        query = select(AlertRule.trigger).join(Alert, Alert.rule_id == AlertRule.id)
        raised = (await session.execute(query.where(Alert.state == AlertState.OPEN))).scalars().all()
    assert "tier_escalation" in raised
    assert len(raised) == len(set(raised))


async def test_however_many_events_come_in_at_once_it_is_one_reading(shop: Shop) -> None:
    for number in range(5):
        await shop.tell(sale(90_000 + number, shop.now))
    assert await shop.read() == 1
    assert await shop.reasons() == ["first", "event"]


async def test_what_comes_in_while_the_job_runs_is_read_by_another(shop: Shop) -> None:
    await shop.tell(sale(90_000, shop.now))
    async with shop.world.database.system() as session:
        raw = await (await session.connection()).exec_driver_sql(
            "UPDATE pgqueuer SET status = 'picked' RETURNING convert_from(payload, 'UTF8')::jsonb"
        )
        (job,) = raw.scalars()
    await read_workspace(shop.world, job)
    await shop.tell(sale(90_001, shop.now))
    assert len(await shop.jobs()) == 2  # the one that runs, and the new one


async def test_the_same_again_stores_nothing_and_says_so(shop: Shop) -> None:
    await shop.tell(sale(90_000, shop.now))
    (job,) = await shop.jobs()
    await read_workspace(shop.world, job)
    shop.clock.move(MINUTE)
    await read_workspace(shop.world, job)
    assert await shop.reasons() == ["first", "event"]
    state = await shop.state()
    assert (state.read_at, state.as_of) == (shop.now, shop.now)


async def test_two_workers_that_read_at_once_make_one_reading(shop: Shop) -> None:
    await shop.tell(sale(90_000, shop.now))
    (job,) = await shop.jobs()
    await asyncio.gather(*(read_workspace(shop.world, job) for _ in range(3)))
    assert await shop.reasons() == ["first", "event"]


async def test_a_state_that_says_something_new_is_read_and_one_that_does_not_is_not(shop: Shop) -> None:
    await shop.tell(state=account_state(shop.now + MINUTE))
    assert await shop.jobs() == []
    await shop.tell(state=account_state(shop.now + 2 * MINUTE, past_due=("external_account",)))
    (job,) = await shop.jobs()
    assert job["urgent"] == "yes"
    await read_workspace(shop.world, job)
    assert (await shop.newest()).surface.risk_tier > 1


async def test_before_the_first_pull_is_done_nothing_is_read_again(shop: Shop) -> None:
    await shop.set_connection(history_from=None)
    await shop.tell(sale(90_000, shop.now))
    assert await shop.jobs() == []


@pytest.mark.parametrize(
    "missing", ["connection_id", "baseline_generated_at", "first_projection_at", "alert_policy_armed_at"]
)
async def test_a_workspace_that_lacks_a_condition_of_being_live_is_not_read(shop: Shop, missing: str) -> None:
    await shop.tell(dispute(100, shop.now))
    await shop.set_workspace(**{missing: None})
    await shop.read()
    assert await shop.reasons() == ["first"]


async def test_a_workspace_behind_the_wall_is_not_read(shop: Shop) -> None:
    await shop.tell(dispute(100, shop.now))
    shop.clock.move(40 * DAY)
    async with shop.world.database.tenant(shop.account_id) as session:
        assert (await session.execute(select(Subscription.status))).scalar_one() == "trialing"
    await shop.read()
    assert await shop.reasons() == ["first"]


async def test_what_a_plan_has_no_room_for_today_gets_through_tomorrow(shop: Shop) -> None:
    await allow(shop, 1)  # the first readout was today's
    await shop.tell(dispute(8_000, shop.now))
    await shop.read()
    assert await shop.reasons() == ["first"]
    midnight = START.replace(hour=0) + DAY
    assert (await shop.state()).due_at == midnight
    await read_due(shop.world)
    assert await shop.jobs() == []
    shop.clock.move(midnight - shop.now)
    await shop.set_connection(polled_through=shop.now)
    await read_due(shop.world)
    assert await shop.read() == 1
    assert await shop.reasons() == ["first", "event"]
    assert (await shop.newest()).surface.as_of == midnight
    assert (await shop.state()).due_at is None


async def test_the_workspaces_of_an_account_share_what_its_plan_has_room_for(
    shop: Shop, stored: asyncpg.Connection
) -> None:
    north = await open_shop(shop.world, shop.clock, "north")
    async with stored.transaction():
        await stored.execute("SET LOCAL session_replication_role = replica")  # as if it had begun as one of its account
        await stored.execute("UPDATE accounts SET parent_id = $2 WHERE id = $1", north.account_id, shop.account_id)
    await allow(shop, 2)  # the first readout of each was today's
    await north.tell(dispute(8_000, north.now))
    await north.read()
    assert await north.reasons() == ["first"]
    assert (await north.state()).due_at == START.replace(hour=0) + DAY


async def test_what_is_not_live_any_more_waits_for_no_turn(shop: Shop) -> None:
    await allow(shop, 1)
    await shop.tell(dispute(8_000, shop.now))
    await shop.read()
    await shop.set_workspace(connection_id=None)
    shop.clock.move(DAY)
    await read_due(shop.world)
    assert await shop.read() == 1
    await read_due(shop.world)
    assert await shop.jobs() == []
    assert await shop.reasons() == ["first"]


async def test_a_plan_without_projections_makes_none(shop: Shop) -> None:
    await allow(shop, 0)
    await shop.tell(dispute(8_000, shop.now))
    await shop.read()
    assert await shop.reasons() == ["first"]


async def test_a_connection_known_to_lack_news_is_judged_as_of_what_is_known(shop: Shop) -> None:
    await shop.set_connection(polled_through=START)
    shop.clock.move(5 * DAY)
    await shop.tell(dispute(8_000, START - MINUTE))
    await shop.read()
    assert (await shop.newest()).surface.as_of == START


async def test_a_reading_survives_being_kept(shop: Shop) -> None:
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 70)))
    async with shop.world.database.tenant(shop.account_id) as session:
        connection = await get_connection(session, account_id=shop.account_id, connection_id=shop.connection_id)
        read = await read_stored(session, connection, as_of=shop.now, reason=ReadingReason.EVENT)
        rows = await session.execute(select(func.count()).select_from(ReserveProjectionRecord))
        surfaces = await session.execute(select(func.count()).select_from(RiskSurfaceRecord))
        assert rows.scalar_one() == surfaces.scalar_one() == 2
    stored = await shop.newest()
    assert (stored.surface, stored.projection) == (read.after.surface, read.after.projection)


async def test_a_connection_that_was_ended_is_not_read(shop: Shop) -> None:
    await shop.tell(dispute(8_000, shop.now))
    await shop.set_connection(status=ConnectionStatus.DISCONNECTED)
    await shop.read()
    assert await shop.reasons() == ["first"]


async def test_what_comes_in_at_the_instant_of_going_live_is_read_and_does_not_wait_for_the_sweep(shop: Shop) -> None:
    await shop.set_workspace(live_monitored_at=None)
    shop.clock.move(MINUTE)
    async with shop.world.database.tenant(shop.account_id) as arming:
        workspace = await get_workspace(arming, account_id=shop.account_id, lock=True)
        workspace.live_monitored_at = shop.now
        await arming.flush()
        await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
        reading = asyncio.create_task(shop.read())
        async with shop.world.database.system() as watching:
            while not (await watching.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted"))).first():
                assert not reading.done(), "it took the workspace for one that is not live"
                await asyncio.sleep(0.01)
    assert await reading == 1
    assert await shop.reasons() == ["first", "event"]
