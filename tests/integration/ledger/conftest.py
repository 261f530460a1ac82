"""Two accounts with a workspace each, and what their ledgers hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, TypedDict
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import make_url

from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.exporting import export_ledger
from payflux.monitor.ledger.recording import Recorded, record_artifacts
from payflux.world.bootstrap import World


@pytest.fixture
async def superuser(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


class Place(TypedDict):
    account_id: UUID
    workspace_id: UUID


class Shop(NamedTuple):
    """An account's workspace."""

    world: World
    account_id: UUID
    id: UUID

    @property
    def place(self) -> Place:
        return {"account_id": self.account_id, "workspace_id": self.id}

    async def record(self, *numbers: int, kind: Kind = Kind.PROJECTION) -> list[Recorded]:
        drafts = [Draft(kind=kind, body={"n": n, "rate": n / 3}, model_version="7") for n in numbers]
        async with self.world.database.tenant(self.account_id) as session:
            return await record_artifacts(self.world, session, **self.place, drafts=drafts)

    async def exported(self, **choices: int) -> list[bytes]:
        async with self.world.database.tenant(self.account_id) as session:
            pieces = [piece async for piece in export_ledger(self.world, session, **self.place, **choices)]
        return b"".join(pieces).splitlines(keepends=True)


async def new_shop(world: World, superuser: asyncpg.Connection, name: str) -> Shop:
    shop = Shop(world, new_id(), new_id())
    await superuser.execute("INSERT INTO accounts (id, name) VALUES ($1, $2)", shop.account_id, name)
    await superuser.execute(
        "INSERT INTO workspaces (account_id, id, name, activation_state, entitled_at) "
        "VALUES ($1, $2, $3, 'live_monitored', now())",
        shop.account_id,
        shop.id,
        name,
    )
    return shop


@pytest.fixture
async def alices(world: World, superuser: asyncpg.Connection) -> Shop:
    return await new_shop(world, superuser, "Alice's shop")


@pytest.fixture
async def charlies(world: World, superuser: asyncpg.Connection) -> Shop:
    return await new_shop(world, superuser, "Charlie's shop")
