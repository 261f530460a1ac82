"""A merchant who knows the reserve tells it, and projections go by that."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from payflux.kit.ids import new_id
from payflux.monitor.alerts.models import Alert, AlertEvent, AlertRule
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.models import ProjectionScoreRecord
from payflux.monitor.projections.terms import set_terms
from payflux.monitor.projections.timeline import newest_points
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.service import answer_at
from tests.integration.watching.conftest import Shop, dispute

MINUTE = timedelta(minutes=1)


async def tell_terms(shop: Shop, rate: str = "", hold_days: str = "", horizons: str = "") -> None:
    async with shop.world.database.tenant(shop.account_id) as session:
        await set_terms(
            session,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            rate=rate,
            hold_days=hold_days,
            horizons=horizons,
            actor_id=new_id(),
            now=shop.now,
        )
    shop.clock.move(MINUTE)


async def alerts(shop: Shop) -> dict[str, str]:
    """The state of each alert, by what its rule watches."""
    async with shop.world.database.tenant(shop.account_id) as session:
        query = select(AlertRule.trigger, Alert.state).join(Alert, Alert.rule_id == AlertRule.id)
        return dict(tuple(row) for row in await session.execute(query))


async def test_the_next_projection_goes_by_the_terms_and_is_scored_at_their_horizons(shop: Shop) -> None:
    before = (await shop.newest()).projection
    await tell_terms(shop, "15", "120", "14, 120")
    assert await shop.read() == 1
    after = await shop.newest()
    assert after.reason == "terms"
    scenario = after.projection.scenario
    assert (scenario.rate, scenario.hold_days) == (0.15, 120)
    assert [window.horizon_days for window in after.projection.windows] == [14, 30, 60, 90, 120]
    assert after.projection.inputs_hash != before.inputs_hash
    async with shop.world.database.tenant(shop.account_id) as session:
        horizons = select(ProjectionScoreRecord.horizon_days).where(ProjectionScoreRecord.scored_at.is_(None))
        assert {14, 120} <= set((await session.execute(horizons)).scalars())
    await tell_terms(shop)
    await shop.read()
    again = (await shop.newest()).projection
    assert (again.scenario, [one.horizon_days for one in again.windows]) == (before.scenario, [30, 60, 90])


async def test_saving_the_same_terms_again_reads_nothing(shop: Shop) -> None:
    await tell_terms(shop, "15", "120")
    assert await shop.read() == 1
    await tell_terms(shop, "15 %", "120", "60")
    assert await shop.read() == 0


async def test_other_terms_are_no_alarm_and_end_one_that_compared_with_the_old(shop: Shop) -> None:
    await tell_terms(shop, "30", "120")
    await shop.read()
    assert await alerts(shop) == {}
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    shop.clock.move(MINUTE)
    await shop.read()
    raised = await alerts(shop)
    assert raised["tier_escalation"] == "open"
    await tell_terms(shop, "5", "30")
    await shop.read()
    ended = await alerts(shop)
    assert ended["tier_escalation"] == "open"
    capital = {"reserve_spike", "projection_breach"} & set(raised)
    assert all(ended[trigger] == "resolved" for trigger in capital)


async def test_looking_further_ahead_ends_no_alert_and_hides_no_news(shop: Shop) -> None:
    await tell_terms(shop, "1", "30")
    await shop.read()
    async with shop.world.database.tenant(shop.account_id) as session:
        # as if far less had been told of before, so that what stands is a spike
        spike = AlertRule.trigger == "reserve_spike"
        await session.execute(update(AlertRule).where(spike).values(level={"usd 90": 1.0}))
    await tell_terms(shop, "1", "30", "120")
    await shop.read()
    assert (await alerts(shop)).get("reserve_spike") == "open"
    await tell_terms(shop, "1", "30", "14")
    await shop.read()
    assert (await alerts(shop))["reserve_spike"] == "open"
    async with shop.world.database.tenant(shop.account_id) as session:
        breach = select(AlertRule.level).where(AlertRule.trigger == "projection_breach")
        judged = (await session.execute(breach)).scalar_one()
    assert set(judged or {}) == {"usd 30", "usd 60", "usd 90"}, "alerts rest on what every projection looks ahead to"
    # another reserve ends it, which is not because readings were calm
    await tell_terms(shop, "2", "30", "14")
    await shop.read()
    async with shop.world.database.tenant(shop.account_id) as session:
        history = select(AlertEvent.kind).order_by(AlertEvent.at, AlertEvent.id)
        assert list((await session.execute(history)).scalars()) == ["raised", "resolved"]


async def test_a_what_if_starts_from_the_terms(shop: Shop) -> None:
    await tell_terms(shop, "15", "120")
    await shop.read()
    async with shop.world.database.tenant(shop.account_id) as session:
        connection = await get_connection(session, account_id=shop.account_id, connection_id=shop.connection_id)
        reply = await answer_at(session, connection, as_of=shop.now, changes=Changes(hold_days=30))
    assert reply.answer is not None
    now, then = reply.answer.projection_before.scenario, reply.answer.projection_after.scenario
    assert (now.rate, now.hold_days) == (then.rate, 120) == (0.15, 120)
    assert then.hold_days == 30


async def test_readings_on_other_terms_are_compared_at_the_same_horizon(shop: Shop) -> None:
    await tell_terms(shop, horizons="120")
    await shop.read()
    async with shop.world.database.tenant(shop.account_id) as session:
        connection = await get_connection(session, account_id=shop.account_id, connection_id=shop.connection_id)
        points = await newest_points(session, connection, limit=2)
    assert [point.window(90).horizon_days for point in points] == [90, 90]
    assert points[0].windows[-1].horizon_days == 120
    assert points[0].window(90).trapped == points[1].window(90).trapped
