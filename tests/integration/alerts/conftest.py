"""Alice's workspace with the default rules armed on a first reading, and readings to judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import service as activation
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.monitor.alerts.evaluating import evaluate
from payflux.monitor.alerts.models import Alert, AlertEvent, AlertRule
from payflux.monitor.alerts.rules import Bounds, Flip, Reading
from payflux.monitor.alerts.service import arm_default_rules
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_owner

SWEEP = timedelta(hours=6)


@dataclass
class Watched:
    """A workspace whose readings a test makes up; each is a sweep later than the one before."""

    world: World
    clock: MovedClock
    who: SignedIn
    workspace_id: UUID
    last: Reading

    @property
    def account_id(self) -> UUID:
        return self.who.account_id

    @property
    def where(self) -> dict[str, UUID]:
        return {"account_id": self.account_id, "workspace_id": self.workspace_id}

    async def read(self, *, after: timedelta = SWEEP, **changes: object) -> list[Flip]:
        """A new reading, like the last but for `changes`, is judged."""
        self.clock.move(after)
        async with self.world.database.tenant(self.account_id) as session:
            return await self.judge(session, **changes)

    async def judge(self, session: AsyncSession, **changes: object) -> list[Flip]:
        """The same in a transaction of the caller's, at this instant."""
        before, now = self.last, self.clock.now()
        self.last = replace(before, as_of=now, **changes)
        return await evaluate(
            session, account_id=self.account_id, workspace_id=self.workspace_id, before=before, after=self.last, now=now
        )

    async def alerts(self) -> list[Alert]:
        """Every alert there is, the oldest first."""
        async with self.world.database.tenant(self.account_id) as session:
            return list((await session.execute(select(Alert).order_by(Alert.raised_at, Alert.id))).scalars())

    async def history(self) -> list[AlertEvent]:
        async with self.world.database.tenant(self.account_id) as session:
            return list((await session.execute(select(AlertEvent).order_by(AlertEvent.at, AlertEvent.id))).scalars())

    async def rule(self, trigger: str) -> AlertRule:
        async with self.world.database.tenant(self.account_id) as session:
            return (await session.execute(select(AlertRule).where(AlertRule.trigger == trigger))).scalar_one()


@pytest.fixture
async def alice(world: World) -> SignedIn:
    return await add_owner(world, "Alice")


@pytest.fixture
async def watched(world: World, clock: MovedClock, alice: SignedIn) -> Watched:
    now = clock.now()
    async with world.database.tenant(alice.account_id) as session:
        workspace = await activation.get_workspace(session, account_id=alice.account_id)
        await arm_default_rules(session, account_id=alice.account_id, workspace_id=workspace.id, now=now)
    first = Reading(
        as_of=now,
        risk_tier=2,
        band="moderate",
        trend="STABLE",
        stability_score=74,
        currency="usd",
        trapped={
            30: Bounds(400_000, 380_000, 420_000),
            60: Bounds(800_000, 760_000, 840_000),
            90: Bounds(1_200_000, 1_150_000, 1_250_000),
        },
        signals={"dispute_activity": Bounds(0.004, 0.003, 0.005)},
        causes=(("120 disputes on 30,000 payments are 0.40 %.", "Refund doubtful payments before they are disputed."),),
    )
    return Watched(world, clock, alice, workspace.id, first)


SPIKE = {
    30: Bounds(410_000, 390_000, 430_000),
    60: Bounds(820_000, 770_000, 860_000),
    90: Bounds(1_700_000, 1_600_000, 1_800_000),
}
"""Trapped capital whose T+90 is past a quarter more, and past its worst case; the other windows are as they were."""
