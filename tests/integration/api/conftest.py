"""A live workspace of Alice's, and a program that holds a key of hers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.keys.rules import SCOPES
from payflux.frontdoor.accounts.keys.service import create_key
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.monitor.alerts.evaluating import evaluate
from payflux.monitor.alerts.queries import list_alerts
from payflux.monitor.alerts.rules import Bounds, Reading
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import acting
from tests.integration.watching.conftest import START, Shop, open_shop

__all__ = ["START"]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@pytest.fixture
async def shop(world: World, clock: MovedClock) -> Shop:
    return await open_shop(world, clock, "alice")


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def owner_of(world: World, shop: Shop) -> SignedIn:
    async with world.database.system() as session:
        found = await session.execute(Membership.__table__.select().where(Membership.account_id == shop.account_id))
        user_id = found.one().user_id
    return await acting(world, user_id, shop.account_id)


async def key_for(world: World, shop: Shop, *scopes: str) -> str:
    who = await owner_of(world, shop)
    async with world.database.tenant(shop.account_id) as session:
        made = await create_key(
            session,
            world.tokens,
            who,
            name="program",
            scopes=scopes or SCOPES,
            days=90,
            environment="test",
            now=world.clock.now(),
        )
    return made.secret


@pytest.fixture
async def program(app: FastAPI, world: World, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the API with a key that may do everything that a key can."""
    headers = {"Authorization": f"Bearer {await key_for(world, shop)}"}
    transport = httpx.ASGITransport(app)
    base_url = f"{world.settings.url}/api/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers) as client:
        yield client


async def raise_alerts(world: World, shop: Shop) -> list[UUID]:
    """Open alerts of the workspace, by two made-up readings."""
    calm = Reading(
        as_of=shop.now,
        risk_tier=2,
        band="moderate",
        trend="STABLE",
        stability_score=74,
        currency="usd",
        trapped={90: Bounds(1_200_000, 1_150_000, 1_250_000)},
        signals={},
        causes=(("120 disputes on 30,000 payments are 0.40 %.", "Refund doubtful payments."),),
    )
    worse = replace(calm, as_of=shop.now + timedelta(hours=6), risk_tier=4, band="high", trend="DEGRADING")
    async with world.database.tenant(shop.account_id) as session:
        account_id, workspace_id = shop.account_id, shop.workspace_id
        await evaluate(
            session, account_id=account_id, workspace_id=workspace_id, before=calm, after=worse, now=worse.as_of
        )
        raised = await list_alerts(session, account_id=account_id, workspace_id=workspace_id, states=[], limit=9)
    return [alert.id for alert in raised]
