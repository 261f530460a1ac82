"""Who left an account does not come back merely because their identity provider still knows them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sso.models import SsoIdentity, SsoTombstone
from payflux.kit.crypto import TokenHasher


async def bury(
    session: AsyncSession, tokens: TokenHasher, *, account_id: UUID, user_id: UUID, email: str, now: datetime
) -> None:
    """Note that a member has left, by their address and every identity of theirs; before their place has ended, and
    their identities with it."""
    of_user = select(SsoIdentity.issuer, SsoIdentity.subject).where(
        SsoIdentity.account_id == account_id, SsoIdentity.user_id == user_id
    )
    known = [_of_identity(tokens, *row) for row in await session.execute(of_user)]
    rows = [{"account_id": account_id, "digest": digest, "at": now} for digest in [_of_address(tokens, email), *known]]
    await session.execute(insert(SsoTombstone).values(rows).on_conflict_do_nothing())


async def is_buried(
    session: AsyncSession, tokens: TokenHasher, *, account_id: UUID, email: str, issuer: str, subject: str
) -> bool:
    """Whether somebody with this address, or this identity, has left the account."""
    marks = [_of_address(tokens, email), _of_identity(tokens, issuer, subject)]
    query = select(SsoTombstone.at).where(SsoTombstone.account_id == account_id, SsoTombstone.digest.in_(marks))
    return (await session.execute(query)).first() is not None


async def unearth(session: AsyncSession, tokens: TokenHasher, *, account_id: UUID, email: str) -> None:
    """Let somebody in again whom the account's directory tells anew, whatever identity they come by."""
    await session.execute(
        delete(SsoTombstone).where(
            SsoTombstone.account_id == account_id, SsoTombstone.digest == _of_address(tokens, email)
        )
    )


def _of_address(tokens: TokenHasher, email: str) -> bytes:
    return tokens.digest(f"left address {normalize_email(email)}")


def _of_identity(tokens: TokenHasher, issuer: str, subject: str) -> bytes:
    return tokens.digest(f"left identity {issuer} {subject}")
