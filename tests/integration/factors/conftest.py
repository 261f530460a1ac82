"""Alice, a user with a password and an account, and the ways in which she proves who she is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pyotp
import pytest
from sqlalchemy import make_url

from payflux.frontdoor.accounts.factors.recovery import replace_recovery_codes
from payflux.frontdoor.accounts.factors.totp import begin_totp, confirm_totp, unconfirmed_secret
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.registering import create_account, create_user
from payflux.kit.postgres import EmbeddedPostgres
from payflux.world.bootstrap import World


async def new_user(world: World, name: str) -> User:
    """A user without a password, who owns an account."""
    now = world.clock.now()
    async with world.database.system() as session:
        user = await create_user(
            session, name=name, email=f"{name.lower()}@shop.example", password_hash=None, verified_at=now, now=now
        )
        await create_account(session, owner=user, now=now)
    return user


@pytest.fixture
async def alice(world: World) -> UUID:
    return (await new_user(world, "Alice")).id


async def set_up_totp(world: World, user_id: UUID) -> tuple[pyotp.TOTP, list[str]]:
    """Give the user an authenticator app; returns it and the recovery codes. The code of this moment is used up."""
    async with world.database.system() as session:
        now = world.clock.now()
        await begin_totp(session, world.secrets, user_id=user_id, now=now)
        secret = await unconfirmed_secret(session, world.secrets, user_id=user_id, now=now)
        assert secret is not None
        app = pyotp.TOTP(secret)
        assert await confirm_totp(session, world.secrets, user_id=user_id, code=app.at(now), now=now)
        return app, await replace_recovery_codes(session, world.tokens, user_id=user_id)


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it: every row, whoever owns it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()
