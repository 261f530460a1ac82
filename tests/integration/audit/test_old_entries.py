"""What was written before there was a chain is chained by the migration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from payflux.cli.databases import urls_of
from payflux.kit.audit_check import verify_every_log
from payflux.kit.database import Database
from payflux.kit.ids import new_id
from payflux.kit.migrate import migrate
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from tests.migrating import database_at


async def test_old_entries_are_chained_in_the_order_of_their_time(
    postgres: EmbeddedPostgres, migrated_template: str, settings: Settings
) -> None:
    url, superuser_url = await database_at(postgres, "0012")
    superuser = await asyncpg.connect(superuser_url)
    accounts = [new_id(), new_id()]
    for account_id in accounts:
        await superuser.execute("INSERT INTO accounts (id, name) VALUES ($1, 'Alice')", account_id)
        for hours in (3, 1, 2):
            await superuser.execute(
                "INSERT INTO audit_entries (id, account_id, action, subject, after, at) "
                "VALUES ($1, $2, 'old', 'it', '{\"threshold\": 1.50}', $3)",
                new_id(),
                account_id,
                datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hours),
            )
    urls = urls_of(settings, url)
    await migrate(urls, script_location="payflux:migrations")
    database = Database(urls)
    try:
        assert await verify_every_log(database) == {account_id: [] for account_id in sorted(accounts)}
        times = await superuser.fetch(
            "SELECT at FROM audit_entries WHERE account_id = $1 ORDER BY sequence", accounts[0]
        )
        assert [row["at"].hour for row in times] == [1, 2, 3]
    finally:
        await database.close()
        await superuser.close()
