"""Once an account asks for single sign-on, no session that began another way goes on, but for the owner's."""

from __future__ import annotations

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.rules import must_use_sso
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.world.bootstrap import World
from tests.integration.sso.conftest import DOMAIN, Employee, browser_of
from tests.integration.team.conftest import add_member


@pytest.fixture
async def enforced(set_up_world: World, stored: asyncpg.Connection, alice: SignedIn) -> World:
    """The world in which members of Alice's account have to come by its identity provider."""
    await stored.execute("UPDATE accounts SET sso_domains = $2 WHERE id = $1", alice.account_id, [DOMAIN])
    return set_up_world


async def where(browser: Employee, path: str = "/settings") -> str:
    """Where a page leads instead, or nowhere."""
    answer = await browser.get(path)
    assert answer.status_code in (200, 303), answer.text
    return answer.headers.get("location", "")


async def test_a_session_that_began_another_way_is_asked_at_its_next_request(
    set_up_world: World, app: FastAPI, alice: SignedIn, bob: SignedIn, stored: asyncpg.Connection
) -> None:
    browser = await browser_of(set_up_world, app, bob)
    assert await where(browser, "/account/profile") == ""
    await stored.execute("UPDATE accounts SET sso_domains = $2 WHERE id = $1", alice.account_id, [DOMAIN])
    assert await where(browser, "/account/profile") == "/sso?next=/account/profile"
    asked = await browser.get("/account/profile", Accept="application/json")
    assert (asked.status_code, asked.json()["code"]) == (403, "sso_required")
    shown = await browser.get("/sso?next=/account/profile")
    assert f'value="bob@{DOMAIN}"' in shown.text
    back = await browser.sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob", "/account/profile")
    assert back.headers["location"] == "/account/profile"
    assert await where(browser, "/account/profile") == ""
    # a fresh proof is the provider's word too
    assert await where(browser, "/account/confirm?next=/account/security") == "/sso?next=%2Faccount%2Fsecurity"


async def test_nobody_is_locked_in(enforced: World, app: FastAPI, bob: SignedIn) -> None:
    browser = await browser_of(enforced, app, bob)
    assert (await browser.post("/sign-out")).headers["location"] == "/"
    assert browser.cookie("session") == ""


async def test_the_owner_comes_in_without_it_by_a_second_factor_alone(
    enforced: World, app: FastAPI, alice: SignedIn
) -> None:
    assert (await where(await browser_of(enforced, app, alice, "password"), "/account/sso")).startswith("/sso")
    owner = await browser_of(enforced, app, alice, "password", "totp")
    assert await where(owner, "/account/sso") == ""
    assert (await owner.post("/account/sso/enforce/end")).status_code == 303
    assert await where(await browser_of(enforced, app, alice, "password"), "/account/sso") == ""


async def test_a_member_of_another_domain_and_another_account_are_not_asked(
    enforced: World, app: FastAPI, alice: SignedIn, charlie: SignedIn, stored: asyncpg.Connection
) -> None:
    guest = await add_member(enforced, alice, "Greta", "viewer")
    await stored.execute(
        "UPDATE users SET email = 'g@guest.example', email_normalized = 'g@guest.example' WHERE id = $1", guest.user_id
    )
    for who in (guest, charlie):
        assert await where(await browser_of(enforced, app, who), "/account/profile") == ""


async def test_a_session_of_single_sign_on_opens_its_account_alone(
    enforced: World, app: FastAPI, alice: SignedIn, bob: SignedIn, charlie: SignedIn, stored: asyncpg.Connection
) -> None:
    await stored.execute(
        "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'admin')", charlie.account_id, bob.user_id
    )
    browser = Employee(app)
    await browser.sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")
    refused = await browser.post("/account/switch", {"account_id": str(charlie.account_id)}, Accept="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "one_account_alone")
    await stored.execute("UPDATE sessions SET account_id = $1", charlie.account_id)
    assert "Alice&#39;s shop" in (await browser.get("/account/profile")).text
    # and it ends with the place in that account
    await stored.execute(
        "DELETE FROM memberships WHERE user_id = $1 AND account_id = $2", bob.user_id, alice.account_id
    )
    assert (await where(browser, "/account/profile")).startswith("/login")
    assert await stored.fetchval("SELECT count(*) FROM sso_identities") == 0


async def test_an_authenticator_app_is_asked_for_after_the_provider_too(
    enforced: World, app: FastAPI, bob: SignedIn, stored: asyncpg.Connection
) -> None:
    await stored.execute(
        "INSERT INTO totp_factors (user_id, secret, created_at, confirmed_at) VALUES ($1, '\\x01', now(), now())",
        bob.user_id,
    )
    back = await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")
    assert back.headers["location"].startswith("/login/second-step")
    half = await stored.fetchrow("SELECT factors, sso_account_id FROM pending_sign_ins")
    assert (half["factors"], half["sso_account_id"]) == (["sso"], bob.account_id)


async def test_a_program_that_signed_in_by_a_password_is_refused(
    enforced: World, app: FastAPI, bob: SignedIn, stored: asyncpg.Connection
) -> None:
    browser = await browser_of(enforced, app, bob)
    answer: httpx.Response = await browser.get("/api/v1/workspace", Accept="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "sso_required")


@pytest.mark.parametrize(
    ("email", "role", "factors", "asked"),
    [
        ("bob@shop.example", "admin", ["password", "totp"], True),
        ("Bob@SHOP.example", "viewer", ["passkey"], True),
        ("bob@sub.shop.example", "viewer", ["password"], False),
        ("bob@Müller.example", "viewer", ["password"], True),
        ("bob@xn--mller-kva.example", "viewer", ["password"], True),
        ("alice@shop.example", "owner", ["password"], True),
        ("alice@shop.example", "owner", ["google"], True),
        ("alice@shop.example", "owner", ["google", "totp"], False),
        ("alice@shop.example", "owner", ["passkey"], False),
    ],
)
def test_who_has_to_come_by_the_provider(email: str, role: str, factors: list[str], asked: bool) -> None:
    assert must_use_sso(email, ["shop.example", "xn--mller-kva.example"], role=role, factors=factors) is asked
    assert not must_use_sso(email, [], role=role, factors=factors)
