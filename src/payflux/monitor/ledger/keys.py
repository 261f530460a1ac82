"""The signing keys: the one in force, its replacement, and what is published of all."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.crypto import UndecryptableSecret
from payflux.monitor.ledger.artifacts import b64, key_id_of
from payflux.monitor.ledger.models import LedgerKey
from payflux.world.bootstrap import World
from payflux.world.signer import NewKey, Sign

log = structlog.get_logger(__name__)


class SigningKey(NamedTuple):
    """The key in force, ready to sign."""

    key_id: str
    public: bytes
    sign: Sign


async def signing_key(world: World, session: AsyncSession) -> SigningKey:
    """The key in force. The first one is made when it is asked for, and another where the one in force cannot be used
    any more because PayFlux's secret key was changed."""
    current = await _current(session)
    if current is not None:
        try:
            return _opened(world, current)
        except UndecryptableSecret:
            log.warning("the ledger's key cannot be read and is replaced", key_id=current.key_id)
    # in a transaction of its own, for a key is in force for every account from then on
    async with world.database.system() as own:
        return await rotate_key(world, own, instead_of=current.key_id if current else None)


async def rotate_key(world: World, session: AsyncSession, *, instead_of: str | None) -> SigningKey:
    """Put a new key into force and retire `instead_of`, which stays published; where somebody else has done so, theirs.
    Takes the system's role."""
    current = await _current(session, lock=True)
    if current is not None and current.key_id != instead_of:
        return _opened(world, current)
    now = world.clock.now()
    if current is not None:
        retired = update(LedgerKey).where(LedgerKey.key_id == current.key_id).values(retired_at=now)
        await session.execute(retired)
    public, sealed = world.signer.create()
    row = {"key_id": key_id_of(public), "public_key": public, "sealed": sealed, "created_at": now}
    await session.execute(insert(LedgerKey).values(row).on_conflict_do_nothing())
    made = await _current(session)
    assert made is not None
    log.info("ledger key in force", key_id=made.key_id)
    return _opened(world, made)


async def replace_key(world: World, session: AsyncSession) -> SigningKey:
    """Put a new key into force, whichever is. Takes the system's role."""
    current = await _current(session, lock=True)
    return await rotate_key(world, session, instead_of=current.key_id if current else None)


async def published_keys(session: AsyncSession) -> dict[str, object]:
    """Every key there was, as a JWK Set (RFC 7517): `nbf` and `exp` are the first and last second it signed in."""
    keys = (await session.execute(select(LedgerKey).order_by(LedgerKey.created_at))).scalars()
    return {"keys": [jwk(key.public_key, created_at=key.created_at, retired_at=key.retired_at) for key in keys]}


def jwk(public: bytes, *, created_at: datetime, retired_at: datetime | None) -> dict[str, object]:
    """A public key as JSON (RFC 8037), with the seconds between which it signed."""
    key: dict[str, object] = {
        "alg": "Ed25519",
        "crv": "Ed25519",
        "kid": key_id_of(public),
        "kty": "OKP",
        "nbf": int(created_at.timestamp()),
        "use": "sig",
        "x": b64(public),
    }
    return key if retired_at is None else key | {"exp": int(retired_at.timestamp()) + 1}


async def _current(session: AsyncSession, *, lock: bool = False) -> LedgerKey | None:
    query = select(LedgerKey).where(LedgerKey.retired_at.is_(None))
    return (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


def _opened(world: World, key: LedgerKey) -> SigningKey:
    return SigningKey(key.key_id, key.public_key, world.signer.open(NewKey(key.public_key, key.sealed)))
