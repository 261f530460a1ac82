"""Groups of a company's directory give roles, in the words of Okta and of Entra; the owner stays the owner."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import httpx
from fastapi import FastAPI

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.audit_check import verify_log
from payflux.world.bootstrap import World
from tests.integration.sso.conftest import DOMAIN, browser_of
from tests.integration.sso.test_directory import OFF, ON, USERS, directory, made_key, told
from tests.integration.team.conftest import roles

__all__ = ["directory"]

GROUPS = "/api/v1/scim/v2/Groups"
CORE = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]


def patch(*operations: Mapping[str, object]) -> dict[str, object]:
    return {"schemas": PATCH, "Operations": operations}


async def person(directory: httpx.AsyncClient, name: str) -> str:
    return (await told(directory, name)).json()["id"]


async def choose(browser_world: World, app: FastAPI, owner: SignedIn, group_id: str, role: str) -> None:
    browser = await browser_of(browser_world, app, owner)
    chosen = await browser.post("/account/sso/groups", {"group": group_id, "role": role})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/account/sso#groups")


async def test_groups_as_okta_and_entra_send_them_give_the_highest_of_their_roles(
    directory: httpx.AsyncClient,
    set_up_world: World,
    app: FastAPI,
    alice: SignedIn,
    bob: SignedIn,
    stored: asyncpg.Connection,
) -> None:
    await stored.execute("UPDATE memberships SET role = 'viewer' WHERE user_id = $1", bob.user_id)
    owner, dora, member = [await person(directory, name) for name in ("alice", "dora", "bob")]
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Bob": "viewer", "Dora": "viewer"}

    # Okta looks a group up by its name, makes it empty, and adds people one by one
    asked = {"filter": 'displayName eq "Finance"', "startIndex": 1, "count": 100}
    assert (await directory.get(GROUPS, params=asked)).json()["totalResults"] == 0
    made = await directory.post(GROUPS, json={"schemas": [CORE], "displayName": "Finance", "members": []})
    assert (made.status_code, made.headers["etag"], made.json()["members"]) == (201, 'W/"1"', [])
    finance = httpx.URL(made.headers["location"]).path
    await choose(set_up_world, app, alice, made.json()["id"], "analyst")
    added = await directory.patch(
        finance,
        json=patch(
            *(
                {"op": "add", "path": "members", "value": [{"value": each, "display": "somebody"}]}
                for each in (owner, dora, member)
            )
        ),
    )
    assert (added.status_code, added.headers["etag"], added.content) == (204, 'W/"2"', b"")
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Bob": "analyst", "Dora": "analyst"}
    renamed = patch({"op": "replace", "value": {"id": made.json()["id"], "displayName": "Finance Team"}})
    assert (await directory.patch(finance, json=renamed)).status_code == 204

    # Entra names its own id and schema, asks without members, and writes Add and Remove with a list
    entra = {
        "schemas": [CORE, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Payment Operations",
        "meta": {"resourceType": "Group"},
    }
    operations = (await directory.post(GROUPS, json=entra)).json()
    here = f"{GROUPS}/{operations['id']}"
    assert operations["externalId"] == entra["externalId"]
    await choose(set_up_world, app, alice, operations["id"], "admin")
    to_dora = [{"$ref": None, "value": dora}]
    assert (await directory.patch(here, json=patch({"op": "Add", "path": "members", "value": to_dora}))).is_success
    assert (await roles(set_up_world, alice.account_id))["Dora"] == "admin"  # the higher of two
    without = (await directory.get(here, params={"excludedAttributes": "members"})).json()
    assert (without["displayName"], "members" in without) == ("Payment Operations", False)
    listed = await directory.get(
        GROUPS, params={"filter": 'displayName eq "finance team"', "excludedAttributes": "members"}
    )
    assert [each["displayName"] for each in listed.json()["Resources"]] == ["Finance Team"]
    assert "members" not in listed.json()["Resources"][0]
    assert (await directory.patch(here, json=patch({"op": "Remove", "path": "members", "value": to_dora}))).is_success
    assert (await roles(set_up_world, alice.account_id))["Dora"] == "analyst"
    renamed = patch({"op": "Replace", "path": "displayName", "value": "Payments"})
    assert (await directory.patch(here, json=renamed)).is_success

    # the last group that gives a role is left: Okta's way, and Entra's other way
    one = patch({"op": "remove", "path": f'members[value eq "{dora}"]'})
    assert (await directory.patch(finance, json=one)).is_success
    assert (await roles(set_up_world, alice.account_id))["Dora"] == "viewer"
    shown = (await directory.get(finance)).json()
    assert {each["display"] for each in shown["members"]} == {f"alice@{DOMAIN}", f"bob@{DOMAIN}"}
    assert shown["meta"]["version"] == 'W/"4"'

    # whoever is sent away and comes back has what their groups give
    assert (await directory.patch(f"{USERS}/{member}", json=OFF)).is_success
    assert (await directory.patch(f"{USERS}/{member}", json=ON)).is_success
    assert (await roles(set_up_world, alice.account_id))["Bob"] == "analyst"
    assert (await directory.delete(f"{USERS}/{member}")).status_code == 204
    assert (await directory.get(finance)).json()["meta"]["version"] == 'W/"5"'

    actions = "SELECT count(*) FROM audit_entries WHERE account_id = $1 AND action = $2"
    assert await stored.fetchval(actions, alice.account_id, "member.role_changed") == 5
    assert await stored.fetchval(actions, alice.account_id, "sso.group_role_chosen") == 2
    async with set_up_world.database.tenant(alice.account_id) as session:
        assert await verify_log(session, account_id=alice.account_id) == []


async def test_a_group_is_replaced_versioned_and_forgotten_and_wrong_requests_change_nothing(
    directory: httpx.AsyncClient,
    set_up_world: World,
    app: FastAPI,
    alice: SignedIn,
    bob: SignedIn,
    charlie: SignedIn,
    stored: asyncpg.Connection,
) -> None:
    dora, member = await person(directory, "dora"), await person(directory, "bob")
    body = {"schemas": [CORE], "displayName": "Risk", "members": [{"value": dora}]}
    made = (await directory.post(GROUPS, json=body)).json()
    here = f"{GROUPS}/{made['id']}"
    await choose(set_up_world, app, alice, made["id"], "admin")
    assert (await roles(set_up_world, alice.account_id))["Dora"] == "admin"

    known = await directory.get(here, headers={"If-None-Match": 'W/"1"'})
    assert (known.status_code, known.content) == (304, b"")
    late = await directory.put(here, json=body, headers={"If-Match": 'W/"7"'})
    assert (late.status_code, late.json()["status"], late.json()["schemas"][0][-5:]) == (412, "412", "Error")
    replaced = await directory.put(here, json=body | {"members": [{"value": member}]}, headers={"If-Match": 'W/"1"'})
    assert (replaced.status_code, replaced.headers["etag"]) == (200, 'W/"2"')
    assert await roles(set_up_world, alice.account_id) == {"Alice": "owner", "Bob": "admin", "Dora": "viewer"}
    version = (await directory.get(f"{USERS}/{dora}")).headers["etag"]
    stale = await directory.patch(f"{USERS}/{dora}", json=ON, headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    assert (await directory.patch(f"{USERS}/{dora}", json=ON, headers={"If-Match": version})).status_code == 200

    # what cannot be is refused, and changes nothing
    for wrong, kind in (
        (patch({"op": "add", "path": "members", "value": [{"value": str(charlie.user_id)}]}), "invalidValue"),
        (patch({"op": "add", "path": "members", "value": [{"value": "bob"}]}), "invalidValue"),
        (patch({"op": "move", "path": "members", "value": []}), "invalidValue"),
        (patch({"op": "remove"}), "invalidValue"),
        (patch({"op": "replace", "path": "displayName", "value": " "}), "invalidValue"),
        (patch(), "invalidValue"),
    ):
        refused = await directory.patch(here, json=wrong)
        assert (refused.status_code, refused.json()["scimType"]) == (400, kind), refused.text
    again = await directory.post(GROUPS, json={"displayName": "risk"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    unknown = await directory.get(GROUPS, params={"filter": 'externalId eq "x"'})
    assert (unknown.status_code, unknown.json()["scimType"]) == (400, "invalidFilter")
    narrow = await made_key(set_up_world, alice, "risk:read")
    assert (await directory.get(GROUPS, headers={"Authorization": f"Bearer {narrow}"})).status_code == 403
    assert (await directory.get(here)).headers["etag"] == 'W/"2"'

    # a role that the directory gives is changed there
    browser = await browser_of(set_up_world, app, alice)
    by_hand = await browser.post(f"/account/team/members/{bob.user_id}/role", {"role": "viewer"})
    assert (by_hand.status_code, "comes from a group" in by_hand.text) == (409, True)
    assert (await directory.delete(here, headers={"If-Match": "*"})).status_code == 204
    assert (await directory.get(here)).status_code == 404
    assert (await roles(set_up_world, alice.account_id))["Bob"] == "viewer"
    by_hand = await browser.post(f"/account/team/members/{bob.user_id}/role", {"role": "analyst"})
    assert by_hand.status_code == 303
    page = await browser.get("/account/sso")
    assert "has not told of any group" in page.text
