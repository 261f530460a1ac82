"""The pages of the team, the profile and an invite, as browsers see them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.sessions import Client, SignedIn, start_session
from payflux.frontdoor.accounts.team import rules
from payflux.frontdoor.accounts.team.codes import invite_code
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.team.conftest import ADDRESS, add_member, add_owner, roles
from tests.integration.team.test_inviting import DORA, invited

WORDS = "quiet harbour lantern"


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def browser_of(app: FastAPI, world: World, who: SignedIn) -> Browser:
    """A browser in which somebody has just signed in."""
    async with world.database.system() as session:
        token = await start_session(
            session,
            world.tokens,
            user_id=who.user_id,
            client=Client("203.0.113.7", "a browser"),
            factors={"password"},
            now=world.clock.now(),
        )
    browser = Browser(app)
    browser.http.cookies.set(cookie_name(world.settings, "session"), token)
    await browser.get("/account/profile")  # a page with forms, and with their token
    return browser


def link(world: World, invite_id: UUID) -> str:
    return f"/accept-invite?code={quote(invite_code(world.tokens, invite_id))}"


async def test_somebody_new_opens_the_link_twice_then_joins_with_a_password_and_is_welcomed(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    invite_id = await invited(world, alice, role="viewer")
    browser = Browser(app)
    for _ in range(2):  # a mail scanner came first
        page = await browser.get(link(world, invite_id))
        assert page.status_code == 200
        for words in ("Alice&#39;s shop", DORA, "viewer"):
            assert words in page.text
    fields = {"code": invite_code(world.tokens, invite_id), "name": "Dora", "email": DORA, "password": WORDS}
    answer = await browser.post("/accept-invite/register", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?welcome=teammate")
    there = await browser.get("/?welcome=teammate")
    there = await browser.get(there.headers["Location"])
    assert "Welcome to Alice&#39;s shop" in (await browser.get(there.headers["Location"])).text
    assert await roles(world, alice.account_id) == {"Alice": "owner", "Dora": "viewer"}
    assert "already" in (await browser.get(link(world, invite_id))).text


async def test_registering_with_another_address_than_the_invited_one_is_400_invite_email_mismatch(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    code = invite_code(world.tokens, await invited(world, alice))
    fields = {"code": code, "name": "Eve", "email": "eve@elsewhere.example", "password": WORDS}
    answer = await Browser(app).post("/accept-invite/register", fields)
    assert answer.status_code == 400
    assert "not for eve@elsewhere.example" in answer.text
    problem = await Browser(app).post("/accept-invite/register", fields, **MACHINE)
    assert problem.status_code == 400
    assert problem.json()["error"] == "invite_email_mismatch"
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_whoever_registered_the_invited_address_without_proving_it_loses_it_to_the_mails_reader(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    squatter = await add_owner(world, "Dora", verified=False)
    held = await browser_of(app, world, squatter)
    code = invite_code(world.tokens, await invited(world, alice))
    fields = {"code": code, "name": "Dora", "email": DORA, "password": WORDS}
    browser = Browser(app)
    assert (await browser.post("/accept-invite/register", fields)).status_code == 303
    assert "Alice&#39;s shop" in (await browser.get("/account/profile")).text
    assert (await held.get("/account/profile")).headers["Location"].startswith("/login")


async def test_a_verified_user_is_told_to_sign_in_and_keeps_their_password(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    await add_owner(world, "Dora")
    code = invite_code(world.tokens, await invited(world, alice))
    fields = {"code": code, "name": "Dora", "email": DORA, "password": WORDS}
    answer = await Browser(app).post("/accept-invite/register", fields)
    assert answer.status_code == 409
    assert "Sign in to accept" in answer.text
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_a_matching_user_joins_by_a_button_and_acts_in_the_new_account(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    dora = await add_owner(world, "Dora")
    invite_id, browser = await invited(world, alice), await browser_of(app, world, dora)
    assert "Join Alice" in (await browser.get(link(world, invite_id))).text
    assert await roles(world, alice.account_id) == {"Alice": "owner"}
    answer = await browser.post("/accept-invite", {"code": invite_code(world.tokens, invite_id)})
    assert answer.headers["Location"] == "/?welcome=teammate"
    page = await browser.get("/account/profile")
    assert "Switch to Dora" in page.text
    await browser.post("/account/switch", {"account_id": str(dora.account_id)})
    assert "Switch to Alice" in (await browser.get("/account/profile")).text
    assert (await browser.post("/account/switch", {"account_id": str(UUID(int=1))})).status_code == 404


async def test_another_user_sees_both_addresses_and_switches_without_losing_the_invite(
    app: FastAPI, world: World, alice: SignedIn, charlie: SignedIn
) -> None:
    invite_id, browser = await invited(world, alice), await browser_of(app, world, charlie)
    page = await browser.get(link(world, invite_id))
    assert charlie.email in page.text
    assert DORA in page.text
    code = invite_code(world.tokens, invite_id)
    refused = await browser.post("/accept-invite", {"code": code})
    assert refused.status_code == 400
    answer = await browser.post("/accept-invite/switch", {"code": code})
    assert answer.headers["Location"] == f"/login?next={quote(f'/accept-invite?code={quote(code)}', safe='')}"
    assert "Join Alice" in (await browser.get(link(world, invite_id))).text
    assert (await browser.get("/account/profile")).status_code == 303


async def test_each_failed_link_has_its_own_page(
    app: FastAPI, world: World, clock: MovedClock, alice: SignedIn
) -> None:
    team, stranger = await browser_of(app, world, alice), Browser(app)
    revoked = await invited(world, alice)
    await team.post(f"/account/team/invites/{revoked}/revoke")
    unverified = await browser_of(app, world, await add_member(world, alice, "Dora", "viewer", verified=False))
    await stranger.get("/register")
    expired = await invited(world, alice, email=ADDRESS.format("late"))
    assert (await stranger.get(link(world, revoked))).status_code == 410
    assert "taken back" in (await stranger.get(link(world, revoked))).text
    assert "not an invite" in (await stranger.get("/accept-invite?code=nonsense")).text
    assert (await stranger.get("/accept-invite")).status_code == 404
    assert "for another address" in (await unverified.get(link(world, expired))).text
    clock.move(rules.INVITE_LIFETIME)
    assert "has expired" in (await stranger.get(link(world, expired))).text
    assert "Send again" in (await stranger.get(link(world, expired))).text


async def test_the_team_page_invites_a_list_and_keeps_what_was_refused(
    app: FastAPI, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    browser = await browser_of(app, world, alice)
    fields = {"emails": f"{DORA}, {bob.email} nonsense", "role": "viewer"}
    page = await browser.post("/account/team/invites", fields)
    assert page.status_code == 422
    kept = re.search(r"<textarea[^>]*>([^<]*)<", page.text)
    assert kept is not None
    assert kept[1].split() == [bob.email, "nonsense"]
    assert "mail not sent yet" in page.text
    again = await browser.post("/account/team/invites", {"emails": ADDRESS.format("erin"), "role": "viewer"})
    assert again.status_code == 303


async def test_an_analyst_sees_the_team_and_changes_nothing(
    app: FastAPI, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    browser = await browser_of(app, world, bob)
    page = await browser.get("/account/team")
    assert alice.email in page.text
    assert "Leave Alice" in page.text
    assert "Send invites" not in page.text
    for path in (
        "/account/team/invites",
        f"/account/team/members/{alice.user_id}/role",
        f"/account/team/members/{alice.user_id}/remove",
        "/account/team/transfer",
        "/account/profile/account",
        "/account/delete",
    ):
        assert (await browser.post(path, {"role": "viewer"})).status_code == 403, path
    assert (await browser.get("/account/export")).status_code == 403


async def test_ids_of_another_account_are_404_and_change_nothing(
    app: FastAPI, world: World, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    invite_id, browser = await invited(world, alice), await browser_of(app, world, charlie)
    before = await roles(world, alice.account_id)
    for path in (
        f"/account/team/invites/{invite_id}/resend",
        f"/account/team/invites/{invite_id}/revoke",
        f"/account/team/members/{bob.user_id}/role",
        f"/account/team/members/{bob.user_id}/remove",
    ):
        assert (await browser.post(path, {"role": "viewer"})).status_code == 404, path
    assert (await browser.get(f"/account/team/members/{bob.user_id}/remove")).status_code == 404
    assert (await browser.post("/account/team/transfer", {"user_id": str(bob.user_id)})).status_code == 404
    assert await roles(world, alice.account_id) == before


async def test_ownership_is_offered_and_accepted_on_the_pages(
    app: FastAPI, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    hers, his = await browser_of(app, world, alice), await browser_of(app, world, bob)
    assert bob.email in (await hers.get("/account/team/transfer")).text
    await hers.post("/account/team/transfer", {"user_id": str(bob.user_id)})
    assert "Cancel the offer" in (await hers.get("/account/team")).text
    assert "Read and accept" in (await his.get("/account/team")).text
    assert (await his.get("/account/team/transfer/accept")).status_code == 200
    assert (await hers.get("/account/team/transfer/accept")).status_code == 404
    await his.post("/account/team/transfer/accept")
    assert await roles(world, alice.account_id) == {"Alice": "admin", "Bob": "owner"}


async def test_what_is_dangerous_asks_for_a_fresh_proof(
    app: FastAPI, world: World, clock: MovedClock, alice: SignedIn
) -> None:
    browser = await browser_of(app, world, alice)
    clock.move(timedelta(hours=1))
    for path in ("/account/team/transfer", "/account/export", "/account/delete"):
        answer = await browser.get(path)
        assert answer.status_code == 303, path
        assert "/account/confirm" in answer.headers["Location"]
    assert (await browser.post("/account/delete", {"name": "Alice's shop"})).status_code == 303
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_names_are_changed_and_wrong_ones_named(app: FastAPI, world: World, alice: SignedIn) -> None:
    browser = await browser_of(app, world, alice)
    assert (await browser.post("/account/profile", {"name": " Alice  Arkwright "})).status_code == 303
    assert (await browser.post("/account/profile/account", {"account_name": "Arkwright & Co"})).status_code == 303
    page = await browser.get("/account/profile")
    assert 'value="Alice Arkwright"' in page.text
    assert 'value="Arkwright &amp; Co"' in page.text
    for path, field in (("/account/profile", "name"), ("/account/profile/account", "account_name")):
        answer = await browser.post(path, {field: " "})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text


async def test_the_export_comes_as_a_file_of_json_and_the_deletion_ends_with_a_receipt(
    app: FastAPI, world: World, alice: SignedIn
) -> None:
    browser = await browser_of(app, world, alice)
    answer = await browser.get("/account/export")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="payflux-')
    assert json.loads(answer.text)["members"][0]["email"] == alice.email
    wrong = await browser.post("/account/delete", {"name": "Alice"})
    assert wrong.status_code == 422
    assert "Nothing was deleted" in wrong.text
    done = await browser.post("/account/delete", {"name": "Alice's shop"})
    assert done.status_code == 200
    assert "The account is deleted" in done.text
    assert (await browser.get("/account/profile")).headers["Location"].startswith("/login")
