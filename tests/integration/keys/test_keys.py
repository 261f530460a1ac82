"""Keys of an account: made once, good for what they say, gone at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.keys import service
from payflux.frontdoor.accounts.keys.authenticating import authenticate_key
from payflux.frontdoor.accounts.keys.queries import ListedKey, list_keys
from payflux.frontdoor.accounts.keys.reporting import report_leak
from payflux.frontdoor.accounts.keys.service import MadeKey
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import members
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_member, alice, bob, charlie, stored

__all__ = ["alice", "bob", "charlie", "stored"]

WORKSPACE = "/api/v1/workspace"


@pytest.fixture
async def program(app: FastAPI, world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=world.settings.url) as client:
        yield client


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def made(world: World, who: SignedIn, *scopes: str, days: int = 90, name: str = "dashboard") -> MadeKey:
    async with world.database.tenant(who.account_id) as session:
        return await service.create_key(
            session,
            world.tokens,
            who,
            name=name,
            scopes=scopes or ("risk:read",),
            days=days,
            environment="test",
            now=world.clock.now(),
        )


async def listed(world: World, who: SignedIn) -> list[ListedKey]:
    async with world.database.tenant(who.account_id) as session:
        return await list_keys(session, account_id=who.account_id, now=world.clock.now())


async def asked(program: httpx.AsyncClient, key: str, path: str = WORKSPACE) -> tuple[int, str]:
    """The status, and the code of a refusal, of a call with `key`."""
    answer = await program.get(path, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, "" if answer.is_success else answer.json()["code"]


async def test_a_key_opens_what_it_is_for_until_it_expires_and_nothing_else(
    world: World, alice: SignedIn, program: httpx.AsyncClient, clock: MovedClock
) -> None:
    key = await made(world, alice, "risk:read", days=7)
    assert await asked(program, key.secret) == (200, "")
    assert (await program.get(WORKSPACE)).status_code == 401
    narrow = await made(world, alice, "alerts:read", name="narrow")
    assert await asked(program, narrow.secret) == (403, "key_scope")
    assert await asked(program, key.secret, "/api/v1/accounts/me/members") == (403, "key_not_allowed")
    used = {each.name: each for each in await listed(world, alice)}["dashboard"]
    assert used.last_used_at == clock.now()
    clock.move(timedelta(days=7))
    assert await asked(program, key.secret) == (401, "key_expired")


async def test_the_database_holds_no_key(world: World, alice: SignedIn, stored: asyncpg.Connection) -> None:
    key = await made(world, alice)
    row = await stored.fetchrow("SELECT * FROM api_keys")
    assert key.secret not in str(dict(row))
    assert row["digest"] == world.tokens.digest(key.secret)
    entries = await stored.fetch("SELECT action, after::text FROM audit_entries WHERE action LIKE 'key.%'")
    assert [entry["action"] for entry in entries] == ["key.created"]
    assert key.secret not in str(entries)


async def test_what_is_no_key_is_told_apart(world: World, alice: SignedIn, program: httpx.AsyncClient) -> None:
    key = (await made(world, alice)).secret
    other = service.rules.new_key("live")
    assert await asked(program, key[:-1]) == (401, "key_malformed")
    assert await asked(program, other) == (401, "key_environment")
    assert await asked(program, service.rules.new_key("test")) == (401, "key_unknown")


async def test_a_key_outlives_a_change_of_the_secret_and_once_it_was_used_the_old_secret_is_not_needed(
    world: World, alice: SignedIn, clock: MovedClock
) -> None:
    used, unused = [(await made(world, alice, name=name)).secret for name in ("used", "unused")]
    before, new = world.settings.secret_key.get_secret_value(), "another secret for tests, 32 characters or more"

    async def state_of(key: str, tokens: TokenHasher) -> str:
        try:
            await authenticate_key(world.database, tokens, key=key, environment="test", now=clock.now())
        except NotSignedIn as refused:
            return refused.code
        return "opens"

    assert await state_of(used, world.tokens) == "opens"
    assert await state_of(used, TokenHasher(new)) == "key_unknown"
    assert await state_of(used, TokenHasher(new, before)) == "opens"
    assert [await state_of(key, TokenHasher(new)) for key in (used, unused)] == ["opens", "key_unknown"]
    await report_leak(replace(world, tokens=TokenHasher(new, before)), unused)
    assert await state_of(unused, TokenHasher(new, before)) == "key_revoked"


async def test_a_rotated_key_opens_beside_the_new_one_for_as_long_as_was_asked(
    world: World, alice: SignedIn, program: httpx.AsyncClient, clock: MovedClock
) -> None:
    old = await made(world, alice, "risk:read", "alerts:read")
    async with world.database.tenant(alice.account_id) as session:
        new = await service.rotate_key(
            session, world.tokens, alice, key_id=old.row.id, overlap_hours=24, now=clock.now()
        )
    assert new.row.scopes == ["alerts:read", "risk:read"]
    assert {await asked(program, each.secret) for each in (old, new)} == {(200, "")}
    with pytest.raises(Conflict, match="rotating"):
        async with world.database.tenant(alice.account_id) as session:
            await service.rotate_key(session, world.tokens, alice, key_id=old.row.id, overlap_hours=24, now=clock.now())
    clock.move(timedelta(hours=24))
    assert await asked(program, old.secret) == (401, "key_expired")
    assert await asked(program, new.secret) == (200, "")


async def test_a_revoked_key_is_refused_from_its_next_call_on(
    world: World, alice: SignedIn, charlie: SignedIn, program: httpx.AsyncClient
) -> None:
    key = await made(world, alice)
    assert await asked(program, key.secret) == (200, "")
    for stranger, key_id in ((charlie, key.row.id), (alice, uuid4())):
        with pytest.raises(NotFound):
            async with world.database.tenant(stranger.account_id) as session:
                await service.revoke_key(session, stranger, key_id=key_id, now=world.clock.now())
    async with world.database.tenant(alice.account_id) as session:
        await service.revoke_key(session, alice, key_id=key.row.id, now=world.clock.now())
    assert await asked(program, key.secret) == (401, "key_revoked")


async def test_a_key_does_no_more_than_its_owner_may_now(
    world: World, alice: SignedIn, program: httpx.AsyncClient
) -> None:
    dora = await add_member(world, alice, "Dora", "admin")
    key = await made(world, dora, "sinks:read", "risk:read")
    async with world.database.tenant(alice.account_id) as session:
        await members.change_role(session, alice, user_id=dora.user_id, role="viewer", now=world.clock.now())
    assert await asked(program, key.secret) == (200, "")
    viewer = await add_member(world, alice, "Emil", "viewer")
    with pytest.raises(InvalidInput):
        await made(world, viewer, "sinks:write")


@pytest.mark.parametrize("becomes", ["keep", "revoke"])
async def test_who_removes_a_member_decides_about_their_keys(
    world: World, alice: SignedIn, program: httpx.AsyncClient, becomes: service.KeysOfLeaver
) -> None:
    dora = await add_member(world, alice, "Dora", "admin")
    key = await made(world, dora)
    async with world.database.tenant(alice.account_id) as session:
        await members.remove_member(session, alice, user_id=dora.user_id, invites="revoke", now=world.clock.now())
        await service.settle_keys(session, alice, owner_id=dora.user_id, becomes=becomes, now=world.clock.now())
    assert (await asked(program, key.secret))[0] == (200 if becomes == "keep" else 401)
    [left] = await listed(world, alice)
    assert (left.owner, left.state.opens) == (("Alice", True) if becomes == "keep" else ("", False))


async def test_a_key_of_somebody_who_is_gone_opens_nothing_whatever_was_decided(
    world: World, alice: SignedIn, program: httpx.AsyncClient
) -> None:
    dora = await add_member(world, alice, "Dora", "admin")
    key = await made(world, dora)
    async with world.database.tenant(alice.account_id) as session:
        await members.remove_member(session, alice, user_id=dora.user_id, invites="revoke", now=world.clock.now())
    assert await asked(program, key.secret) == (401, "key_unknown")


async def test_a_reported_key_ends_and_its_owner_is_told(
    world: World, alice: SignedIn, program: httpx.AsyncClient, stored: asyncpg.Connection
) -> None:
    key = await made(world, alice, name="ci")
    report = "/api/v1/api-keys/leaked"
    answers = [await program.post(report, json={"key": each}) for each in (key.secret, "nonsense", key.secret)]
    assert {answer.status_code for answer in answers} == {204}
    assert await asked(program, key.secret) == (401, "key_revoked")
    jobs = await stored.fetch("SELECT payload FROM pgqueuer")
    mails = [row["payload"].decode() for row in jobs if b"key_leaked" in row["payload"]]
    assert len(mails) == 1
    assert key.secret not in mails[0]
    await work(world, drain=True)


async def test_a_question_that_was_cut_off_or_wrong_leaves_the_next_ones_alone(world: World) -> None:
    ask = world.database.ask
    sleeping = [asyncio.create_task(ask("SELECT pg_sleep(60)")) for _ in range(20)]
    await asyncio.wait(sleeping, timeout=0.05)  # for some to be on their way, and the others to wait
    for task in sleeping:
        task.cancel()
    assert {type(each) for each in await asyncio.gather(*sleeping, return_exceptions=True)} == {asyncio.CancelledError}
    with pytest.raises(asyncpg.DivisionByZeroError):
        await ask("SELECT 1 / 0")
    with suppress(asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError):
        await ask("SELECT pg_terminate_backend(pg_backend_pid())")
    answers = await asyncio.gather(*(ask("SELECT $1::int AS number", number) for number in range(20)))
    assert [each["number"] for each in answers if each] == list(range(20))


async def test_an_account_has_a_limited_number_of_keys(
    world: World, alice: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.rules, "MOST_KEYS", 2)
    await made(world, alice)
    await made(world, alice)
    with pytest.raises(service.TooManyKeys):
        await made(world, alice)
