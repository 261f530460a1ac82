"""With the ids of another account every route answers as if there were no such thing, and changes nothing there."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.passwords import hash_password
from payflux.kit.ids import new_id
from payflux.web.guard_matrix import Persona
from payflux.web.policies import Audience, GuardedRoute
from payflux.world.bootstrap import World
from tests.structure.casting import Caller, Member, cast_member, doors

NOT_AN_ID = {"provider", "key", "kind", "notice", "token", "step", "sequence"}
"""Parameters of paths that name nothing of an account."""


STRICT: dict[str, dict[str, object]] = {"PATCH /api/v1/alert-rules/{rule_id}": {"armed": False}}
"""What is sent where anything else than what a route knows is refused before it looks for what the path names."""


@pytest.fixture
def world(lonely_world: World) -> World:
    return lonely_world


@pytest.fixture
async def alice(world: World, superuser: asyncpg.Connection) -> Member:
    return await cast_member(world, superuser, Persona("Alice"))


@pytest.fixture
async def ids(world: World, superuser: asyncpg.Connection, alice: Member) -> dict[str, UUID]:
    """What Alice's account has that a path or a form can name."""
    now, bob, invite, passkey, session = world.clock.now(), *(new_id() for _ in range(4))
    await superuser.execute(
        "INSERT INTO users (id, email, email_normalized, name) VALUES ($1, 'b@example.com', 'b@example.com', 'Bob')",
        bob,
    )
    await superuser.execute("INSERT INTO memberships VALUES ($1, $2, 'viewer')", alice.account_id, bob)
    await superuser.execute(
        "INSERT INTO account_invites "
        "(account_id, id, email, email_normalized, role, invited_by, created_at, expires_at) "
        "VALUES ($1, $2, 'd@example.com', 'd@example.com', 'viewer', $3, $4, $5)",
        alice.account_id,
        invite,
        alice.user_id,
        now,
        now + timedelta(days=7),
    )
    await superuser.execute(
        "INSERT INTO sessions (id, token_digest, user_id, created_at, last_used_at, expires_at) "
        "VALUES ($1, '\\x01', $2, $3, $3, $4)",
        session,
        alice.user_id,
        now,
        now + timedelta(days=1),
    )
    await add_passkey(superuser, passkey, alice)
    api_key = new_id()
    await superuser.execute(
        "INSERT INTO api_keys "
        "(account_id, id, owner_id, name, digest, environment, ending, scopes, created_at, expires_at) "
        "VALUES ($1, $2, $3, 'ours', '\\x05', 'test', 'abcd', '{risk:read}', $4, $5)",
        alice.account_id,
        api_key,
        alice.user_id,
        now,
        now + timedelta(days=90),
    )
    workspace = new_id()
    await superuser.execute(
        "INSERT INTO accounts (id, name, parent_id) VALUES ($1, 'Alice''s other', $2)", workspace, alice.account_id
    )
    listed = new_id()
    await superuser.execute(
        "INSERT INTO directory_users (account_id, id, user_id, user_name, active, created_at, changed_at) "
        "VALUES ($1, $2, $3, 'b@example.com', true, $4, $4)",
        alice.account_id,
        listed,
        bob,
        now,
    )
    group = new_id()
    await superuser.execute(
        "INSERT INTO directory_groups (account_id, id, display_name, version, created_at, changed_at) "
        "VALUES ($1, $2, 'Finance', 1, $3, $3)",
        alice.account_id,
        group,
        now,
    )
    connection = new_id()
    await superuser.execute(
        "INSERT INTO processor_connections (account_id, id, workspace_id, method, external_account_id, livemode, "
        "status, connected_at, capabilities, snapshot) "
        "SELECT $1, $2, id, 'restricted_key', 'acct_alice', false, 'active', $3, '{}', '{}' "
        "FROM workspaces WHERE account_id = $1",
        alice.account_id,
        connection,
        now,
    )
    alerts = await add_alerts(superuser, alice)
    evidence = await add_evidence(superuser, alice)
    return (
        alerts
        | evidence
        | {
            "account_id": alice.account_id,
            "user_id": bob,
            "invite_id": invite,
            "directory_user_id": listed,
            "directory_group_id": group,
            "group": group,
            "key_id": api_key,
            "workspace_id": workspace,
            "merchant_id": connection,
            "passkey_id": passkey,
            "session_id": session,
        }
    )


async def add_alerts(superuser: asyncpg.Connection, member: Member) -> dict[str, UUID]:
    """A rule with an open alert, and a channel that it was posted to."""
    rule, alert, event, channel, delivery = (new_id() for _ in range(5))
    workspace = await superuser.fetchval("SELECT id FROM workspaces WHERE account_id = $1", member.account_id)
    for statement, *values in (
        (
            "INSERT INTO alert_rules (account_id, workspace_id, id, trigger, name, threshold, channels, armed, "
            "armed_at, metric) VALUES ($1, $2, $3, 'custom', 'Ours', 3, '{dashboard}', true, now(), 'risk_tier')",
            workspace,
            rule,
        ),
        (
            "INSERT INTO alerts (account_id, workspace_id, id, rule_id, name, state, raised_at, facts) "
            "VALUES ($1, $2, $3, $4, 'Ours', 'open', now(), '{}')",
            workspace,
            alert,
            rule,
        ),
        (
            "INSERT INTO alert_events (account_id, id, alert_id, kind, at, tells, facts) "
            "VALUES ($1, $2, $3, 'raised', now(), true, '{}')",
            event,
            alert,
        ),
        (
            "INSERT INTO alert_channels (account_id, workspace_id, id, kind, name, shown, address, created_by, "
            "created_at) VALUES ($1, $2, $3, 'slack', 'Ours', 'slack', '\\x04', $4, now())",
            workspace,
            channel,
            member.user_id,
        ),
        (
            "INSERT INTO alert_deliveries (account_id, id, event_id, kind, target, state, created_at, due_at) "
            "VALUES ($1, $2, $3, 'slack', $4, 'failed', now(), now())",
            delivery,
            event,
            channel,
        ),
    ):
        await superuser.execute(statement, member.account_id, *values)
    return {"rule_id": rule, "alert_id": alert, "channel_id": channel, "delivery_id": delivery}


