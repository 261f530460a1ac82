"""People of a company sign in by its own identity provider, and are whom it says."""

from __future__ import annotations

import asyncpg
from fastapi import FastAPI

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.world.bootstrap import World
from tests.integration.sso.conftest import DOMAIN, Employee, WrittenDns, browser_of, give_totp
from tests.integration.team.conftest import roles, set_plan


async def test_an_owner_proves_a_domain_sets_a_provider_up_and_asks_everybody_to_use_it(
    there: World,
    app: FastAPI,
    dns: WrittenDns,
    alice: SignedIn,
    bob: SignedIn,
    provider: str,
    stored: asyncpg.Connection,
) -> None:
    owner = await browser_of(there, app, alice)
    wrong = await owner.post("/account/sso/domains", {"domain": "no domain"})
    assert wrong.status_code == 422
    assert "Enter a domain like example.com." in wrong.text
    assert (await owner.post("/account/sso/domains", {"domain": "https://Shop.example/"})).status_code == 303
    challenge = await stored.fetchval("SELECT challenge FROM sso_domains")
    page = await owner.get("/account/sso")
    assert f"_payflux-challenge.{DOMAIN}" in page.text
    assert f"payflux-domain={challenge}" in page.text

    dns.records[f"_payflux-challenge.{DOMAIN}"] = ["payflux-domain=another"]
    early = await owner.post("/account/sso/domains/prove", {"domain": DOMAIN})
    assert (early.status_code, "not there, or not yet" in early.text) == (409, True)
    dns.records[f"_payflux-challenge.{DOMAIN}"].append(f"payflux-domain={challenge}")
    assert (await owner.post("/account/sso/domains/prove", {"domain": DOMAIN})).status_code == 303

    fields = {"issuer": provider, "client_id": "payflux", "client_secret": "hush", "default_role": "owner"}
    refused = await owner.post("/account/sso/connection", fields)
    assert "Choose viewer, analyst or admin." in refused.text
    assert "hush" not in refused.text
    assert (await owner.post("/account/sso/connection", fields | {"default_role": "viewer"})).status_code == 303
    row = await stored.fetchrow("SELECT * FROM sso_connections")
    assert b"hush" not in bytes(row["client_secret"])

    # nobody is locked out by a provider that was never tried, or without anybody who can mend it
    untried = await owner.post("/account/sso/enforce")
    assert "Nobody has signed in by your identity provider" in untried.text
    member = Employee(app)
    back = await member.sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob", "/settings")
    assert (back.status_code, back.headers["location"]) == (303, "/settings")
    leaving = Employee(app)
    await leaving.leave(f"bob@{DOMAIN}")
    held, told = {cookie.name for cookie in leaving.http.cookies.jar}, (await leaving.get("/privacy")).text
    assert "payflux_sso_trip" in held
    assert {name for name in held if name not in told} == set()
    alone = await owner.post("/account/sso/enforce")
    assert "no second step" in alone.text
    await give_totp(stored, alice)
    assert (await owner.post("/account/sso/enforce")).status_code == 303

    actions = [row["action"] for row in await stored.fetch("SELECT action FROM audit_entries ORDER BY sequence")]
    assert [each for each in actions if "sso" in each] == [
        "sso.domain_added",
        "sso.domain_proven",
        "sso.connection_saved",
        "member.sso_linked",
        "sso.enforced",
    ]


