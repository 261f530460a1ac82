"""What an account may do, as a request finds it out: kept from before, against read anew from its rows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from payflux.activation.onboarding import open_account
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.world.bootstrap import World, build_world
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row, compare_async

NOW = datetime.now(UTC).replace(microsecond=0)


class _At:
    """A clock that stands still, so that nothing grows too old while it is measured."""

    def now(self) -> datetime:
        return NOW


def kept(rounds: int = 200) -> Row:
    """One request's question, in a transaction that it has open already."""
    with postgresql() as server, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder))

        async def measured() -> Row:
            world = build_world(settings, database_url=(await migrated(server, settings)).owner, clock=_At())
            try:
                return await _measured(world, rounds)
            finally:
                await world.close()

        return asyncio.run(measured())


async def _measured(world: World, rounds: int) -> Row:
    async with world.database.system() as session:
        owner = await create_user(
            session, name="Alice", email="alice@example.com", password_hash=None, verified_at=NOW, now=NOW
        )
        account = await open_account(session, world.tokens, owner, NOW)
    async with world.database.tenant(account.id) as session:

        async def ours() -> Entitlements:
            return await entitlements_of(session, world, account_id=account.id)

        async def anew() -> Entitlements:
            return await entitlements_of(session, world, account_id=account.id, fresh=True)

        if await ours() != await anew():
            raise AssertionError("what is kept is not what is read")
        return await compare_async("what an account may do, kept", "read anew", 1 / 3, ours, anew, rounds=rounds)
