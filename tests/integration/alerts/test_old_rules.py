"""Rules that were armed before anything evaluated them go on, and are judged from their next reading."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest

from payflux.cli.databases import urls_of
from payflux.cli.preparing import prepare_database
from payflux.kit.database import asyncpg_address
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from tests.migrating import database_at

RULE = (
    "INSERT INTO alert_rules (account_id, workspace_id, trigger, name, threshold, channels, armed, armed_at) "
    "VALUES ($1, $2, $3, 'Old', 0.25, '{email,dashboard}', true, now())"
)


@pytest.mark.usefixtures("migrated_template")
async def test_old_rules_get_an_id_and_stay_one_of_each_kind(postgres: EmbeddedPostgres, settings: Settings) -> None:
    owner, superuser = await database_at(postgres, "0018")
    account, workspace = uuid4(), uuid4()
    stored = await asyncpg.connect(asyncpg_address(superuser))
    try:
        await stored.execute("SET session_replication_role = replica")  # no parents are needed
        for trigger in ("reserve_spike", "tier_escalation"):
            await stored.execute(RULE, account, workspace, trigger)
        await prepare_database(urls_of(settings, owner))
        rows = await stored.fetch("SELECT id, level, base, read_at, metric, armed FROM alert_rules")
        assert len({row["id"] for row in rows}) == 2
        assert all(isinstance(row["id"], UUID) for row in rows)
        assert [tuple(row)[1:] for row in rows] == [(None, None, None, "", True)] * 2
        with pytest.raises(asyncpg.UniqueViolationError):
            await stored.execute(RULE, account, workspace, "reserve_spike")
        for _ in range(2):
            await stored.execute(RULE, account, workspace, "custom")
    finally:
        await stored.close()
