"""A company's directory tells by SCIM who is in it: they come, and whoever leaves the company is out at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from payflux.frontdoor.accounts.keys.service import create_key
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.sso.conftest import DOMAIN, Employee, browser_of
from tests.integration.team.conftest import roles, set_plan

USERS, GROUPS = "/api/v1/scim/v2/Users", "/api/v1/scim/v2/Groups"
OFF = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
}
ON = {"Operations": [{"op": "replace", "value": {"active": True}}]}


async def made_key(world: World, who: SignedIn, *scopes: str) -> str:
    async with world.database.tenant(who.account_id) as session:
        made = await create_key(
            session,
            world.tokens,
            who,
            name="directory",
            scopes=scopes,
            days=90,
            environment="test",
            now=world.clock.now(),
        )
    return made.secret


@pytest.fixture
async def directory(set_up_world: World, app: FastAPI, alice: SignedIn) -> AsyncIterator[httpx.AsyncClient]:
    """The company's directory, with a key of Alice's."""
    key = await made_key(set_up_world, alice, "scim:write")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=set_up_world.settings.url, headers=headers) as client:
        yield client


async def told(directory: httpx.AsyncClient, name: str, **more: object) -> httpx.Response:
    body = {"userName": f"{name}@{DOMAIN}", "displayName": name.capitalize(), "title": "not kept"} | more
    return await directory.post(USERS, json=body)


async def test_somebody_is_found_taken_up_changed_and_forgotten(
    directory: httpx.AsyncClient, set_up_world: World, alice: SignedIn
) -> None:
    asked = {"filter": f'userName eq "Dora@{DOMAIN}"'}
    assert (await directory.get(USERS, params=asked)).json()["totalResults"] == 0
    added = await told(directory, "dora", externalId="00u1")
    assert (added.status_code, added.headers["content-type"]) == (201, "application/scim+json")
    here = httpx.URL(added.headers["location"]).path
    assert added.json() == (await directory.get(here)).json()
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Dora": "viewer"}
    found = (await directory.get(USERS, params=asked)).json()
    assert (found["totalResults"], found["Resources"][0]["externalId"]) == (1, "00u1")
    again = await told(directory, "dora")
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    renamed = await directory.patch(
        here, json={"Operations": [{"op": "replace", "path": "name.formatted", "value": "Dora Doe"}]}
    )
    assert renamed.json()["displayName"] == "Dora Doe"
    assert (await directory.delete(here)).status_code == 204
    gone = await directory.get(here)
    assert (gone.status_code, gone.json()["status"]) == (404, "404")
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner"}


async def test_whoever_is_deprovisioned_is_out_at_once_and_does_not_come_back_by_signing_in(
    directory: httpx.AsyncClient,
    set_up_world: World,
    app: FastAPI,
    alice: SignedIn,
    bob: SignedIn,
    charlie: SignedIn,
    stored: asyncpg.Connection,
) -> None:
    await stored.execute("UPDATE memberships SET role = 'admin' WHERE user_id = $1", bob.user_id)
    elsewhere = "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'viewer')"
    await stored.execute(elsewhere, charlie.account_id, bob.user_id)
    admin = replace(bob, role="admin")
    key = await made_key(set_up_world, admin, "risk:read")
    browser = Employee(app)
    assert (await browser.sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 303
    at_charlies = await browser_of(set_up_world, app, replace(bob, account_id=charlie.account_id))
    here = f"{USERS}/{(await told(directory, 'bob')).json()['id']}"
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Bob": "admin"}  # who they were

    off = await directory.patch(here, json=OFF)
    assert (off.status_code, off.json()["active"]) == (200, False)
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner"}
    left = await stored.fetch("SELECT account_id FROM sessions WHERE user_id = $1", bob.user_id)
    assert [row["account_id"] for row in left] == [charlie.account_id]
    assert (await at_charlies.get("/account/profile")).status_code == 200
    assert (await browser.get("/account/profile")).headers["location"].startswith("/login")
    assert await stored.fetchval("SELECT revoked_for FROM api_keys WHERE owner_id = $1", bob.user_id) == "member_gone"
    refused = await directory.get("/api/v1/risk", headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 401

    for subject, address in (("sub-bob", "bob"), ("sub-second-bob", "bob")):
        back = await Employee(app).sign_in_by_sso(f"{address}@{DOMAIN}", subject)
        assert (back.status_code, "Your place in this account has ended." in back.text) == (403, True)
    await stored.execute(
        "UPDATE users SET email = 'b@shop.example', email_normalized = 'b@shop.example' WHERE id = $1", bob.user_id
    )
    assert (await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 403
    await stored.execute("UPDATE users SET email_normalized = 'bob@shop.example' WHERE id = $1", bob.user_id)

    assert (await directory.patch(here, json=ON)).json()["active"] is True
    assert (await roles(set_up_world, alice.account_id))["Bob"] == "viewer"
    assert (await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 303


async def test_a_member_whom_the_owner_removed_does_not_come_back_by_signing_in_but_by_the_directory(
    directory: httpx.AsyncClient, set_up_world: World, app: FastAPI, alice: SignedIn, bob: SignedIn
) -> None:
    owner = await browser_of(set_up_world, app, alice)
    assert (await owner.post(f"/account/team/members/{bob.user_id}/remove")).status_code == 303
    assert (await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 403
    assert (await told(directory, "bob")).status_code == 201
    assert (await Employee(app).sign_in_by_sso(f"bob@{DOMAIN}", "sub-bob")).status_code == 303


async def test_a_directory_reaches_no_further_than_the_domains_the_seats_and_the_plan(
    directory: httpx.AsyncClient, set_up_world: World, alice: SignedIn, bob: SignedIn, stored: asyncpg.Connection
) -> None:
    stranger = await directory.post(USERS, json={"userName": "charlie@elsewhere.example"})
    assert (stranger.status_code, stranger.json()["scimType"]) == (400, "invalidValue")
    owner = f"{USERS}/{(await told(directory, 'alice')).json()['id']}"
    for answer in (await directory.patch(owner, json=OFF), await directory.delete(owner)):
        assert (answer.status_code, "owner" in answer.json()["detail"]) == (403, True)
    member = f"{USERS}/{(await told(directory, 'bob')).json()['id']}"
    other = await directory.get(USERS, params={"filter": 'title eq "x"'})
    assert (other.status_code, other.json()["scimType"]) == (400, "invalidFilter")
    narrow = await made_key(set_up_world, alice, "risk:read")
    refused = await directory.get(USERS, headers={"Authorization": f"Bearer {narrow}"})
    assert refused.status_code == 403

    await set_plan(stored, alice, "starter", "active")
    await stored.execute("UPDATE accounts SET entitlements_version = entitlements_version + 1")
    assert (await told(directory, "dora")).status_code == 402
    assert (await directory.patch(member, json=OFF)).status_code == 200  # to leave needs no plan
    assert (await directory.patch(member, json=ON)).status_code == 402


async def test_a_list_comes_in_pages(directory: httpx.AsyncClient) -> None:
    for name in ("dora", "erin", "fred"):
        await told(directory, name, active=False)
    page = (await directory.get(USERS, params={"startIndex": 2, "count": 1})).json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (3, 2, 1)
    assert page["Resources"][0]["displayName"] == "Erin"


async def test_a_change_takes_its_turn_before_it_takes_the_person(
    directory: httpx.AsyncClient, set_up_world: World, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    person_id = (await told(directory, "dora")).json()["id"]
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(20):
        async with set_up_world.database.system() as session:
            await hold_seats(session, account_id=alice.account_id)
            changing = asyncio.create_task(directory.patch(f"{USERS}/{person_id}", json=OFF))
            while not await stored.fetchval(waiting):  # noqa: ASYNC110 -- the database tells nobody
                await asyncio.sleep(0.01)
            # as a group does that they come into
            held = text("SELECT 1 FROM directory_users WHERE id = :id FOR KEY SHARE NOWAIT")
            await session.execute(held, {"id": person_id})
        assert (await changing).status_code == 200


async def test_what_the_caller_has_not_read_is_not_forgotten(directory: httpx.AsyncClient, clock: MovedClock) -> None:
    added = await told(directory, "dora")
    here, old = httpx.URL(added.headers["location"]).path, added.headers["etag"]
    clock.move(timedelta(seconds=1))
    assert (await directory.patch(here, json=OFF)).status_code == 200
    assert (await directory.delete(here, headers={"If-Match": old})).status_code == 412
    assert (await directory.delete(here, headers={"If-Match": "*"})).status_code == 204


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
async def test_text_that_no_database_holds_is_refused(directory: httpx.AsyncClient, odd: str) -> None:
    here = f"{USERS}/{(await told(directory, 'dora')).json()['id']}"
    value = json.dumps({"Operations": [{"op": "replace", "path": "displayName", "value": odd}]})
    answers = [
        await directory.post(USERS, content=json.dumps({"userName": f"e@{DOMAIN}", "externalId": odd})),
        await directory.post(GROUPS, content=json.dumps({"displayName": f"Finance{odd}"})),
        await directory.patch(here, content=value),
        await directory.get(USERS, params={"filter": 'externalId eq "\x00"'}),
        await directory.get(GROUPS, params={"filter": 'displayName eq "\x00"'}),
    ]
    assert [answer.status_code for answer in answers] == [400] * len(answers)
