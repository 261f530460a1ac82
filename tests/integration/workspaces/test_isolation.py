"""The workspaces of one account are kept apart like any two accounts, but for who pays and what they may do."""

from __future__ import annotations

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.isolation.catalogue import tenant_tables
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE
from tests.integration.workspaces.conftest import browser_of, put_on, switched

SHARED = {"subscriptions", "account_feature_overrides", "account_limit_overrides", "usage_counters"}


async def test_the_database_shows_an_account_its_workspaces_names_and_a_workspace_what_was_bought_and_no_more(
    world: World, stored: asyncpg.Connection, alice: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    connection = await asyncpg.connect(world.database.urls.app.replace("postgresql+asyncpg", "postgresql"))
    try:
        tables = await tenant_tables(connection)
        seen: dict[tuple[str, str], set[str]] = {}
        for here, there in ((alice, north), (north, alice)):
            await connection.execute("SELECT set_config('app.current_account_id', $1, false)", str(here.account_id))
            for table in tables:
                if "SELECT" in table.privileges and await connection.fetchval(
                    f"SELECT EXISTS (SELECT FROM {table.name} WHERE {table.account_column} = $1)",
                    there.account_id,
                ):
                    seen.setdefault((here.account_name, there.account_name), set()).add(table.name)
        assert seen == {("Alice's shop", "North"): {"accounts"}, ("North", "Alice's shop"): {"subscriptions"}}
        # the workspace reads what was bought, and can neither change it nor leave
        for change in (
            "UPDATE subscriptions SET plan = 'free' WHERE account_id = $1 RETURNING 1",
            "UPDATE accounts SET name = 'x' WHERE id = $1 RETURNING 1",
            "DELETE FROM accounts WHERE id = $1 RETURNING 1",
        ):
            assert await connection.fetch(change, alice.account_id) == []
        for parent in (None, dora.user_id):
            with pytest.raises(asyncpg.ForeignKeyViolationError, match="stays where it belongs"):
                await connection.execute("UPDATE accounts SET parent_id = $2 WHERE id = $1", north.account_id, parent)
    finally:
        await connection.close()
    below = "INSERT INTO accounts (id, name, parent_id) VALUES ($1, 'deeper', $2)"
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="a workspace has no workspaces"):
        await stored.execute(below, dora.user_id, north.account_id)


async def test_nobody_sees_or_reaches_a_workspace_that_they_are_not_in(
    world: World, app: FastAPI, alice: SignedIn, bob: SignedIn, charlie: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    for who in (bob, charlie):
        browser = await browser_of(app, world, who)
        refused = await browser.post("/account/switch", {"account_id": str(north.account_id)}, **MACHINE)
        assert refused.status_code == 404
        assert "North" not in (await browser.get("/account/profile")).text
    # a member of the workspace alone is told whose it is, and gets nowhere else
    browser = await browser_of(app, world, dora)
    page = (await browser.get("/workspaces")).text
    assert "North" in page
    assert "Alice&#39;s shop" in page.split("<h1>")[1].split("</h1>")[0]
    assert page.count('<th scope="row">') == 1
    assert (await browser.post("/account/switch", {"account_id": str(alice.account_id)}, **MACHINE)).status_code == 404
    # what is settled in the account is not settled in a workspace, not even by its owner
    here = await switched(app, world, north, north.account_id)
    for path in ("/account/billing", "/account/billing/select-plan", "/account/sso", "/workspaces/new"):
        answer = await here.get(path, **MACHINE)
        assert (answer.status_code, answer.json()["code"]) == (409, "of_account"), path
    page = (await here.get("/account/billing")).text
    assert "This belongs to Alice&#39;s shop" in page
    assert "Switch to Alice&#39;s shop" in page
    assert "You own this workspace with its account" in (await here.get("/account/team")).text
    answer = await here.post("/account/switch", {"account_id": str(alice.account_id), "then": "/account/billing"})
    assert answer.headers["Location"] == "/account/billing"
    elsewhere = {"account_id": str(alice.account_id), "then": "https://elsewhere.example"}
    assert (await here.post("/account/switch", elsewhere)).headers["Location"] == "/start"
    # Bob manages the account's workspaces without being in one; a stranger's account has none of these
    manager = await browser_of(app, world, bob)
    assert "Dora" in (await manager.get(f"/workspaces/{north.account_id}")).text
    stranger = await browser_of(app, world, charlie)
    assert (await stranger.get(f"/workspaces/{north.account_id}", **MACHINE)).status_code == 404


async def test_every_workspace_may_what_its_account_may_and_rests_where_the_plan_holds_one(
    world: World, app: FastAPI, stored: asyncpg.Connection, alice: SignedIn, north: SignedIn
) -> None:
    first, further = await browser_of(app, world, alice), await switched(app, world, north, north.account_id)
    assert "/welcome" not in (await further.get("/start")).headers["Location"], "the wizard is the account's"
    assert (await further.get("/alerts")).headers["Location"] == "/dashboard/activate-prompt"
    told = (await further.get("/api/v1/billing/state", **MACHINE)).json()
    assert told["subscription"]["plan"] == "enterprise"
    # a smaller plan: the first workspace goes on, the further one says so and keeps what it holds
    await put_on(world, stored, alice, "starter")
    assert (await first.get("/settings")).status_code == 200
    paused = await further.get("/settings")
    assert paused.status_code == 402
    for words in ("North is paused", "Go to the plans", "/account/export", "/account/delete", "/history"):
        assert words in paused.text
    answer = await further.get("/settings", **MACHINE)
    assert (answer.status_code, answer.json()["code"]) == (402, "workspace_paused")
    assert "This workspace is paused." in (await further.get("/history")).text
    assert (await further.get("/account/export")).status_code == 200
    explained = (await further.get("/api/v1/entitlements/sso/explain", **MACHINE)).json()
    assert explained["value"] is False
    explained = (await further.get("/api/v1/entitlements/reserve_projection/explain", **MACHINE)).json()
    assert (explained["value"], explained["winner"]["source"]) == (False, "workspaces")
    assert (await first.get("/workspaces")).status_code == 402, "what several need is offered"
    # an exception of the account's opens it again, in every process
    await stored.execute(
        "INSERT INTO account_feature_overrides (account_id, id, feature, enabled, reason, author, starts_at) "
        "VALUES ($1, gen_random_uuid(), 'multi_processor', true, 'agreed', 'Sam', $2)",
        alice.account_id,
        world.clock.now(),
    )
    await put_on(world, stored, alice, "starter")
    assert (await further.get("/settings")).status_code == 200
    # and where no plan of the account runs, none of its workspaces does
    await put_on(world, stored, alice, "starter", "canceled")
    wall = await further.get("/settings")
    assert wall.status_code == 402
    assert "It stands where its account" in wall.text
    assert (await further.get("/settings", **MACHINE)).json()["code"] == "subscription_inactive"
