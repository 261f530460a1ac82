"""The audit log as its owners read it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.frontdoor.accounts.audit_log import COLUMNS
from payflux.kit.audit import record_change
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.web.guard_matrix import Persona
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import World
from tests.structure.casting import Caller, Member, cast_member

OWNER = Persona("Alice")


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


class Reader:
    """Alice's browser on the log of her account."""

    def __init__(self, app: FastAPI, world: World, superuser: asyncpg.Connection, member: Member) -> None:
        self._caller = Caller(app, world, superuser, member)
        self._route = next(route for route in guarded_routes(app) if route.path == "/account/audit")

    async def get(self, path: str) -> str:
        response = await self._caller.call(self._route, path)
        assert response.status_code == 200, response.text
        return response.text

    async def status(self, path: str) -> int:
        return (await self._caller.call(self._route, path)).status_code

    async def rows(self, query: str = "") -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(await self.get(f"/account/audit.csv{query}"))))


@pytest.fixture
async def alice(world: World, superuser: asyncpg.Connection) -> Member:
    return await cast_member(world, superuser, OWNER)


@pytest.fixture
async def reader(world: World, superuser: asyncpg.Connection, alice: Member) -> Reader:
    return Reader(create_app(world), world, superuser, alice)


async def record(world: World, member: Member, action: str, **after: object) -> None:
    async with world.database.tenant(member.account_id) as session:
        await record_change(
            session,
            account_id=member.account_id,
            actor_id=member.user_id,
            action=action,
            subject="it",
            at=world.clock.now(),
            after=after,
        )


async def test_an_owner_reads_who_changed_what_and_that_the_chain_holds(
    world: World, alice: Member, reader: Reader
) -> None:
    await record(world, alice, "alerts.changed", threshold="<b>5</b>")
    page = await reader.get("/account/audit")
    assert "Unbroken" in page
    assert "alerts.changed" in page
    assert "&lt;b&gt;5&lt;/b&gt;" in page
    assert ">Alice<" in page
    assert "of</span> it<" in page


async def test_a_change_of_a_member_says_of_whom(world: World, alice: Member, reader: Reader) -> None:
    async with world.database.tenant(alice.account_id) as session:
        await record_change(
            session,
            account_id=alice.account_id,
            actor_id=alice.user_id,
            action="member.role_changed",
            subject=str(alice.user_id),
            at=world.clock.now(),
        )
    assert "of</span> Alice<" in await reader.get("/account/audit")


async def test_the_log_is_filtered_by_who_what_and_when(
    world: World, alice: Member, reader: Reader, superuser: asyncpg.Connection
) -> None:
    await record(world, alice, "alerts.changed")
    everything = await reader.rows()
    assert {row["action"] for row in everything} > {"alerts.changed"}
    assert [row["action"] for row in await reader.rows("?action=alerts.changed")] == ["alerts.changed"]
    by_alice, by_system = await reader.rows(f"?actor={alice.user_id}"), await reader.rows("?actor=system")
    assert {row["actor_id"] for row in by_alice} == {str(alice.user_id)}
    assert {row["actor"] for row in by_system} == {"system"}
    assert len(by_alice) + len(by_system) == len(everything)
    today = world.clock.now().date()
    assert await reader.rows(f"?from={today}&to={today}") == everything
    assert await reader.rows("?to=2001-01-01") == []
    assert await reader.status("/account/audit?from=yesterday") == 422
    assert await reader.status("/account/audit.csv?actor=nobody") == 422
    assert await reader.status("/account/audit?from=2026-11-02&to=2026-11-01") == 422


async def test_the_file_holds_what_a_spreadsheet_does_not_run(world: World, alice: Member, reader: Reader) -> None:
    await record(world, alice, "=cmd|' /C calc'!A0", note="=1+1")
    row = (await reader.rows())[0]
    assert tuple(row) == COLUMNS
    assert row["action"].startswith("'=")
    assert row["after"] == '{"note": "=1+1"}'
    assert len(row["hash"]) == 64


async def test_the_page_and_the_file_name_our_staff_but_nobody_who_only_says_so(
    world: World, alice: Member, reader: Reader
) -> None:
    by_staff, by_leaver = replace(alice, user_id=new_id()), replace(alice, user_id=new_id())
    await record(world, by_staff, "staff.account_opened", staff="Sam <sam@payflux.example>")
    await record(world, by_leaver, "alerts.changed", staff="Mallory of the staff")
    left, staff = (await reader.rows())[:2]
    assert (staff["actor_id"], staff["actor"]) == (str(by_staff.user_id), "Sam <sam@payflux.example>")
    assert (left["actor_id"], left["actor"]) == (str(by_leaver.user_id), "")
    page = await reader.get("/account/audit")
    assert "<td>Sam &lt;sam@payflux.example&gt;</td>" in page
    assert "<td>Somebody who has left</td>" in page


async def test_a_long_log_is_read_page_by_page(world: World, alice: Member, reader: Reader) -> None:
    for number in range(60):
        await record(world, alice, f"change.{number}")
    first = await reader.get("/account/audit")
    assert "change.59<" in first
    assert "change.9<" not in first.split("<tbody>")[1]
    assert "Older entries" in first
    older = await reader.get("/account/audit?before=14")
    assert "change.9<" in older
    assert "Older entries" not in older


async def test_tampering_is_told_on_the_page(
    world: World, alice: Member, reader: Reader, superuser: asyncpg.Connection
) -> None:
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        await superuser.execute("UPDATE audit_entries SET actor_id = $1 WHERE sequence = 1", new_id())
    assert "This log was tampered with" in await reader.get("/account/audit")


async def test_nobody_reads_the_log_of_another_account(
    world: World, alice: Member, superuser: asyncpg.Connection
) -> None:
    await record(world, alice, "alices.secret_plan")
    charlie = await cast_member(world, superuser, Persona("Charlie"))
    theirs = Reader(create_app(world), world, superuser, charlie)
    assert "alices.secret_plan" not in await theirs.get("/account/audit")
    assert await theirs.rows(f"?actor={alice.user_id}") == []
