"""Whatever is read and whatever members do, the stored alerts tell one story."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from payflux.monitor.alerts import handling
from payflux.monitor.alerts.models import AlertState, Happening
from payflux.monitor.alerts.rules import CALM_FOR, Bounds, Flip
from tests.integration.alerts.conftest import Watched

BY_READING = {Happening.RAISED: Flip.RAISED, Happening.WORSENED: Flip.WORSENED, Happening.CLEARED: Flip.CLEARED}
READINGS = 60


@pytest.mark.parametrize("seed", range(3))
async def test_every_flip_has_its_row_and_no_rule_two_open_alerts(watched: Watched, seed: int) -> None:
    chance, flips = Random(seed), []
    for _ in range(READINGS):
        await _a_member_does_something(watched, chance)
        t90 = chance.choice([900_000, 1_200_000, 1_300_000, 1_700_000, 2_400_000])
        flips += await watched.read(
            after=timedelta(hours=chance.choice([1, 3, 6])),
            risk_tier=chance.choice([1, 2, 2, 3, 4]),
            trend=chance.choice(["STABLE", "DEGRADING"]),
            trapped={90: Bounds(t90, t90 * 0.95, t90 * 1.05)},
        )
        open_rules = [alert.rule_id for alert in await watched.alerts() if alert.state != AlertState.RESOLVED]
        assert len(open_rules) == len(set(open_rules))
    history = await watched.history()
    told = [BY_READING[Happening(event.kind)] for event in history if event.kind in BY_READING]
    assert sorted(told) == sorted(flips)
    assert len(flips) > 20
    for alert in await watched.alerts():
        events = [event for event in history if event.alert_id == alert.id]
        assert events[0].kind == Happening.RAISED
        ends = [event for event in events if event.kind in (Happening.CLEARED, Happening.RESOLVED)]
        assert ends == ([events[-1]] if alert.state == AlertState.RESOLVED else [])
        if ends and ends[0].kind == Happening.CLEARED:
            loud = max(event.at for event in events if event.kind in (Happening.RAISED, Happening.WORSENED))
            assert ends[0].at - loud > CALM_FOR


async def _a_member_does_something(watched: Watched, chance: Random) -> None:
    unresolved = [alert for alert in await watched.alerts() if alert.state != AlertState.RESOLVED]
    if not unresolved or chance.random() < 0.7:
        return
    who = {
        "account_id": watched.account_id,
        "alert_id": chance.choice(unresolved).id,
        "actor_id": watched.who.user_id,
        "now": watched.clock.now(),
    }
    async with watched.world.database.tenant(watched.account_id) as session:
        match chance.choice(["acknowledge", "snooze", "resolve"]):
            case "acknowledge":
                await handling.acknowledge(session, **who)
            case "snooze":
                await handling.snooze(session, length="1h", **who)
            case _:
                await handling.resolve(session, **who)
