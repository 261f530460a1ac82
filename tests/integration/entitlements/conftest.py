"""Alice's account, and two processes that serve it: each a world of its own, with its cache and connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
import pytest

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.catalogue.publishing import publish
from payflux.frontdoor.catalogue.queries import sold_plan
from payflux.frontdoor.entitlements.overriding import Author, set_feature_override, set_limit_override
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_owner

SAM = Author("sam@payflux.example")


@pytest.fixture
async def alice(world: World) -> SignedIn:
    return await add_owner(world, "Alice")


@pytest.fixture
async def other_process(settings: Settings, owner_url: str, clock: MovedClock) -> AsyncIterator[World]:
    built = build_world(settings, database_url=owner_url, clock=clock)
    yield built
    await built.close()


async def held_by(world: World, who: SignedIn, *, fresh: bool = False) -> Entitlements:
    """What a request that `world` serves finds."""
    async with world.database.tenant(who.account_id) as session:
        return await entitlements_of(session, world, account_id=who.account_id, fresh=fresh)


async def give_feature(
    world: World, who: SignedIn, feature: str, *, enabled: bool = True, until: datetime | None = None
) -> UUID:
    async with world.database.system() as session:
        row = await set_feature_override(
            session,
            account_id=who.account_id,
            feature=feature,
            enabled=enabled,
            reason="agreed with sales",
            author=SAM,
            now=world.clock.now(),
            expires_at=until,
        )
    return row.id


async def give_limit(world: World, who: SignedIn, limit_key: str, value: int | None) -> UUID:
    async with world.database.system() as session:
        row = await set_limit_override(
            session,
            account_id=who.account_id,
            limit_key=limit_key,
            value=value,
            reason="agreed with sales",
            author=SAM,
            now=world.clock.now(),
        )
    return row.id


async def sell_without(world: World, plan: str, feature: str) -> None:
    """Publish `plan` anew, without `feature`."""
    async with world.database.system() as session:
        content = (await sold_plan(session, plan)).content
        less = msgspec.structs.replace(content, features=content.features - {feature})
        await publish(session, plan=plan, content=less, source="staff", now=world.clock.now(), published_by=SAM.name)


def at(world: World, instant: datetime) -> World:
    """The same process at another instant."""
    return replace(world, clock=MovedClock(instant))
