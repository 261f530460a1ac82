"""The staff switch the launch, let addresses in, and give accounts Pro."""

from __future__ import annotations

from uuid import UUID

from fastapi import FastAPI

from payflux.frontdoor.billing.queries import live_subscription
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.staff.conftest import CHARLIE, Desk, staff_entries

REASON = "Agreed with the owner on the phone"


async def test_sam_closes_the_doors_and_opens_them_again(sam: Desk, app: FastAPI) -> None:
    assert "Everybody may register" in (await sam.browser.get("/admin/launch")).text
    switched = await sam.browser.post("/admin/launch/switch", {"position": "off", "code": sam.code()})
    assert switched.headers["Location"] == "/admin/launch"
    page = (await sam.browser.get("/admin/launch")).text
    assert "Only invited people" in page
    assert "Sam &lt;sam@payflux.example&gt;" in page
    assert (await Browser(app).register("Charlie", CHARLIE)).status_code == 403
    await sam.browser.post("/admin/launch/switch", {"position": "on", "code": sam.code()})
    assert (await Browser(app).register("Charlie", CHARLIE)).status_code == 303


async def test_the_switch_asks_for_a_fresh_code_and_a_position_that_there_is(sam: Desk, app: FastAPI) -> None:
    old = await sam.browser.post("/admin/launch/switch", {"position": "off", "code": "000000"}, **MACHINE)
    assert old.status_code == 422
    odd = await sam.browser.post("/admin/launch/switch", {"position": "ajar", "code": sam.code()}, **MACHINE)
    assert [each["field"] for each in odd.json()["errors"]] == ["position"]
    assert (await Browser(app).get("/pricing")).status_code == 200


async def test_sam_lets_an_address_in_and_takes_it_off_again(sam: Desk, app: FastAPI) -> None:
    await sam.browser.post("/admin/launch/switch", {"position": "off", "code": sam.code()})
    await sam.browser.post("/admin/launch/allowed", {"email": CHARLIE})
    assert CHARLIE in (await sam.browser.get("/admin/launch")).text
    await sam.browser.post("/admin/launch/allowed/remove", {"email": CHARLIE})
    assert "Nobody is on it" in (await sam.browser.get("/admin/launch")).text
    assert (await Browser(app).register("Charlie", CHARLIE)).status_code == 403


async def test_sam_gives_alice_pro_and_her_log_says_why(
    sam: Desk, alice: Browser, world: World, account_id: UUID
) -> None:
    path = f"/admin/accounts/{account_id}/complimentary"
    assert "Give it Pro" in (await sam.browser.get(f"/admin/accounts/{account_id}")).text
    assert (await sam.browser.post(path, {"reason": "", "code": sam.code()}, **MACHINE)).status_code == 422
    await sam.browser.post(path, {"reason": REASON, "code": sam.code()})
    async with world.database.tenant(account_id) as session:
        subscription = await live_subscription(session, account_id=account_id)
    assert subscription is not None
    assert subscription.status == "complimentary"
    (entry,) = [
        each for each in await staff_entries(world, account_id) if each.action.endswith("complimentary_granted")
    ]
    assert entry.after == {"staff": "Sam <sam@payflux.example>", "reason": REASON}
    assert "Give it Pro" not in (await sam.browser.get(f"/admin/accounts/{account_id}")).text
