"""Exceptions of accounts from their plan, as the staff grant them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.entitlements.explaining import explain
from payflux.frontdoor.entitlements.models import AccountFeatureOverride
from payflux.frontdoor.entitlements.overriding import (
    Author,
    OverrideRow,
    overrides_of,
    revoke_override,
    set_feature_override,
    set_limit_override,
)
from payflux.frontdoor.staff.acts import require_reason
from payflux.frontdoor.staff.selling.record import author_of
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.errors import InvalidInput, NotFound

OverrideKind = Literal["feature", "limit"]
Value = bool | int | None


@dataclass(frozen=True)
class WantedOverride:
    """That an account has a feature or not, or this much of a limit (None: unlimited), whatever its plan says."""

    account_id: UUID
    kind: OverrideKind
    key: str
    value: Value


@dataclass(frozen=True)
class OverridePreview:
    """What one account has of a feature or limit now, by which claim, and what it would have."""

    account_id: UUID
    account_name: str
    key: str
    before: Value
    because_of: str
    after: Value


@dataclass(frozen=True)
class GrantedOverride:
    """An override as the staff see it. `value` is whether the account has a feature, or its limit (None: unlimited)."""

    id: UUID
    kind: OverrideKind
    key: str
    value: Value
    reason: str
    author: str
    starts_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


async def overrides(session: AsyncSession, *, account_id: UUID) -> list[GrantedOverride]:
    """Every override that the account was ever granted, the newest first."""
    return [_shown(row) for row in await overrides_of(session, account_id=account_id)]


async def preview_override(session: AsyncSession, wanted: WantedOverride, *, now: datetime) -> OverridePreview:
    """What it would change for the account, who alone is affected. Raises NotFound and InvalidInput."""
    account = await session.get(Account, wanted.account_id)
    if account is None:
        raise NotFound("There is no such account (any more).", way_out="Search again.")
    if account.parent_id is not None:
        raise InvalidInput({"account_id": "This is a workspace: it has what its account is granted. Grant it there."})
    told = await explain(session, account_id=account.id, key=wanted.key, now=now)
    if told.kind != wanted.kind:
        raise InvalidInput({"key": f"{wanted.key} is a {told.kind}."})
    if told.kind == "feature" and not isinstance(wanted.value, bool):
        raise InvalidInput({"value": "A feature is on (true) or off (false)."})
    if told.kind == "limit" and isinstance(wanted.value, bool):
        raise InvalidInput({"value": "A limit is a whole number, or null for unlimited."})
    return OverridePreview(account.id, account.name, wanted.key, told.value, told.winner.source.value, wanted.value)


async def grant_override(
    session: AsyncSession,
    staff: Staff,
    wanted: WantedOverride,
    *,
    reason: str,
    expires_at: datetime | None,
    now: datetime,
) -> GrantedOverride:
    """Grant it from now on; an earlier override of the same key ends. Raises NotFound and InvalidInput."""
    await preview_override(session, wanted, now=now)
    said = require_reason(reason)
    author = Author(author_of(staff), staff.id)
    row: OverrideRow
    if wanted.kind == "feature":
        row = await set_feature_override(
            session,
            account_id=wanted.account_id,
            feature=wanted.key,
            enabled=bool(wanted.value),
            reason=said,
            author=author,
            now=now,
            expires_at=expires_at,
        )
    else:
        row = await set_limit_override(
            session,
            account_id=wanted.account_id,
            limit_key=wanted.key,
            value=wanted.value,
            reason=said,
            author=author,
            now=now,
            expires_at=expires_at,
        )
    return _shown(row)


async def take_override_back(
    session: AsyncSession, staff: Staff, *, account_id: UUID, kind: OverrideKind, override_id: UUID, now: datetime
) -> None:
    """End an override now. Raises NotFound."""
    author = Author(author_of(staff), staff.id)
    await revoke_override(session, account_id=account_id, kind=kind, override_id=override_id, author=author, now=now)


def _shown(row: OverrideRow) -> GrantedOverride:
    is_feature = isinstance(row, AccountFeatureOverride)
    return GrantedOverride(
        id=row.id,
        kind="feature" if is_feature else "limit",
        key=row.feature if is_feature else row.limit_key,
        value=row.enabled if is_feature else row.value,
        reason=row.reason,
        author=row.author,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
