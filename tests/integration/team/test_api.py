"""The account's endpoints, as programs call them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.api_sessions import start_api_session
from payflux.frontdoor.accounts.sessions import Client, SignedIn
from payflux.world.bootstrap import World
from tests.integration.team.conftest import ADDRESS, add_member, roles
from tests.integration.team.test_inviting import DORA, invited

ME = "/api/v1/accounts/me"


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


class Programs:
    """Makes clients that hold an access token."""

    def __init__(self, app: FastAPI, world: World) -> None:
        self._app, self._world = app, world
        self._open: list[httpx.AsyncClient] = []

    async def of(self, who: SignedIn) -> httpx.AsyncClient:
        world = self._world
        async with world.database.system() as session:
            tokens = await start_api_session(
                session,
                world.tokens,
                world.settings,
                user_id=who.user_id,
                client=Client("203.0.113.7", "a program"),
                factors=frozenset({"password"}),
                now=world.clock.now(),
            )
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url=world.settings.url,
            headers={"Authorization": f"Bearer {tokens.access_token}"},
        )
        self._open.append(client)
        return client

    async def close(self) -> None:
        for client in self._open:
            await client.aclose()


@pytest.fixture
async def programs(app: FastAPI, world: World) -> AsyncIterator[Programs]:
    made = Programs(app, world)
    yield made
    await made.close()


async def test_an_owner_runs_the_team_by_program(
    programs: Programs, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    api = await programs.of(alice)
    account = (await api.get(ME)).json()
    assert (account["name"], account["seat_limit"], account["members"]) == ("Alice's shop", 10, 2)
    assert (await api.patch(ME, json={"name": " New  name "})).json()["name"] == "New name"
    assert [each["role"] for each in (await api.get(f"{ME}/members")).json()] == ["owner", "analyst"]
    made = await api.post(f"{ME}/invites", json={"email": DORA, "role": "viewer"})
    assert made.status_code == 201
    assert "code" not in made.json()
    assert (await api.post(f"{ME}/invites", json={"email": DORA})).json()["code"] == "already_invited"
    bulk = await api.post(f"{ME}/invites/bulk", json={"emails": [DORA, ADDRESS.format("erin")]})
    assert [each["code"] for each in bulk.json()] == ["already_invited", "invited"]
    path = f"{ME}/invites/{made.json()['id']}"
    assert (await api.post(f"{path}/resend")).json()["email_sent_at"] is None
    assert (await api.delete(path)).status_code == 204
    assert [each["email"] for each in (await api.get(f"{ME}/invites")).json()] == [ADDRESS.format("erin")]
    member = f"{ME}/members/{bob.user_id}"
    assert (await api.patch(member, json={"role": "admin"})).json()["role"] == "admin"
    assert (await api.delete(member)).status_code == 204
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_ownership_is_handed_over_by_program(
    programs: Programs, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    hers, his = await programs.of(alice), await programs.of(bob)
    path = f"{ME}/transfer-ownership"
    assert (await hers.get(path)).status_code == 404
    assert (await hers.post(path, json={"user_id": str(bob.user_id)})).json()["outcome"] is None
    assert (await hers.post(f"{path}/accept")).status_code == 404
    assert (await his.post(f"{path}/decline")).json()["outcome"] == "declined"
    await hers.post(path, json={"user_id": str(bob.user_id)})
    assert (await hers.delete(path)).json()["outcome"] == "canceled"
    await hers.post(path, json={"user_id": str(bob.user_id)})
    assert (await his.post(f"{path}/accept")).json()["outcome"] == "accepted"
    assert await roles(world, alice.account_id) == {"Alice": "admin", "Bob": "owner"}


async def test_another_accounts_ids_are_404_and_change_nothing(
    programs: Programs, world: World, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    invite_id, api = await invited(world, alice), await programs.of(charlie)
    before = await roles(world, alice.account_id)
    for target in (bob.user_id, uuid4()):
        assert (await api.patch(f"{ME}/members/{target}", json={"role": "viewer"})).status_code == 404
        assert (await api.delete(f"{ME}/members/{target}")).status_code == 404
        assert (await api.post(f"{ME}/transfer-ownership", json={"user_id": str(target)})).status_code == 404
    assert (await api.post(f"{ME}/invites/{invite_id}/resend")).status_code == 404
    assert (await api.delete(f"{ME}/invites/{invite_id}")).status_code == 404
    assert (await api.get(f"{ME}/invites")).json() == []
    assert await roles(world, alice.account_id) == before


async def test_a_role_is_refused_by_name_and_an_unverified_inviter_too(
    programs: Programs, world: World, alice: SignedIn, bob: SignedIn
) -> None:
    refused = await (await programs.of(bob)).post(f"{ME}/invites", json={"email": DORA})
    assert refused.status_code == 403
    assert refused.json()["rule"] == "team.invite"
    grace = await add_member(world, alice, "Grace", "admin", verified=False)
    refused = await (await programs.of(grace)).post(f"{ME}/invites", json={"email": DORA})
    assert (refused.status_code, refused.json()["error"]) == (403, "email_not_verified")


async def test_export_and_deletion_ask_for_a_fresh_proof_and_end_with_a_receipt(
    programs: Programs, alice: SignedIn
) -> None:
    api = await programs.of(alice)
    document = (await api.get(f"{ME}/export")).json()
    assert document["tables"]["accounts"][0]["name"] == "Alice's shop"
    wrong = await api.request("DELETE", ME, json={"name": "no"})
    assert wrong.status_code == 422
    done = await api.request("DELETE", ME, json={"name": "Alice's shop"})
    assert done.status_code == 200
    assert done.json()["rows"]["memberships"] == 1
    assert (await api.get(ME)).status_code == 401
