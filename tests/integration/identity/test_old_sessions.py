"""What a session was opened by is known of those too that are older than the record of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from payflux.cli.databases import urls_of
from payflux.kit.ids import new_id
from payflux.kit.migrate import migrate
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from tests.migrating import database_at


@pytest.mark.usefixtures("migrated_template")
async def test_a_session_from_before_factors_were_kept_was_opened_by_a_password_when_it_began(
    postgres: EmbeddedPostgres, settings: Settings
) -> None:
    url, superuser_url = await database_at(postgres, "0008")
    superuser = await asyncpg.connect(superuser_url)
    alice, began = new_id(), datetime(2026, 11, 1, 9, tzinfo=UTC)
    await superuser.execute(
        "INSERT INTO users (id, email, email_normalized, name) VALUES ($1, 'a@shop.example', 'a@shop.example', 'A')",
        alice,
    )
    await superuser.execute(
        "INSERT INTO sessions (id, token_digest, user_id, created_at, last_used_at, expires_at) "
        "VALUES ($1, 'digest', $2, $3, $3, $4)",
        new_id(),
        alice,
        began,
        began + timedelta(days=30),
    )
    await migrate(urls_of(settings, url), script_location="payflux:migrations")
    try:
        found = await superuser.fetchrow("SELECT authenticated_at, factors FROM sessions")
        assert tuple(found) == (began, ["password"])
        forced = "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'sessions'"
        assert await superuser.fetchval(forced), "the wall stands again"
    finally:
        await superuser.close()
