"""What the workspaces of an account come to: on its page, for programs, and in what is counted of accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from payflux.activation.workspaces import open_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.complimentary import PaidFor, candidates, grant_complimentary
from payflux.frontdoor.funnel.events import CatalogueKey, ProcessorConnected
from payflux.frontdoor.funnel.jobs import send_product_events
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.staff.finding import account_record
from payflux.monitor.projections.projection import ReserveProjection
from payflux.web.formatting import money_short
from payflux.world.bootstrap import World
from tests.conftest import MovedClock, with_settings
from tests.integration.api.conftest import key_for, owner_of
from tests.integration.pages.browser import MACHINE
from tests.integration.team.conftest import add_user
from tests.integration.watching.conftest import START, Shop, dispute, open_shop
from tests.integration.workspaces.conftest import browser_of, put_on


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@pytest.fixture
async def shops(world: World, clock: MovedClock, stored: asyncpg.Connection) -> list[Shop]:
    """Alice's shop and, as a further workspace of its account, another one, both live with their own readouts."""
    first, further = await open_shop(world, clock, "alice"), await open_shop(world, clock, "north", sales_a_day=9)
    owner = (await owner_of(world, first)).user_id
    async with stored.transaction():
        # a workspace is made as one; that it was an account before is a thing of this test
        await stored.execute("SET LOCAL session_replication_role = replica")
        await stored.execute("DELETE FROM subscriptions WHERE account_id = $1", further.account_id)
        await stored.execute("UPDATE memberships SET user_id = $2 WHERE account_id = $1", further.account_id, owner)
        await stored.execute(
            "UPDATE accounts SET parent_id = $2, name = 'North' WHERE id = $1", further.account_id, first.account_id
        )
    await put_on(world, stored, await owner_of(world, first), "enterprise")
    return [first, further]


def at_90(projection: ReserveProjection) -> tuple[int, int, int]:
    window = next(each for each in projection.windows if each.horizon_days == 90)
    return window.trapped, window.low, window.high


async def test_the_page_and_the_api_add_up_what_each_workspace_was_told_and_show_each_to_its_people_alone(
    world: World, app: FastAPI, stored: asyncpg.Connection, shops: list[Shop]
) -> None:
    alice = await owner_of(world, shops[0])
    third = await open_workspace(world, alice, name="West")  # nothing is connected there
    for shop in shops:
        await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    shops[0].clock.move(timedelta(minutes=1))
    assert await shops[0].read() == 2, "the plan of the account has its workspace watched"
    readouts = [(await shop.newest()) for shop in shops]
    told = [at_90(each.projection) for each in readouts]
    both = tuple(map(sum, zip(*told, strict=True)))
    assert min(told[0][0], told[1][0]) > 0

    browser = await browser_of(app, world, alice)
    page = (await browser.get("/workspaces")).text
    for amount in (told[0][0], told[1][0], both[0], both[1], both[2]):
        assert money_short(amount, "usd") in page
    for words in ("could be trapped at T+90, in USD", "All in USD, 2 workspaces", "Not connected", "West"):
        assert words in page
    assert page.count("chart-bars") == 2, "one chart, for a wide and a narrow screen"

    answer = (await browser.get("/api/v1/workspaces", **MACHINE)).json()
    lines = {each["name"]: each for each in answer["workspaces"]}
    assert [each["is_first"] for each in answer["workspaces"]] == [True, False, False]
    assert {name: each["state"] for name, each in lines.items() if name != "West"} == dict.fromkeys(
        set(lines) - {"West"}, "live"
    )
    assert (lines["West"]["state"], lines["West"]["exposures"], lines["West"]["data_as_of"]) == (
        "not_connected",
        [],
        None,
    )
    assert lines["North"]["open_alerts"] > 0
    assert lines["North"]["risk_tier"] == readouts[1].surface.risk_tier
    (total,) = answer["sums"]
    assert (total["currency"], total["workspaces"]) == ("usd", 2)
    assert [total["windows"][2][key] for key in ("trapped", "low", "high")] == list(both)

    # a key speaks for its workspace, and whoever is in one workspace sees it alone
    key = await key_for(world, shops[1], "risk:read")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=world.settings.url) as program:
        own = (await program.get("/api/v1/workspaces", headers={"Authorization": f"Bearer {key}"})).json()
    assert [each["name"] for each in own["workspaces"]] == ["North"]
    assert [own["sums"][0]["windows"][2][key] for key in ("trapped", "low", "high")] == list(told[1])
    dora = await add_user(world, "Dora")
    await stored.execute(
        "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'viewer')", shops[1].account_id, dora.id
    )
    visitor = await browser_of(app, world, replace(alice, user_id=dora.id))
    seen = (await visitor.get("/api/v1/workspaces", **MACHINE)).json()
    assert [each["id"] for each in seen["workspaces"]] == [str(shops[1].account_id)]
    assert str(third.id) not in (await visitor.get("/workspaces")).text


async def test_a_workspace_is_no_customer_of_its_own_to_whoever_sells_or_counts(
    world: World, stored: asyncpg.Connection, alice: SignedIn, north: SignedIn
) -> None:
    now = world.clock.now()
    async with world.database.system() as session:
        found = await candidates(session, before=now.replace(year=now.year + 1), now=now)
        assert [each.account_id for each in found] == [alice.account_id]
        seen = await account_record(session, account_id=north.account_id, now=now)
        assert (seen.parent and seen.parent.id, seen.subscriptions) == (alice.account_id, [])
        whole = await account_record(session, account_id=alice.account_id, now=now)
        assert [each.name for each in whole.workspaces] == ["North"]
    await put_on(world, stored, alice, "enterprise", "canceled")
    with pytest.raises(PaidFor, match="has what its account has"):
        async with world.database.tenant(north.account_id) as session:
            await grant_complimentary(session, account_id=north.account_id, now=now)

    sent: list[dict[str, object]] = []

    def collected(request: httpx.Request) -> httpx.Response:
        sent.append({"body": request.content.decode()})
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(collected)) as http:
        posthog = replace(with_settings(world, posthog_key=SecretStr("phc_test")), http=http)
        await send_product_events(posthog)
        sent.clear()
        async with world.database.tenant(north.account_id) as session:
            await record(session, ProcessorConnected(CatalogueKey("stripe")), at=now, account_id=north.account_id)
        await send_product_events(posthog)
    (batch,) = sent
    assert f'"$groups":{{"account":"{alice.account_id}"}}' in str(batch["body"]).replace(" ", "")


async def test_a_company_that_asks_for_single_sign_on_asks_for_it_in_every_workspace(
    world: World, app: FastAPI, stored: asyncpg.Connection, alice: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    browser, owner = await browser_of(app, world, dora), await browser_of(app, world, alice)
    assert (await browser.get("/account/profile")).status_code == 200
    domain = dora.email.partition("@")[2]
    await stored.execute("UPDATE accounts SET sso_domains = $2 WHERE id = $1", alice.account_id, [domain])
    assert (await browser.get("/account/profile")).headers["Location"].startswith("/sso")
    # who came by the account's provider acts in its workspaces, and nowhere else
    await stored.execute(
        "UPDATE sessions SET sso_account_id = $2, account_id = $2 WHERE user_id = $1", alice.user_id, alice.account_id
    )
    assert (await owner.post("/account/switch", {"account_id": str(north.account_id)})).status_code == 303
    assert "North" in (await owner.get("/account/profile")).text.split('id="account_name"')[1][:120]