async def test_only_the_owner_sets_it_up_and_only_in_a_plan_that_has_it(
    there: World, app: FastAPI, alice: SignedIn, bob: SignedIn, charlie: SignedIn, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE memberships SET role = 'admin' WHERE user_id = $1", bob.user_id)
    assert (await (await browser_of(there, app, bob)).get("/account/sso")).status_code == 403
    other = await browser_of(there, app, charlie)
    assert "does not include single sign-on" in (await other.get("/account/sso")).text
    assert (await other.post("/account/sso/domains", {"domain": "charlie.example"})).status_code == 402


async def test_a_domain_belongs_to_one_account_alone(
    set_up_world: World, app: FastAPI, dns: WrittenDns, charlie: SignedIn, stored: asyncpg.Connection
) -> None:
    await set_plan(stored, charlie, "enterprise", "active")
    other = await browser_of(set_up_world, app, charlie)
    await other.post("/account/sso/domains", {"domain": DOMAIN})
    challenge = await stored.fetchval("SELECT challenge FROM sso_domains WHERE account_id = $1", charlie.account_id)
    dns.records[f"_payflux-challenge.{DOMAIN}"] = [f"payflux-domain={challenge}"]
    taken = await other.post("/account/sso/domains/prove", {"domain": DOMAIN})
    assert (taken.status_code, "Another account has proven this domain." in taken.text) == (409, True)


async def test_somebody_new_becomes_a_member_of_the_default_role_within_the_seats(
    set_up_world: World, app: FastAPI, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    browser = Employee(app)
    back = await browser.sign_in_by_sso(f"dora@{DOMAIN}", "sub-dora")
    assert back.status_code == 303
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Dora": "viewer"}
    dora = await stored.fetchrow("SELECT * FROM users WHERE email_normalized = $1", f"dora@{DOMAIN}")
    assert (dora["password_hash"], dora["email_verified_at"]) == (None, set_up_world.clock.now())
    session = await stored.fetchrow("SELECT * FROM sessions WHERE user_id = $1", dora["id"])
    assert (session["factors"], session["sso_account_id"]) == (["sso"], alice.account_id)
    # and again, by who they are alone: a changed address does not matter
    await stored.execute(
        "UPDATE users SET email = 'd@new.example', email_normalized = 'd@new.example' WHERE id = $1", dora["id"]
    )
    assert (await Employee(app).sign_in_by_sso(f"x@{DOMAIN}", "sub-dora")).status_code == 303
    assert len(await roles(set_up_world, alice.account_id)) == 2


async def test_whoever_the_provider_vouches_for_wrongly_comes_in_nowhere(
    set_up_world: World, app: FastAPI, alice: SignedIn, bob: SignedIn, stored: asyncpg.Connection
) -> None:
    async def refused(subject: str) -> tuple[int, str]:
        browser = Employee(app)
        answer = await browser.sign_in_by_sso(f"bob@{DOMAIN}", subject)
        assert browser.cookie("session") == ""
        return answer.status_code, answer.text

    status, text = await refused("sub-mallory")
    assert (status, "not of a domain that this account has proven" in text) == (403, True)
    status, text = await refused("sub-eve")
    assert (status, "did not prove who you are" in text) == (400, True)
    assert (await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 303
    status, text = await refused("sub-second-bob")
    assert (status, "knows as somebody else" in text) == (403, True)
    await stored.execute("UPDATE sso_connections SET issuer = issuer || '/'")
    assert (await Employee(app).leave(f"bob@{DOMAIN}")).status_code == 503  # its document names another issuer
    assert set(await roles(set_up_world, alice.account_id)) == {"Alice", "Bob"}


async def test_a_trip_is_good_once_and_for_the_browser_that_began_it(
    set_up_world: World, app: FastAPI, bob: SignedIn
) -> None:
    browser, thief = Employee(app), Employee(app)
    path = await browser.way_back(f"bob@{DOMAIN}", "sub-bob")
    assert (await thief.get(path)).status_code == 400
    assert (await browser.get(path)).status_code == 303
    again = await browser.get(path)
    assert (again.status_code, "took too long" in again.text) == (400, True)


async def test_an_address_without_a_provider_is_told_so(app: FastAPI, set_up_world: World) -> None:
    unknown = await Employee(app).leave("erin@unknown.example")
    assert (unknown.status_code, "No single sign-on is set up" in unknown.text) == (422, True)


async def test_a_client_secret_that_cannot_be_read_any_more_is_no_error_of_ours(
    set_up_world: World, employee: Employee, stored: asyncpg.Connection
) -> None:
    await stored.execute("UPDATE sso_connections SET client_secret = $1", bytes(40))
    answer = await employee.leave(f"bob@{DOMAIN}")
    assert (answer.status_code, "did not prove who you are" in answer.text) == (503, True)
