"""An export holds every table, and a deletion leaves none."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from sqlalchemy import LargeBinary

from payflux.activation.deletion import DeletionBlocked, delete_account, forget_member, sweep_up_account
from payflux.activation.team_mails import ADDRESSES, DELIVERED, WRITERS
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import transfers
from payflux.frontdoor.accounts.team.exporting import BINARY_DATA, account_tables, export_account, exported_columns
from payflux.frontdoor.accounts.team.models import DeletionReceipt
from payflux.kit.database import Base
from payflux.kit.errors import Forbidden, InvalidInput, Unavailable
from payflux.kit.ids import new_id
from payflux.monitor.processors.models import Connection
from payflux.worker.main import JOBS
from payflux.world.bootstrap import World
from tests.integration.team.conftest import add_member
from tests.integration.team.test_inviting import invited

# rows of people, who may be in several accounts; they end with their last one
OF_PEOPLE = {"sessions"}


async def tables_of_accounts(stored: asyncpg.Connection) -> dict[str, str]:
    """Every table of the catalogue whose rows name an account, and by which column."""
    rows = await stored.fetch(
        "SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name) "
        "WHERE columns.table_schema = 'public' AND column_name = 'account_id' AND table_type = 'BASE TABLE'"
    )
    return {row["table_name"]: "account_id" for row in rows if row["table_name"] not in OF_PEOPLE} | {"accounts": "id"}


async def filled(world: World, stored: asyncpg.Connection, who: SignedIn) -> set[str]:
    """Put a row into every table of the account that has none; returns their names."""
    async with world.database.tenant(who.account_id) as session:
        connection = Connection(
            account_id=who.account_id,
            id=new_id(),
            workspace_id=await stored.fetchval("SELECT id FROM workspaces WHERE account_id = $1", who.account_id),
            method="restricted_key",
            external_account_id="acct_filled",
            livemode=False,
            status="disconnected",
            capabilities={},
            snapshot={},
            connected_at=world.clock.now(),
        )
        session.add(connection)
    tables = await tables_of_accounts(stored)
    async with stored.transaction():
        # what is written here stands for what every part of the product writes; its meaning does not matter
        await stored.execute("SET LOCAL session_replication_role = replica")
        for parent_first in account_tables():
            table, column = parent_first.name, tables[parent_first.name]
            if not await stored.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", who.account_id):
                await stored.execute(await _row_for(stored, table), who.account_id)
    return set(tables)


async def _row_for(stored: asyncpg.Connection, table: str) -> str:
    """A statement that adds any row to `table`, for the account that is its parameter, under its real parents."""
    values = {"account_id": "$1"}
    for child, parent, column in (
        ("connection_id", "processor_connections", "id"),
        ("workspace_id", "workspaces", "id"),
        ("pull_id", "history_pulls", "id"),
        ("projection_id", "reserve_projections", "id"),
        ("surface_id", "risk_surfaces", "id"),
        ("invite_id", "account_invites", "id"),
        ("alert_id", "alerts", "id"),
        ("event_id", "alert_events", "id"),
        ("delivery_id", "alert_deliveries", "id"),
        ("export_id", "evidence_exports", "id"),
        ("import_id", "evidence_imports", "id"),
        ("group_id", "directory_groups", "id"),
        ("person_id", "directory_users", "id"),
        ("from_user_id", "memberships", "user_id"),
        ("user_id", "memberships", "user_id"),
    ):
        values[child] = f"coalesce((SELECT {column} FROM {parent} WHERE account_id = $1 LIMIT 1), gen_random_uuid())"
    by_type = {
        "uuid": "gen_random_uuid()",
        "timestamp with time zone": "now()",
        "bytea": "uuid_send(gen_random_uuid())",
        "jsonb": "'{}'::jsonb",
        "boolean": "true",
        "date": "current_date",
        "ARRAY": "'{}'",
        "text": "md5(random()::text)",
        "character varying": "'x'",
        "inet": "'203.0.113.7'",
    }
    columns = await stored.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name = $1 AND (is_nullable = 'NO' AND column_default IS NULL OR column_name = ANY($2))",
        table,
        ["account_id", "connection_id", "body"],
    )
    definitions = await stored.fetch(
        "SELECT pg_get_constraintdef(oid) AS check FROM pg_constraint WHERE contype = 'c' AND conrelid = $1::regclass",
        table,
    )
    checks = " ".join(row["check"] for row in definitions)
    for row in columns:
        allowed = re.search(rf"\(?\(?{row['column_name']}\)?(?:::text)?\)? = ANY .*?'(\w+)'", checks)
        values.setdefault(row["column_name"], f"'{allowed[1]}'" if allowed else by_type.get(row["data_type"], "1"))
    names = [row["column_name"] for row in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values[name] for name in names)})"


async def exported(world: World, who: SignedIn) -> dict:
    async with world.database.tenant(who.account_id) as session:
        pieces = [piece async for piece in export_account(session, account_id=who.account_id, now=world.clock.now())]
    return json.loads(b"".join(pieces))


async def test_an_export_holds_rows_of_every_table_of_the_catalogue_and_of_nobody_else(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    tables = await filled(world, stored, alice)
    await filled(world, stored, charlie)
    document = await exported(world, alice)
    assert set(document["tables"]) == tables
    assert [table for table, rows in document["tables"].items() if not rows] == []
    assert str(charlie.account_id) not in json.dumps(document)
    assert [member["email"] for member in document["members"]] == [alice.email, bob.email]
    assert document["account_id"] == str(alice.account_id)


async def test_an_export_has_as_many_rows_as_are_stored_also_beyond_one_batch(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await stored.execute(
        "INSERT INTO daily_rollups (account_id, workspace_id, currency, first_day, days, vector, updated_at) "
        "SELECT $1, gen_random_uuid(), 'usd', current_date, 1, '\\x00ff', now() FROM generate_series(1, 2500)",
        alice.account_id,
    )
    rows = (await exported(world, alice))["tables"]["daily_rollups"]
    assert len(rows) == 2500
    assert rows[0]["vector"] == "AP8="


def test_no_secret_is_exported_and_no_binary_column_unless_it_is_known_to_be_data() -> None:
    held = {f"{table.name}.{column.name}" for table in account_tables() for column in exported_columns(table)}
    binary = {
        f"{table.name}.{column.name}"
        for table in account_tables()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert held & binary == set(BINARY_DATA)
    sounds_secret = {name for name in held if re.search(r"secret|token|password|digest|_hash$|mail_to", name)}
    assert sounds_secret <= {
        "alert_mail_times.digest_at",
        "processor_connections.secret_expires_at",
        "processor_connections.hook_secret_until",
        "reserve_projections.inputs_hash",
        "risk_surfaces.inputs_hash",
        "risk_surfaces.basis_hash",
        "audit_entries.previous_hash",
        "audit_entries.hash",
        "audit_heads.hash",
        "evidence_imports.source_hash",
        "ledger_artifacts.body_hash",
        "ledger_artifacts.hash",
        "ledger_artifacts.inputs_hash",
        "ledger_artifacts.previous_hash",
        "ledger_heads.hash",
    }


@pytest.mark.parametrize("process", ["payflux.app", "payflux.worker.main"])
async def test_each_process_knows_every_table_of_an_account(stored: asyncpg.Connection, process: str) -> None:
    names = "print(*(table.name for table in account_tables()))"
    program = f"import {process}\nfrom {account_tables.__module__} import account_tables\n{names}"
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    printed, _ = await running.communicate()
    assert set(printed.decode().split()) == set(await tables_of_accounts(stored))


async def test_a_deletion_leaves_no_row_of_the_account_and_every_row_of_others(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    tables = await tables_of_accounts(stored)
    assert set(tables) == await filled(world, stored, alice)
    await filled(world, stored, charlie)
    await stored.execute("UPDATE ownership_transfers SET closed_at = now()")

    async def counts(who: SignedIn) -> dict[str, int]:
        return {
            table: await stored.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", who.account_id)
            for table, column in tables.items()
        }

    of_charlie, of_alice = await counts(charlie), await counts(alice)
    await stored.execute("DELETE FROM pgqueuer")
    receipt = await delete_account(world, alice, typed_name=" Alice's  shop ")
    assert {table: number for table, number in (await counts(alice)).items() if number} == {}
    assert await counts(charlie) == of_charlie
    assert receipt.rows == {table: number for table, number in of_alice.items() if number}
    enqueued = {row["entrypoint"] for row in await stored.fetch("SELECT entrypoint FROM pgqueuer")}
    assert enqueued == {"send_mail", "forget_member", "sweep_up_account"}
    assert enqueued <= set(JOBS)
    await stored.execute("DELETE FROM pgqueuer WHERE entrypoint = 'send_mail'")
    for who in (alice, bob, charlie):
        await forget_member(world, {"account_id": str(alice.account_id), "user_id": str(who.user_id)})
    assert [row["name"] for row in await stored.fetch("SELECT name FROM users")] == ["Charlie"]


async def test_the_receipt_is_mailed_to_the_owner_and_then_holds_no_address(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    receipt = await delete_account(world, alice, typed_name="Alice's shop")
    await forget_member(world, {"account_id": str(alice.account_id), "user_id": str(alice.user_id)})
    payload = {"row_id": str(receipt.id)}
    async with world.database.system() as session:
        addressee = await ADDRESSES["deletion_receipts"](world, session, receipt.id)
    assert addressee is not None
    assert addressee.email == alice.email
    mail = await WRITERS["deletion_receipt"](world, payload, Addressee("", alice.email, ""))
    assert mail is not None
    assert str(receipt.id) in mail.text
    assert "memberships: 1" in mail.text
    await DELIVERED["deletion_receipt"](world, payload)
    kept = await stored.fetchrow("SELECT * FROM deletion_receipts")
    assert (kept["deleted_account_id"], kept["deleted_by"]) == (alice.account_id, alice.user_id)
    assert kept["mail_to"] is None
    queued = b"".join(row["payload"] for row in await stored.fetch("SELECT payload FROM pgqueuer"))
    assert alice.email.encode() not in queued


async def test_only_the_owner_who_types_the_name_deletes_the_account(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    grace = await add_member(world, alice, "Grace", "admin")
    with pytest.raises(Forbidden):
        await delete_account(world, grace, typed_name="Alice's shop")
    for wrong in ("", "alice's shop", "Charlie's shop"):
        with pytest.raises(InvalidInput):
            await delete_account(world, alice, typed_name=wrong)
    assert await stored.fetchval("SELECT count(*) FROM accounts") == 1


async def test_what_stands_in_the_way_is_typed_and_nothing_is_deleted(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn
) -> None:
    async with world.database.tenant(alice.account_id) as session:
        await transfers.request_transfer(session, alice, user_id=bob.user_id, now=world.clock.now())
    with pytest.raises(DeletionBlocked) as refusal:
        await delete_account(world, alice, typed_name="Alice's shop")
    blockers = refusal.value.details["blockers"]
    assert isinstance(blockers, list)
    assert [blocker["code"] for blocker in blockers] == ["open_transfer"]
    assert await stored.fetchval("SELECT count(*) FROM memberships") == 2
    assert await stored.fetchval("SELECT count(*) FROM deletion_receipts") == 0


async def test_when_stripe_does_not_answer_nothing_is_deleted_and_no_access_given_up(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await filled(world, stored, alice)
    await stored.execute("UPDATE ownership_transfers SET closed_at = now()")
    await stored.execute("UPDATE processor_connections SET status = 'active', method = 'connect_oauth'")
    asked = []

    def down(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise httpx.ConnectError("nobody is there", request=request)

    settings = world.settings.model_copy(update={"stripe_retries": 0})
    async with httpx.AsyncClient(transport=httpx.MockTransport(down)) as http:
        with pytest.raises(Unavailable, match="Nothing was deleted"):
            await delete_account(replace(world, http=http, settings=settings), alice, typed_name="Alice's shop")
    assert set(asked) == {"GET"}, "nothing was asked for but a look"
    assert await stored.fetchval("SELECT count(*) FROM accounts") == 1
    assert await stored.fetchval("SELECT status FROM processor_connections") == "active"


async def test_rows_that_a_job_wrote_during_the_deletion_are_swept_up(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await delete_account(world, alice, typed_name="Alice's shop")
    await stored.execute(
        "INSERT INTO daily_rollups (account_id, workspace_id, currency, first_day, days, vector, updated_at) "
        "VALUES ($1, gen_random_uuid(), 'usd', current_date, 1, '', now())",
        alice.account_id,
    )
    await sweep_up_account(world, {"account_id": str(alice.account_id)})
    assert await stored.fetchval("SELECT count(*) FROM daily_rollups") == 0


def test_every_table_that_names_an_account_is_known_to_the_export() -> None:
    named = {name for name, table in Base.metadata.tables.items() if "account_id" in table.c}
    assert {table.name for table in account_tables()} == (named - OF_PEOPLE) | {"accounts"}
    assert DeletionReceipt.__tablename__ not in {table.name for table in account_tables()}


async def test_an_invite_that_is_open_dies_with_the_account(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await invited(world, alice)
    await delete_account(world, alice, typed_name="Alice's shop")
    assert await stored.fetchval("SELECT count(*) FROM account_invites") == 0
    assert datetime.now(UTC) > world.clock.now()
