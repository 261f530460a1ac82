"""A page says how fresh its figures are, and when they are not, why and what to do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of, connected


async def mark(world: World, **marks: object) -> None:
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        await session.execute(update(Connection).values(**marks))


async def test_the_connection_page_says_through_when_data_is_shown(
    alice: Browser, world: World, clock: MovedClock
) -> None:
    await connected(world, ALICE, "alice")
    assert "Showing data through" not in (await alice.get("/connection")).text
    await mark(
        world, synced_through=clock.now() - timedelta(hours=2), polled_through=clock.now() - timedelta(minutes=12)
    )
    page = (await alice.get("/connection")).text
    assert "Showing data through" in page
    assert "12\u00a0minutes ago" in page
    assert "Stripe could not be read since" not in page


async def test_after_a_long_silence_it_says_why_and_what_to_do(alice: Browser, world: World, clock: MovedClock) -> None:
    await connected(world, ALICE, "alice")
    await mark(world, synced_through=clock.now() - timedelta(days=3))
    page = (await alice.get("/connection")).text
    assert "3\u00a0days ago" in page
    assert "Stripe could not be read since." in page
    assert "tries again by itself" in page
