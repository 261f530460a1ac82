"""A page says whether the books add up; a difference is shown, never hidden."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.reconciling.models import Reconciliation
from payflux.monitor.processors.reconciling.rules import Identity, State
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, CHARLIE, account_of, connected


async def keep(world: World, email: str, *, actual: int = 1200, hours: int = 1) -> None:
    """A check of a balance that changed by $12.00 and whose movements came to `actual`, `hours` ago."""
    now = world.clock.now()
    async with world.database.tenant(await account_of(world, email)) as session:
        connection = (await session.execute(select(Connection))).scalar_one()
        session.add(
            Reconciliation(
                account_id=connection.account_id,
                connection_id=connection.id,
                identity=Identity.BALANCE_CHANGE,
                subject="payments",
                currency="usd",
                since=now - timedelta(hours=hours),
                until=now - timedelta(hours=hours - 1),
                expected=1200,
                actual=actual,
                state=State.HOLDS if actual == 1200 else State.DIFFERS,
                reason="" if actual == 1200 else "Another amount.",
                checked_at=now,
            )
        )


async def test_books_that_add_up_are_said_to(alice: Browser, world: World) -> None:
    await connected(world, ALICE, "alice")
    await keep(world, ALICE)
    page = (await alice.get("/connection")).text
    assert "Whether the books add up" in page
    assert "Adds up" in page
    assert "Differs" not in page


async def test_a_later_stretch_that_adds_up_does_not_hide_an_earlier_one_that_did_not(
    alice: Browser, world: World
) -> None:
    await connected(world, ALICE, "alice")
    await keep(world, ALICE)
    await keep(world, ALICE, actual=0, hours=48)
    page = (await alice.get("/connection")).text
    assert "Differs by $12.00: Another amount." in page
    assert "Adds up" in page


async def test_a_difference_of_long_ago_is_no_longer_shown(alice: Browser, world: World) -> None:
    await connected(world, ALICE, "alice")
    await keep(world, ALICE)
    await keep(world, ALICE, actual=0, hours=31 * 24)
    assert "Differs" not in (await alice.get("/connection")).text


async def test_nobody_sees_the_books_of_another_account(alice: Browser, charlie: Browser, world: World) -> None:
    await connected(world, ALICE, "alice")
    await keep(world, ALICE)
    await connected(world, CHARLIE, "charlie")
    assert "books add up" in (await alice.get("/connection")).text
    assert "books add up" not in (await charlie.get("/connection")).text
