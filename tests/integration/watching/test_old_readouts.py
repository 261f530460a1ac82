"""Readouts that were stored before a workspace could be read again keep their connection and stay together."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from payflux.cli.databases import urls_of
from payflux.cli.preparing import prepare_database
from payflux.kit.database import asyncpg_address
from payflux.kit.postgres import EmbeddedPostgres
from payflux.settings import Settings
from tests.migrating import database_at

FORCED = "SELECT relname FROM pg_class WHERE relforcerowsecurity AND relname = ANY ($1)"


@pytest.mark.usefixtures("migrated_template")
async def test_old_readouts_are_brought_under_their_connection(postgres: EmbeddedPostgres, settings: Settings) -> None:
    owner, superuser = await database_at(postgres, "0017")
    account, workspace, connection, pull, surface, projection = (uuid4() for _ in range(6))
    stored = await asyncpg.connect(asyncpg_address(superuser))
    try:
        await stored.execute("SET session_replication_role = replica")  # no parents are needed
        await stored.execute(
            "INSERT INTO history_pulls (account_id, id, workspace_id, connection_id, from_at, to_at, started_at) "
            "VALUES ($1, $2, $3, $4, now(), now(), now())",
            *(account, pull, workspace, connection),
        )
        await stored.execute(
            "INSERT INTO risk_surfaces (account_id, id, workspace_id, pull_id, as_of, risk_tier, stability_score, "
            "model_version, inputs_hash, surface) VALUES ($1, $2, $3, $4, now(), 3, 50, 'risk-2.0', 'x', "
            '\'{"asked_tier": 2, "payout_delay_days": 7}\')',
            *(account, surface, workspace, pull),
        )
        await stored.execute(
            "INSERT INTO reserve_projections (account_id, id, workspace_id, pull_id, as_of, currency, model_version, "
            "inputs_hash, projection) VALUES ($1, $2, $3, $4, now(), 'usd', 'reserve-2.0', 'x', '{}')",
            *(account, projection, workspace, pull),
        )
        await prepare_database(urls_of(settings, owner))
        read = await stored.fetchrow("SELECT connection_id, reason, asked_tier, payout_delay_days FROM risk_surfaces")
        assert tuple(read) == (connection, "first", 2, 7)
        assert await stored.fetchval("SELECT surface_id FROM reserve_projections") == surface
        tables = ["history_pulls", "reserve_projections", "risk_surfaces"]
        assert sorted(row["relname"] for row in await stored.fetch(FORCED, tables)) == tables
    finally:
        await stored.close()
