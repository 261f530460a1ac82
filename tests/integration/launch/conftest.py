"""The database as its superuser sees it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url

from payflux.kit.postgres import EmbeddedPostgres


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def waiting_mails(stored: asyncpg.Connection) -> list[str]:
    """The names of the mails that wait to be sent, in order."""
    rows = await stored.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_mail' ORDER BY id")
    return [json.loads(row["payload"])["mail"] for row in rows]
