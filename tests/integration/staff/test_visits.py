"""Staff look at an account as its member: under a bar, for half an hour, and without a way to change anything."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete

from payflux.frontdoor.accounts.models import Membership
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE, PASSWORD, Browser
from tests.integration.pages.conftest import CHANGES
from tests.integration.staff.conftest import ALICE, Desk, staff_entries, user_id_of

REASON = "Ticket 4712: the owner sees no figures"


@pytest.fixture
async def visiting(sam: Desk, world: World, account_id: UUID) -> Desk:
    """Sam, who looks at Alice's account as Alice."""
    form = {"user_id": str(await user_id_of(world, ALICE)), "reason": REASON, "code": sam.code()}
    answer = await sam.browser.post(f"/admin/accounts/{account_id}/visits", form)
    assert answer.headers["Location"] == "/start"
    return sam


async def test_a_visit_shows_what_the_member_sees_under_a_bar_and_is_logged(
    visiting: Desk, alice: Browser, world: World, account_id: UUID
) -> None:
    page = await visiting.browser.get("/activate")
    assert page.status_code == 200
    assert "Support visit." in page.text
    assert "End the visit" in page.text
    assert "Support visit." not in (await alice.get("/activate")).text, "her own session is her own"
    (entry,) = await staff_entries(world, account_id)
    assert entry.action == "staff.visit_started"
    assert entry.after == {"staff": "Sam <sam@payflux.example>", "reason": REASON}


async def test_nothing_is_changed_during_a_visit(visiting: Desk) -> None:
    for path in (*CHANGES, "/sign-out", "/register", "/login", "/account/password", "/forgot"):
        answer = await visiting.browser.post(path, {"email": ALICE, "password": PASSWORD}, **MACHINE)
        assert (path, answer.status_code, answer.json()["code"]) == (path, 403, "read_only")


async def test_the_page_that_refuses_a_change_has_the_bar_that_leads_out(visiting: Desk) -> None:
    refused = await visiting.browser.post("/account/profile", {"name": "Mallory"})
    assert refused.status_code == 403
    assert "nothing can be changed" in refused.text
    assert "End the visit" in refused.text


async def test_what_needs_a_fresh_proof_is_out_of_reach(visiting: Desk) -> None:
    answer = await visiting.browser.get("/account/security", **MACHINE)
    assert answer.status_code in (200, 403)
    refused = await visiting.browser.get("/account/export", **MACHINE)
    assert refused.status_code == 403


async def test_a_visit_ends_after_half_an_hour_however_much_is_looked_at(visiting: Desk) -> None:
    for _ in range(2):
        visiting.clock.move(timedelta(minutes=14))
        assert (await visiting.browser.get("/activate")).status_code == 200
    visiting.clock.move(timedelta(minutes=2))
    assert (await visiting.browser.get("/activate")).headers["Location"].startswith("/login")


async def test_sam_ends_the_visit_and_comes_back_to_the_account(visiting: Desk, world: World, account_id: UUID) -> None:
    ended = await visiting.browser.post("/admin/visits/end")
    assert ended.headers["Location"] == f"/admin/accounts/{account_id}"
    assert not visiting.browser.cookie("session")
    assert (await visiting.browser.get("/admin")).status_code == 200
    assert [each.action for each in await staff_entries(world, account_id)] == [
        "staff.visit_started",
        "staff.visit_ended",
    ]


async def test_a_customer_cannot_end_their_session_as_if_it_were_a_visit(alice: Browser) -> None:
    assert (await alice.post("/admin/visits/end")).headers["Location"] == "/admin/sign-in"
    assert (await alice.get("/activate")).status_code == 200


async def test_a_visit_ends_with_the_session_in_the_console(visiting: Desk) -> None:
    await visiting.browser.post("/admin/sign-out")
    assert (await visiting.browser.get("/activate")).status_code == 303


async def test_a_visit_ends_with_the_members_place_in_the_account(
    visiting: Desk, world: World, account_id: UUID, bob_id: UUID
) -> None:
    form = {"user_id": str(bob_id), "reason": REASON, "code": visiting.code()}
    await visiting.browser.post(f"/admin/accounts/{account_id}/visits", form)
    assert (await visiting.browser.get("/activate")).status_code == 200
    async with world.database.tenant(account_id) as session:
        await session.execute(delete(Membership).where(Membership.user_id == bob_id))
    assert (await visiting.browser.get("/activate")).status_code == 303


async def test_a_visit_needs_a_member_a_reason_and_a_fresh_code(sam: Desk, world: World, account_id: UUID) -> None:
    path = f"/admin/accounts/{account_id}/visits"
    form = {"user_id": str(await user_id_of(world, ALICE)), "reason": REASON}
    for wrong, status in (({}, 422), ({"reason": " ", "code": sam.code()}, 422)):
        assert (await sam.browser.post(path, form | wrong)).status_code == status
    elsewhere = form | {"code": sam.code(), "user_id": str(account_id)}
    assert (await sam.browser.post(path, elsewhere)).status_code == 404
    assert not sam.browser.cookie("session")
    assert await staff_entries(world, account_id) == []
