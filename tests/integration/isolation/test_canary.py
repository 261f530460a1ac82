"""Two accounts of nobody's try to get at each other, and a door that was left open shows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.isolation.canary import check_isolation
from payflux.kit.postgres import EmbeddedPostgres
from payflux.web.isolation import checking_isolation, run_check
from payflux.world.bootstrap import World

NEED_PEOPLE = {"memberships", "ownership_transfers", "dismissed_notices", "mail_opt_outs", "mail_subscriptions"}
SYSTEM_WRITES = {
    "sweep_readings",
    "account_feature_overrides",
    "account_limit_overrides",
    "ledger_inclusions",
    "worker_pools",
}
NEED_MORE = {"ledger_artifacts", "sso_identities", "saml_assertions", "directory_group_members"}
"""Rows of these stand on a signing key, or on an identity provider, which an installation does not begin with."""


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def breaches_of(world: World) -> tuple[str, ...]:
    return (await check_isolation(world.database, now=world.clock.now())).breaches


async def test_nobody_gets_across_and_nothing_is_left_behind(world: World, superuser: asyncpg.Connection) -> None:
    found = await check_isolation(world.database, now=world.clock.now())
    assert found.breaches == ()
    assert set(found.unplanted) == NEED_PEOPLE | SYSTEM_WRITES | NEED_MORE, found.unplanted
    assert found.tables > 20
    tables = await superuser.fetch("SELECT DISTINCT tablename FROM pg_policies WHERE policyname = 'tenant'")
    left = {row["tablename"]: await superuser.fetchval(f"SELECT count(*) FROM {row['tablename']}") for row in tables}
    assert {table: count for table, count in left.items() if count} == {"accounts": 2}


async def open_account(world: World, name: str) -> None:
    now, email = world.clock.now(), f"{name.lower()}@shop.example"
    async with world.database.system() as session:
        _, account = await register(session, name=name, email=email, password="quiet harbour lantern", now=now)
        await start_trial(session, account_id=account.id, now=now)


@pytest.mark.parametrize("people", [("Alice",), ("Alice", "Charlie"), ("Alice", "Charlie", "Dora")])
async def test_the_first_people_are_no_breach(world: World, people: tuple[str, ...]) -> None:
    for name in people:
        await open_account(world, name)
    assert await breaches_of(world) == ()


@pytest.fixture
async def customers(world: World) -> None:
    """Four people, each with an account on trial."""
    for name in ("Alice", "Charlie", "Dora", "Erin"):
        await open_account(world, name)


@pytest.mark.usefixtures("customers")
async def test_with_people_there_members_and_subscriptions_are_tried_too(
    world: World, superuser: asyncpg.Connection
) -> None:
    found = await check_isolation(world.database, now=world.clock.now())
    assert found.breaches == ()
    assert set(found.unplanted) == SYSTEM_WRITES | NEED_MORE, found.unplanted
    assert await superuser.fetchval("SELECT count(*) FROM memberships") == 4
    assert await superuser.fetchval("SELECT count(*) FROM ownership_transfers") == 0


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize(
    ("opened", "breach"),
    [
        ("ALTER TABLE subscriptions DISABLE ROW LEVEL SECURITY", "subscriptions: rows of another account can be read"),
        (
            "CREATE POLICY any_row ON memberships FOR INSERT TO payflux_app WITH CHECK (true)",
            "memberships: a row can be written into another account",
        ),
        (
            "CREATE POLICY all_of_it ON ownership_transfers TO payflux_app USING (true)",
            "ownership_transfers: rows of another account can be read",
        ),
    ],
)
async def test_a_door_to_people_or_plans_that_was_left_open_shows(
    world: World, superuser: asyncpg.Connection, opened: str, breach: str
) -> None:
    await superuser.execute(opened)
    assert any(each.startswith(breach) for each in await breaches_of(world)), await breaches_of(world)


@pytest.mark.parametrize(
    ("opened", "breach"),
    [
        ("ALTER TABLE workspaces DISABLE ROW LEVEL SECURITY", "workspaces: rows of another account can be read"),
        ("ALTER TABLE risk_surfaces DISABLE ROW LEVEL SECURITY", "risk_surfaces: a row can be written into another"),
        ("CREATE POLICY all_of_it ON alert_rules TO payflux_app USING (true)", "alert_rules: rows of another account"),
        (
            "CREATE POLICY any_row ON daily_rollups FOR INSERT TO payflux_app WITH CHECK (true)",
            "daily_rollups: a row can be written into another account",
        ),
        (
            "ALTER TABLE pull_windows DROP CONSTRAINT fk_pull_windows_account_id_pull_id; "
            "CREATE UNIQUE INDEX one_pull ON history_pulls (id); "
            "ALTER TABLE pull_windows ADD CONSTRAINT loose FOREIGN KEY (pull_id) REFERENCES history_pulls (id)",
            "pull_windows: loose takes a row of another account for its parent",
        ),
        (
            "CREATE UNIQUE INDEX one_id ON history_pulls (id)",
            "history_pulls: one_id tells that another account has a row",
        ),
    ],
)
async def test_a_door_that_was_left_open_shows(
    world: World, superuser: asyncpg.Connection, opened: str, breach: str
) -> None:
    await superuser.execute(opened)
    assert any(each.startswith(breach) for each in await breaches_of(world)), await breaches_of(world)


async def test_a_breach_turns_readiness_red_without_telling_where(world: World, superuser: asyncpg.Connection) -> None:
    app = create_app(world)
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=world.settings.url)
    await run_check(app.state, world)
    ready = await browser.get("/readyz")
    assert (ready.status_code, ready.json()["isolation"]) == (200, "ok")
    await superuser.execute("ALTER TABLE workspaces DISABLE ROW LEVEL SECURITY")
    await run_check(app.state, world)
    broken = await browser.get("/readyz")
    assert (broken.status_code, broken.json()) == (
        503,
        {"status": "unavailable", "database": "ok", "isolation": "broken"},
    )
    await browser.aclose()


async def test_the_check_runs_before_the_first_request_is_served(world: World) -> None:
    app = create_app(world)
    async with checking_isolation(app, world):
        assert app.state.isolation.breaches == ()
