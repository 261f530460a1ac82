"""Every table keeps accounts apart, or stands in a list with the reason why it need not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from payflux.kit.database import APP_ROLE, SYSTEM_ROLE, Base

SHARED = {"plan_limits", "plan_billing", "feature_flags", "plan_feature_defaults", "plan_versions", "stripe_prices"}
SHARED |= {"catalogue_state", "launch_state"}
SHARED |= {"ledger_keys", "ledger_tiles", "ledger_checkpoints", "benchmarks"}
"""What is sold, whether strangers may register, the tree of hashes over all ledgers with its keys, and what many shops
have in common: everybody may read it, the app's role may not write it."""

RULE = "({column} = (NULLIF(current_setting('app.current_account_id'::text, true), ''::text))::uuid)"

ABOUT_NO_ONE_ACCOUNT = {
    "accounts": "is the account",
    "deletion_receipts": "names an account that is gone",
    "sessions": "belong to a person, who may change accounts",
}

KEYED_BY_ID = {
    "accounts": "is the account",
    "subscriptions": "one row of an account",
    "deletion_receipts": "outlives it",
}
KEYED_BY_ID |= {"webhook_events": "comes in before anybody knows its account"}
KEYED_BY_ID |= {"product_events": "may tell of a stranger, who has none"}
KEYED_BY_ID |= {"site_scans": "may be a stranger's, who has no account"}
"""Tenant tables whose primary key does not begin with the account, and why."""

ONE_FOR_ALL = {
    "pk_subscriptions": "random id",
    "pk_site_scans": "random id",
    "pk_deletion_receipts": "random id",
    "pk_product_events": "random id",
    "pk_webhook_events": "the sender's own id, before anybody knows the account",
    "uq_api_keys_digest": "digest of 190 random bits",
    "uq_account_invites_id": "random id in a mail's link",
    "uq_connect_attempts_state_digest": "digest of 256 random bits",
    "uq_accounts_stripe_customer_id": "Stripe's own id",
    "uq_subscriptions_stripe": "Stripe's own id",
    "uq_sso_domains_proven": "met only by who has proven the same domain, and is told of it",
    "uq_processor_connections_hook": "digest of a random token in a webhook's address",
}
"""Unique indexes of tenant tables that do not hold the account, and why meeting one tells nothing."""

CURRENT = "(NULLIF(current_setting('app.current_account_id'::text, true), ''::text))::uuid"
PAYING = f"(account_id = ( SELECT accounts.parent_id\n   FROM accounts\n  WHERE (accounts.id = {CURRENT})))"
WITHIN_A_FAMILY = {
    ("accounts", "workspaces", "ALL"): f"(parent_id = {CURRENT})",
    ("subscriptions", "paying_account", "SELECT"): PAYING,
    ("account_feature_overrides", "paying_account", "SELECT"): PAYING,
    ("account_limit_overrides", "paying_account", "SELECT"): PAYING,
    ("usage_counters", "paying_account", "ALL"): PAYING,
    ("worker_pools", "paying_account", "SELECT"): PAYING,
}
"""What else the app may see, rule by rule: an account the rows of its further workspaces in `accounts` itself, and a
workspace what its account has bought, was granted and has used, and which workers it has. Nothing else of the one is
open to the other."""

SYSTEM_SESSIONS = Path("tests/structure/system_sessions.txt")


@pytest.fixture
async def catalogue(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url)
    yield connection
    await connection.close()


async def tables_of(catalogue: asyncpg.Connection) -> dict[str, bool]:
    """Every table of ours, and whether it forces row-level security on its owner too."""
    rows = await catalogue.fetch(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
        "AND relname NOT LIKE 'pgqueuer%' AND relname <> 'alembic_version'"
    )
    return {row["relname"]: row["forced"] for row in rows}


async def account_columns(catalogue: asyncpg.Connection) -> dict[str, str]:
    """The tenant tables, each with the column that names its account."""
    rows = await catalogue.fetch(
        "SELECT tablename, (regexp_match(qual, '^\\((\\w+) = '))[1] AS account FROM pg_policies "
        "WHERE policyname = 'tenant'"
    )
    return {row["tablename"]: row["account"] for row in rows}


async def test_every_table_but_the_catalogue_forces_row_level_security(catalogue: asyncpg.Connection) -> None:
    tables = await tables_of(catalogue)
    assert set(tables) == set(Base.metadata.tables)
    assert {name for name, forced in tables.items() if not forced} == SHARED