async def add_evidence(superuser: asyncpg.Connection, member: Member) -> dict[str, UUID]:
    """An export that is ready, a report that is due regularly, and something imported."""
    export, report, brought = (new_id() for _ in range(3))
    workspace = await superuser.fetchval("SELECT id FROM workspaces WHERE account_id = $1", member.account_id)
    for statement, *values in (
        (
            "INSERT INTO evidence_exports (account_id, workspace_id, id, content, format, first_sequence, "
            "last_sequence, asked_at, expires_at, state) "
            "VALUES ($1, $2, $3, 'artifacts', 'jsonl', 1, 1, now(), now() + interval '7 days', 'ready')",
            export,
        ),
        (
            "INSERT INTO evidence_reports (account_id, workspace_id, id, content, every, recipients, created_by, "
            "created_at, next_at) VALUES ($1, $2, $3, 'dossier', 'week', '{}', $4, now(), now())",
            report,
            member.user_id,
        ),
        (
            "INSERT INTO evidence_imports (account_id, workspace_id, id, form, file_name, source_hash, records, "
            "origin, imported_by, imported_at, sequence) "
            "VALUES ($1, $2, $3, 'records', 'ours.jsonl', 'ab', 0, '', $4, now(), 1)",
            brought,
            member.user_id,
        ),
    ):
        await superuser.execute(statement, member.account_id, workspace, *values)
    return {"export_id": export, "report_id": report, "import_id": brought}


async def add_passkey(superuser: asyncpg.Connection, passkey: UUID, member: Member) -> None:
    await superuser.execute(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, name, created_at) "
        "VALUES ($1, $2, $3, '\\x03', 0, '{}', 'phone', now())",
        passkey,
        member.user_id,
        passkey.bytes,
    )


async def everything_of(superuser: asyncpg.Connection, alice: Member, bob: UUID) -> dict[str, str]:
    """A digest of every table's rows that are Alice's or Bob's or their account's."""
    owned = await superuser.fetch(
        "SELECT tablename AS table, (regexp_match(qual, '^\\((\\w+) = '))[1] AS column FROM pg_policies "
        "WHERE policyname = 'tenant'"
    )
    found = {}
    people = [("users", "id"), ("sessions", "user_id"), ("passkeys", "user_id"), ("totp_factors", "user_id")]
    for table, column in [*((row["table"], row["column"]) for row in owned), *people]:
        rows = "md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), ''))"
        query = f"SELECT {rows} FROM {table} t WHERE {column} = ANY ($1)"
        found[table] = await superuser.fetchval(query, [alice.account_id, alice.user_id, bob])
    return found


def of_members(app: FastAPI) -> list[GuardedRoute]:
    return [route for route in doors(app) if route.policy.audience is Audience.SIGNED_IN]


async def test_ids_of_another_account_lead_nowhere_and_change_nothing(
    app: FastAPI, world: World, superuser: asyncpg.Connection, alice: Member, ids: dict[str, UUID]
) -> None:
    charlie = await cast_member(world, superuser, Persona("Charlie", plan="enterprise", status="active"))
    # who has but one way to sign in may remove none, whosever it is
    await add_passkey(superuser, new_id(), charlie)
    password_hash = await hash_password("quiet harbour lantern")
    await superuser.execute("UPDATE users SET password_hash = $2 WHERE id = $1", charlie.user_id, password_hash)
    before = await everything_of(superuser, alice, ids["user_id"])
    fields: dict[str, object] = {"role": "viewer", "length": "1h", "to_user_id": str(ids["user_id"])}
    fields |= {"userName": "b@example.com", "displayName": "Finance"}
    fields |= {name: str(value) for name, value in ids.items()}
    caller = Caller(app, world, superuser, charlie)
    found: dict[str, int] = {}
    for route in of_members(app):
        named = set(re.findall(r"\{(\w+)\}", route.path)) - NOT_AN_ID
        assert named <= set(ids), f"{route.path}: say what of Alice's {named} is"
        path = re.sub(r"\{(\w+)\}", lambda name: str(ids.get(name[1], new_id())), route.path)
        response = await caller.call(route, path, STRICT.get(f"{route.methods[0]} {route.path}", fields))
        assert response.status_code < 500, (route, response.text)
        if named:
            found[f"{route.methods[0]} {route.path}"] = response.status_code
    assert len(found) >= 8
    assert {route: status for route, status in found.items() if status != 404} == {}
    assert await everything_of(superuser, alice, ids["user_id"]) == before
