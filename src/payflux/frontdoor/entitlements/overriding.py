"""Grant an account an exception from its plan, and take it back. As the system role; each change is in its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.models import FeatureFlag
from payflux.frontdoor.catalogue.queries import LIMITS
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.frontdoor.entitlements.models import AccountFeatureOverride, AccountLimitOverride
from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.ids import new_id

LONGEST_REASON = 500
LARGEST_LIMIT = 2**31 - 1

OverrideRow = AccountFeatureOverride | AccountLimitOverride


@dataclass(frozen=True)
class Author:
    """Who decides: the user's id for the log, and the name that stands on the override."""

    name: str
    id: UUID | None = None


async def overrides_of(session: AsyncSession, *, account_id: UUID) -> list[OverrideRow]:
    """Every override that the account was ever granted, the newest first."""
    rows: list[OverrideRow] = []
    for table in (AccountFeatureOverride, AccountLimitOverride):
        rows.extend((await session.execute(select(table).where(table.account_id == account_id))).scalars())
    return sorted(rows, key=lambda row: (row.starts_at, row.id), reverse=True)


async def set_feature_override(
    session: AsyncSession,
    *,
    account_id: UUID,
    feature: str,
    enabled: bool,
    reason: str,
    author: Author,
    now: datetime,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> AccountFeatureOverride:
    """Give the account `feature`, or take it, whatever its plan says, from `starts_at` (now where None) until
    `expires_at`. An earlier override of the feature ends where this one starts.

    Raises InvalidInput naming what is wrong.
    """
    known = (await session.execute(select(FeatureFlag.key).where(FeatureFlag.key == feature))).scalar_one_or_none()
    wrong = {} if known else {"feature": "There is no such feature."}
    starts = starts_at or now
    said = _checked(reason, starts, expires_at, now=now, wrong=wrong)
    row = AccountFeatureOverride(
        account_id=account_id,
        id=new_id(),
        feature=feature,
        enabled=enabled,
        reason=said,
        author=author.name,
        starts_at=starts,
        expires_at=expires_at,
    )
    await _put(session, row, author=author, now=now)
    return row


async def set_limit_override(
    session: AsyncSession,
    *,
    account_id: UUID,
    limit_key: str,
    value: int | None,
    reason: str,
    author: Author,
    now: datetime,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> AccountLimitOverride:
    """Give the account `value` of a limit, None for no limit, whatever its plan says. The rest is as with
    :func:`set_feature_override`."""
    wrong: dict[str, str] = {}
    if limit_key not in LIMITS:
        wrong["limit_key"] = f"Choose one of {', '.join(LIMITS)}."
    if value is not None and not 0 <= value <= LARGEST_LIMIT:
        wrong["value"] = "Enter a whole number from 0 on, or nothing for no limit."
    starts = starts_at or now
    said = _checked(reason, starts, expires_at, now=now, wrong=wrong)
    row = AccountLimitOverride(
        account_id=account_id,
        id=new_id(),
        limit_key=limit_key,
        value=value,
        reason=said,
        author=author.name,
        starts_at=starts,
        expires_at=expires_at,
    )
    await _put(session, row, author=author, now=now)
    return row


async def revoke_override(
    session: AsyncSession,
    *,
    account_id: UUID,
    kind: Literal["feature", "limit"],
    override_id: UUID,
    author: Author,
    now: datetime,
) -> None:
    """Take an override back, from now on. One that has ended, or was taken back, stays as it is. Raises NotFound."""
    await bump_account(session, account_id)
    row: OverrideRow | None
    if kind == "feature":
        row = await session.get(AccountFeatureOverride, (account_id, override_id))
    else:
        row = await session.get(AccountLimitOverride, (account_id, override_id))
    if row is None:
        raise NotFound("The account has no such override.", way_out="Reload the list of its overrides.")
    if row.revoked_at is None or row.revoked_at > now:
        row.revoked_at = now
        await session.flush()
        await _record(session, row, "entitlement.override_revoked", author=author, now=now)


def _checked(
    reason: str, starts_at: datetime, expires_at: datetime | None, *, now: datetime, wrong: dict[str, str]
) -> str:
    said = " ".join(reason.split())
    if not said or len(said) > LONGEST_REASON:
        wrong["reason"] = f"Say why, in up to {LONGEST_REASON} characters; the account's owner can read it."
    if starts_at < now:
        wrong["starts_at"] = "Choose an instant that is not past: nothing is granted for times that were."
    if expires_at is not None and expires_at <= max(starts_at, now):
        wrong["expires_at"] = "Choose an instant after the start, or none."
    if wrong:
        raise InvalidInput(wrong)
    return said


async def _put(session: AsyncSession, row: OverrideRow, *, author: Author, now: datetime) -> None:
    await bump_account(session, row.account_id)  # its lock has the account's overrides set one after the other
    if isinstance(row, AccountFeatureOverride):
        table, same = AccountFeatureOverride, AccountFeatureOverride.feature == row.feature
    else:
        table, same = AccountLimitOverride, AccountLimitOverride.limit_key == row.limit_key
    open_one = select(table).where(table.account_id == row.account_id, same, table.revoked_at.is_(None))
    earlier = (await session.execute(open_one)).scalar_one_or_none()
    if earlier is not None:
        earlier.revoked_at = row.starts_at
        await session.flush()
    session.add(row)
    await session.flush()
    await _record(session, row, "entitlement.override_set", author=author, now=now)


async def _record(session: AsyncSession, row: OverrideRow, action: str, *, author: Author, now: datetime) -> None:
    said: dict[str, object] = (
        {"feature": row.feature, "enabled": row.enabled}
        if isinstance(row, AccountFeatureOverride)
        else {"limit": row.limit_key, "value": row.value}
    )
    said |= {"reason": row.reason, "author": row.author, "starts_at": row.starts_at.isoformat()}
    said["expires_at"] = row.expires_at.isoformat() if row.expires_at else None
    await record_change(
        session, account_id=row.account_id, actor_id=author.id, action=action, subject=str(row.id), at=now, after=said
    )
