"""The audit log in the database: one chain for each account, which nobody can change unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url, select

from payflux.kit.audit import AuditEntry, coming_from, record_change
from payflux.kit.audit_chain import Break
from payflux.kit.audit_check import verify_every_log, verify_log
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.world.bootstrap import World


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


@pytest.fixture
async def account(superuser: asyncpg.Connection) -> UUID:
    return await new_account(superuser)


async def new_account(superuser: asyncpg.Connection) -> UUID:
    account_id = new_id()
    await superuser.execute("INSERT INTO accounts (id, name) VALUES ($1, 'Alice')", account_id)
    return account_id


async def record(world: World, account_id: UUID, action: str, **fields: object) -> None:
    async with world.database.tenant(account_id) as session:
        await record_change(
            session, account_id=account_id, action=action, subject="it", at=world.clock.now(), after=fields
        )


async def breaks_of(world: World, account_id: UUID) -> list[Break]:
    async with world.database.tenant(account_id) as session:
        return await verify_log(session, account_id=account_id)


async def tamper(superuser: asyncpg.Connection, statement: str, *values: object) -> None:
    """What somebody with every right does, who first takes the triggers away."""
    async with superuser.transaction():
        await superuser.execute("SET LOCAL session_replication_role = replica")
        await superuser.execute(statement, *values)


async def test_changes_made_at_once_are_numbered_without_a_gap_and_the_chain_holds(
    world: World, account: UUID, superuser: asyncpg.Connection
) -> None:
    other = await new_account(superuser)
    await asyncio.gather(*(record(world, (account, other)[number % 2], f"change {number}") for number in range(24)))
    for each in (account, other):
        numbers = await superuser.fetch("SELECT sequence FROM audit_entries WHERE account_id = $1 ORDER BY 1", each)
        assert [row["sequence"] for row in numbers] == list(range(1, 13))
    assert await verify_every_log(world.database) == {account: [], other: []}


async def test_a_change_that_did_not_happen_leaves_neither_an_entry_nor_a_gap(world: World, account: UUID) -> None:
    await record(world, account, "first")
    with suppress(ZeroDivisionError):
        async with world.database.tenant(account) as session:
            await record_change(session, account_id=account, action="never", subject="it", at=world.clock.now())
            raise ZeroDivisionError
    await record(world, account, "second")
    async with world.database.tenant(account) as session:
        entries = (await session.execute(select(AuditEntry).order_by(AuditEntry.sequence))).scalars().all()
    assert [(entry.sequence, entry.action) for entry in entries] == [(1, "first"), (2, "second")]
    assert await breaks_of(world, account) == []


async def test_numbers_and_texts_of_every_kind_come_back_as_they_were_hashed(world: World, account: UUID) -> None:
    odd = {
        "n": [0, -0.0, 1e3, 1e22, 1.5e300, 1e-7, 0.1, 2**70, -1.25],
        "t": ["é", "\u2028", "𝄞", ""],
        "b": [True, None],
    }
    await record(world, account, "odd", **odd)
    assert await breaks_of(world, account) == []


async def test_an_entry_says_where_its_request_came_from_and_keeps_no_secret(world: World, account: UUID) -> None:
    with coming_from("203.0.113.7", "Mozilla/5.0 " + "x" * 400):
        await record(world, account, "key.added", secret="rk_test_0123456789")
    await record(world, account, "by a job")
    async with world.database.tenant(account) as session:
        first, second = (await session.execute(select(AuditEntry).order_by(AuditEntry.sequence))).scalars().all()
    assert (first.address, len(first.user_agent), first.after) == ("203.0.113.7", 300, {"secret": "[not kept]"})
    assert (second.address, second.user_agent) == ("", "")
    assert await breaks_of(world, account) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'nothing'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM audit_heads",
        "UPDATE audit_heads SET sequence = sequence - 1",
        "UPDATE audit_heads SET hash = '\\x00'",
    ],
)
async def test_nobody_changes_the_log_by_mistake_not_even_a_superuser(
    world: World, account: UUID, superuser: asyncpg.Connection, statement: str
) -> None:
    await record(world, account, "first")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="audit log"):
        await superuser.execute(statement)
    assert await breaks_of(world, account) == []


async def test_the_log_goes_with_its_account(world: World, account: UUID, superuser: asyncpg.Connection) -> None:
    await record(world, account, "first")
    await superuser.execute("DELETE FROM accounts WHERE id = $1", account)
    assert await superuser.fetchval("SELECT count(*) FROM audit_entries") == 0
    assert await superuser.fetchval("SELECT count(*) FROM audit_heads") == 0


@pytest.mark.parametrize(
    ("statement", "flaw"),
    [
        ('UPDATE audit_entries SET after = \'{"role": "owner"}\' WHERE sequence = 2', Break(2, "changed")),
        ("UPDATE audit_entries SET at = at + interval '1 hour' WHERE sequence = 2", Break(2, "changed")),
        ("UPDATE audit_entries SET actor_id = gen_random_uuid() WHERE sequence = 2", Break(2, "changed")),
        ("UPDATE audit_entries SET address = '198.51.100.1' WHERE sequence = 2", Break(2, "changed")),
        ("DELETE FROM audit_entries WHERE sequence = 2", Break(2, "missing")),
        ("DELETE FROM audit_entries WHERE sequence = 4", Break(4, "cut off")),
        ("DELETE FROM audit_entries", Break(4, "cut off")),
        ("DELETE FROM audit_heads", Break(4, "cut off")),
    ],
)
async def test_what_somebody_with_every_right_does_to_the_log_shows(
    world: World, account: UUID, superuser: asyncpg.Connection, statement: str, flaw: Break
) -> None:
    for number in range(4):
        await record(world, account, f"change {number}", role="viewer")
    await tamper(superuser, statement)
    assert await breaks_of(world, account) == [flaw]
    assert (await verify_every_log(world.database))[account] == [flaw]


async def test_entries_that_changed_places_show(world: World, account: UUID, superuser: asyncpg.Connection) -> None:
    for number in range(4):
        await record(world, account, f"change {number}")
    await tamper(superuser, "UPDATE audit_entries SET sequence = -sequence WHERE sequence IN (2, 3)")
    await tamper(superuser, "UPDATE audit_entries SET sequence = 5 + sequence WHERE sequence < 0")
    assert {each.sequence for each in await breaks_of(world, account)} == {2, 3, 4}
