"""Accounts apart: none sees what is another's."""

from __future__ import annotations

from sqlalchemy import func, select, text, update

from payflux.activation.models import Workspace
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import ALICE, CHARLIE, account_of, connected


async def test_an_account_sees_its_own_connection_and_progress_alone(
    alice: Browser, charlie: Browser, world: World
) -> None:
    await connected(world, ALICE, "Alices_shop")
    assert "Alices_shop" in (await alice.get("/connection")).text
    assert (await alice.get("/activate/arming/state", **MACHINE)).json()["state"] == "connected_generating"
    assert "No processor is connected" in (await charlie.get("/connection")).text
    assert (await charlie.get("/activate/arming/state", **MACHINE)).json()["state"] == "paid_unconnected"
    assert (await charlie.post("/connection/disconnect")).status_code == 303
    assert (await charlie.post("/activate/cancel")).status_code == 303
    assert (await alice.get("/activate/arming/state", **MACHINE)).json()["state"] == "connected_generating"


async def test_a_row_that_points_into_another_account_shows_nothing_of_it(
    alice: Browser, charlie: Browser, world: World
) -> None:
    theirs = await connected(world, ALICE, "Alices_shop")
    mine = await account_of(world, CHARLIE)
    async with world.database.tenant(mine) as session:
        await session.execute(update(Workspace).values(connection_id=theirs))
        assert (await session.execute(select(func.count()).select_from(Connection))).scalar_one() == 0
        assert (await session.execute(text("SELECT count(*) FROM workspaces"))).scalar_one() == 1
    for path in ("/connection", "/activate", "/activate/arming/state", "/dashboard"):
        assert "Alices_shop" not in (await charlie.get(path)).text
    assert (await charlie.get("/connection")).status_code == 404
    assert (await charlie.post("/connection/disconnect")).status_code == 404
    assert "Alices_shop" in (await alice.get("/connection")).text