async def test_every_table_with_an_account_lets_the_app_see_and_write_that_accounts_rows_alone(
    catalogue: asyncpg.Connection,
) -> None:
    accounts = await account_columns(catalogue)
    for name, table in Base.metadata.tables.items():
        tenants_own = any(key.column.table.name == "accounts" for key in table.foreign_keys) or "account_id" in table.c
        assert (name in accounts) == tenants_own or name in ABOUT_NO_ONE_ACCOUNT, name
    for row in await catalogue.fetch("SELECT * FROM pg_policies WHERE policyname = 'tenant'"):
        rule = RULE.format(column=accounts[row["tablename"]])
        assert (row["qual"], row["with_check"]) == (rule, rule), row["tablename"]
        assert (row["cmd"], row["permissive"], row["roles"]) == ("ALL", "PERMISSIVE", [APP_ROLE]), row["tablename"]


async def test_no_other_policy_opens_a_tenant_table_to_the_app(catalogue: asyncpg.Connection) -> None:
    others = await catalogue.fetch(
        "SELECT tablename, policyname, permissive, roles::text[] AS roles, cmd, qual, with_check FROM pg_policies "
        "WHERE policyname <> 'tenant'"
    )
    family = {(row["tablename"], row["policyname"], row["cmd"]): row for row in others}
    for rule, qual in WITHIN_A_FAMILY.items():
        assert (family[rule]["qual"], family[rule]["roles"]) == (qual, [APP_ROLE]), rule
        assert family[rule]["with_check"] == (qual if rule[2] == "ALL" else None), rule
    for row in others:
        if (row["tablename"], row["policyname"], row["cmd"]) in WITHIN_A_FAMILY:
            continue
        if row["policyname"] in ("members", "onboarding"):  # the people of the account, by the policy of memberships
            assert row["tablename"] == "users"
        elif row["permissive"] == "RESTRICTIVE":  # narrows what another opens
            continue
        else:
            assert (row["policyname"], row["roles"]) == ("system", [SYSTEM_ROLE]), row


async def test_keys_of_tenant_tables_begin_with_the_account(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        "SELECT c.relname AS table, a.attname AS first FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] "
        "WHERE k.contype = 'p' AND c.relnamespace = 'public'::regnamespace"
    )
    first = {row["table"]: row["first"] for row in rows}
    accounts = await account_columns(catalogue)
    assert {name for name, column in accounts.items() if first[name] != column} - {"accounts"} == set(KEYED_BY_ID) - {
        "accounts"
    }


async def test_what_is_unique_is_unique_within_an_account(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        "SELECT t.relname AS table, i.relname AS name, array_agg(a.attname::text) AS columns FROM pg_index x "
        "JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid "
        "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (x.indkey) "
        "WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace GROUP BY 1, 2"
    )
    accounts = await account_columns(catalogue)
    global_keys = {
        row["name"] for row in rows if row["table"] in accounts and accounts[row["table"]] not in row["columns"]
    }
    assert global_keys == set(ONE_FOR_ALL)


async def test_a_row_of_an_account_points_only_at_rows_of_the_same_account(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        "SELECT k.conname AS name, c.relname AS child, p.relname AS parent, "
        "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) own "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid "
        "WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace"
    )
    accounts = await account_columns(catalogue)
    between = [row for row in rows if row["child"] in accounts and row["parent"] in accounts]
    assert len(between) > 15
    for row in between:
        if row["name"] == "fk_accounts_parent_id":  # whose workspace it is; a trigger holds that it never changes
            continue
        assert accounts[row["child"]] in row["own"], row["name"]


async def test_the_apps_roles_may_neither_empty_a_table_nor_point_at_one_nor_own_one(
    catalogue: asyncpg.Connection,
) -> None:
    for role in (APP_ROLE, SYSTEM_ROLE, "public"):
        granted = await catalogue.fetch(
            "SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE table_schema = 'public' "
            "AND grantee = $1 AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')",
            role if role != "public" else "PUBLIC",
        )
        assert granted == [], role
    owned = await catalogue.fetch(
        "SELECT relname FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles WHERE rolname = ANY ($1))",
        [APP_ROLE, SYSTEM_ROLE],
    )
    assert owned == []


async def test_no_view_and_no_function_steps_around_row_level_security(catalogue: asyncpg.Connection) -> None:
    views = await catalogue.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace "
        "AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)"
    )
    functions = await catalogue.fetch(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert [row["relname"] for row in views] + [row["proname"] for row in functions] == []


def test_the_system_role_is_used_where_the_list_says_and_nowhere_else() -> None:
    """Each place is a module that begins without an account; another one belongs into the list, with its reason."""
    source = Path("src/payflux")
    opens = re.compile(r"\bdatabase\.system\(\)|urls\.system\b")
    found = sorted(str(path.relative_to(source)) for path in source.rglob("*.py") if opens.search(path.read_text()))
    listed = [line.split(":")[0] for line in SYSTEM_SESSIONS.read_text().splitlines() if line]
    assert found == listed
