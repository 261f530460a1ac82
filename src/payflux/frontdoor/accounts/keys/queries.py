"""The keys of an account as its members see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.keys.models import ApiKey
from payflux.frontdoor.accounts.keys.rules import KeyState
from payflux.frontdoor.accounts.models import User


@dataclass(frozen=True)
class ListedKey:
    """A key without its secret. `written` is how it begins and ends; `owner` is empty for a member who is gone."""

    id: UUID
    name: str
    written: str
    scopes: list[str]
    state: KeyState
    owner: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_for: str


async def list_keys(session: AsyncSession, *, account_id: UUID, now: datetime) -> list[ListedKey]:
    """The account's keys, those that open first, the newest first."""
    query = (
        select(ApiKey, User.name)
        .outerjoin(User, User.id == ApiKey.owner_id)
        .where(ApiKey.account_id == account_id)
        .order_by(ApiKey.created_at.desc())
    )
    listed = [
        ListedKey(
            id=key.id,
            name=key.name,
            written=f"pfx_{key.environment}_…{key.ending}",
            scopes=list(key.scopes),
            state=key.state(now),
            owner=owner or "",
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
            revoked_for=key.revoked_for,
        )
        for key, owner in await session.execute(query)
    ]
    return sorted(listed, key=lambda each: not each.state.opens)
