"""A reading is judged by the rules of its workspace; what it does to alerts is stored with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from payflux.activation import service as activation
from payflux.kit.audit import AuditEntry
from payflux.kit.errors import NotFound
from payflux.monitor.alerts import handling
from payflux.monitor.alerts.evaluating import evaluate
from payflux.monitor.alerts.models import AlertState
from payflux.monitor.alerts.queries import events_of, told_facts, unresolved_alerts
from payflux.monitor.alerts.rules import Flip
from payflux.monitor.alerts.service import arm_default_rules
from tests.integration.alerts.conftest import SPIKE, SWEEP, Watched
from tests.integration.team.conftest import add_owner


async def test_a_calm_reading_raises_nothing(watched: Watched) -> None:
    assert await watched.read() == []
    assert await watched.alerts() == []


async def test_a_worse_reading_opens_one_alert_for_each_rule_that_it_is_past(watched: Watched) -> None:
    assert await watched.read(risk_tier=3, band="elevated", trend="DEGRADING", trapped=SPIKE) == [Flip.RAISED] * 4
    alerts = await watched.alerts()
    assert {told_facts(alert).trigger for alert in alerts} == {
        "tier_escalation",
        "reserve_spike",
        "trend_degradation",
        "projection_breach",
    }
    assert all(alert.state == AlertState.OPEN for alert in alerts)
    spike = next(told_facts(alert) for alert in alerts if told_facts(alert).trigger == "reserve_spike")
    assert (spike.before, spike.measured) == ({"usd 90": 1_200_000}, {"usd 90": (1_700_000, 1_600_000, 1_800_000)})
    assert spike.causes[0][1] == "Refund doubtful payments before they are disputed."
    assert [(event.kind, event.tells) for event in await watched.history()] == [("raised", True)] * 4
    for trigger in ("tier_escalation", "reserve_spike"):
        assert (await watched.rule(trigger)).last_triggered_at == watched.clock.now()


async def test_the_same_reading_judged_again_changes_nothing(watched: Watched) -> None:
    await watched.read(risk_tier=3)
    before = [event.id for event in await watched.history()]
    async with watched.world.database.tenant(watched.account_id) as session:
        assert await watched.judge(session, risk_tier=5) == []
    assert [event.id for event in await watched.history()] == before


async def test_an_alert_clears_after_two_calm_readings_and_may_be_raised_anew(watched: Watched) -> None:
    assert await watched.read(risk_tier=3) == [Flip.RAISED]
    assert await watched.read(risk_tier=2) == []
    assert await watched.read(risk_tier=2) == [Flip.CLEARED]
    assert await watched.read(risk_tier=3) == [Flip.RAISED]
    assert [alert.state for alert in await watched.alerts()] == [AlertState.RESOLVED, AlertState.OPEN]
    assert [event.kind for event in await watched.history()] == ["raised", "cleared", "raised"]


async def test_a_flip_and_the_job_that_tells_it_stand_or_fall_together(watched: Watched) -> None:
    watched.clock.move(SWEEP)
    calm = watched.last

    async def interrupted() -> None:
        async with watched.world.database.tenant(watched.account_id) as session:
            await watched.judge(session, risk_tier=3)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await interrupted()
    assert await watched.alerts() == []
    assert await queued(watched) == 0
    watched.last = calm
    await watched.read(risk_tier=3)
    assert await queued(watched) == 1


async def test_readings_judged_at_the_same_time_raise_one_alert(watched: Watched) -> None:
    calm = watched.last

    async def judged(after: timedelta) -> None:
        # each follows the reading that is stored: none of the others has been committed yet
        now = watched.clock.now() + after
        worse = replace(calm, as_of=now, risk_tier=3)
        async with watched.world.database.tenant(watched.account_id) as session:
            await evaluate(
                session,
                account_id=watched.account_id,
                workspace_id=watched.workspace_id,
                before=calm,
                after=worse,
                now=now,
            )

    await asyncio.gather(*(judged(timedelta(seconds=number)) for number in (1, 2, 3, 4)))
    assert len(await watched.alerts()) == 1


async def test_what_somebody_looks_after_is_opened_again_only_by_worse(watched: Watched) -> None:
    await watched.read(risk_tier=3)
    alert = (await watched.alerts())[0]
    async with watched.world.database.tenant(watched.account_id) as session:
        await handling.acknowledge(
            session,
            account_id=watched.account_id,
            alert_id=alert.id,
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
    assert await watched.read(risk_tier=3) == []
    assert (await watched.alerts())[0].state == AlertState.ACKNOWLEDGED
    assert await watched.read(risk_tier=4) == [Flip.WORSENED]
    assert (await watched.alerts())[0].state == AlertState.OPEN
    assert [(event.kind, event.tells) for event in await watched.history()] == [
        ("raised", True),
        ("acknowledged", False),
        ("worsened", True),
    ]


async def test_a_snoozed_alert_is_silent_even_when_it_worsens_and_wakes_once(watched: Watched) -> None:
    await watched.read(risk_tier=3)
    alert = (await watched.alerts())[0]
    common = {"account_id": watched.account_id, "alert_id": alert.id}
    async with watched.world.database.tenant(watched.account_id) as session:
        await handling.snooze(session, **common, length="1d", actor_id=watched.who.user_id, now=watched.clock.now())
    await watched.read(risk_tier=4)
    async with watched.world.database.tenant(watched.account_id) as session:
        assert not await handling.wake(session, **common, now=watched.clock.now())
        assert (await unresolved_alerts(session, **watched.where))[0].state == AlertState.SNOOZED
        later = watched.clock.now() + handling.SNOOZES["1d"]
        assert await handling.wake(session, **common, now=later)
        assert not await handling.wake(session, **common, now=later)
        found = await events_of(session, account_id=watched.account_id, alert_ids=[alert.id])
    assert [(event.kind, event.tells) for event in found[alert.id]] == [
        ("raised", True),
        ("snoozed", False),
        ("worsened", False),
        ("woken", True),
    ]


async def test_what_a_member_resolves_is_over_in_the_log_and_for_the_rule(watched: Watched) -> None:
    await watched.read(risk_tier=3)
    alert = (await watched.alerts())[0]
    common = {"account_id": watched.account_id, "alert_id": alert.id, "actor_id": watched.who.user_id}
    async with watched.world.database.tenant(watched.account_id) as session:
        await handling.resolve(session, **common, now=watched.clock.now())
    assert await watched.read(risk_tier=3) == []
    assert await watched.read(risk_tier=4) == [Flip.RAISED]
    async with watched.world.database.tenant(watched.account_id) as session:
        with pytest.raises(handling.AlertResolved):
            await handling.acknowledge(session, **common, now=watched.clock.now())
        entries = await session.execute(select(AuditEntry).where(AuditEntry.action.startswith("alert.")))
        (entry,) = entries.scalars()
    assert (entry.action, entry.subject, entry.actor_id) == ("alert.resolved", str(alert.id), watched.who.user_id)
    assert (entry.before, entry.after) == ({"state": "open"}, {"state": "resolved", "rule": "Tier escalation"})


async def test_a_stranger_finds_no_alert_of_another_account(watched: Watched) -> None:
    await watched.read(risk_tier=3)
    alert = (await watched.alerts())[0]
    charlie = await add_owner(watched.world, "Charlie")
    async with watched.world.database.tenant(charlie.account_id) as session:
        for alert_id in (alert.id, uuid4()):
            with pytest.raises(NotFound):
                await handling.resolve(
                    session,
                    account_id=charlie.account_id,
                    alert_id=alert_id,
                    actor_id=charlie.user_id,
                    now=watched.clock.now(),
                )


async def test_another_history_starts_every_rule_anew_and_ends_what_was_open(watched: Watched) -> None:
    await watched.read(risk_tier=4)
    async with watched.world.database.tenant(watched.account_id) as session:
        await arm_default_rules(session, **watched.where, now=watched.clock.now())
        workspace = await activation.get_workspace(session, account_id=watched.account_id)
    assert workspace.id == watched.workspace_id
    assert [alert.state for alert in await watched.alerts()] == [AlertState.RESOLVED]
    assert await watched.read(risk_tier=4) == []
    assert await watched.read(risk_tier=5) == [Flip.RAISED]


async def queued(watched: Watched) -> int:
    async with watched.world.database.system() as session:
        found = await session.execute(text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'tell_alert'"))
        return found.scalar_one()
