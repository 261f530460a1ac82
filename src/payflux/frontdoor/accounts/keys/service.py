"""Make, rotate, revoke and hand over keys. Each writes an audit entry, and none ever writes a key itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.keys import rules
from payflux.frontdoor.accounts.keys.models import ApiKey
from payflux.frontdoor.accounts.keys.rules import Environment, KeyState
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_user

KeysOfLeaver = Literal["keep", "revoke"]


class TooManyKeys(Conflict):
    code = "too_many_keys"


class KeyEnded(Conflict):
    """The key opens nothing any more, so that nothing can be done with it."""

    code = "key_ended"


@dataclass(frozen=True)
class MadeKey:
    """A new key: its row, and `secret`, which is nowhere stored and shown this once."""

    row: ApiKey
    secret: str


async def create_key(
    session: AsyncSession,
    tokens: TokenHasher,
    who: SignedIn,
    *,
    name: str,
    scopes: Iterable[str],
    days: int,
    environment: Environment,
    now: datetime,
) -> MadeKey:
    """A new key of the caller's account that is good for `days`, and does no more than the caller's role.

    Raises InvalidInput, and TooManyKeys.
    """
    chosen = sorted(set(scopes))
    if problems := rules.problems_of(who.role, name=name, scopes=chosen, days=days):
        raise InvalidInput(problems)
    # locked, so that two at once cannot both be the last one
    await session.execute(select(Account.id).where(Account.id == who.account_id).with_for_update())
    in_use = [each for each in await _keys(session, who.account_id) if each.state(now) is KeyState.ACTIVE]
    if len(in_use) >= rules.MOST_KEYS:
        raise TooManyKeys(
            _("Your account has %(number)s keys in use, and no more are possible.") % {"number": len(in_use)},
            way_out=_("Revoke one that rests."),
        )
    made = _make(tokens, who, name=" ".join(name.split()), scopes=chosen, environment=environment, now=now)
    made.row.expires_at = now + timedelta(days=days)
    session.add(made.row)
    await _record(session, who, "key.created", made.row, now, after=_described(made.row))
    return made


async def rotate_key(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, *, key_id: UUID, overlap_hours: int, now: datetime
) -> MadeKey:
    """A key in the place of another, with its name, scopes and lifetime; the old one opens `overlap_hours` longer.

    The new one is the caller's. Raises NotFound, KeyEnded, and InvalidInput where the caller's role does not reach
    what the old one may.
    """
    if overlap_hours not in rules.OVERLAPS:
        raise InvalidInput(
            {"overlap_hours": _("Choose one of %(choices)s hours.") % {"choices": ", ".join(map(str, rules.OVERLAPS))}}
        )
    old = await _active(session, who.account_id, key_id, now)
    if beyond := sorted(set(old.scopes) - set(rules.scopes_within(who.role))):
        raise InvalidInput(
            {"scopes": _("Your role cannot give %(scopes)s, which this key may.") % {"scopes": ", ".join(beyond)}}
        )
    made = _make(tokens, who, name=old.name, scopes=old.scopes, environment=_environment(old), now=now)
    made.row.expires_at = now + (old.expires_at - old.created_at)
    session.add(made.row)
    old.replaced_by = made.row.id
    old.expires_at = rules.end_of_overlap(old.expires_at, now, hours=overlap_hours)
    await session.flush()
    after = _described(made.row) | {"replaced": str(old.id), "old_opens_until": old.expires_at.isoformat()}
    await _record(session, who, "key.rotated", made.row, now, after=after)
    return made


async def revoke_key(session: AsyncSession, who: SignedIn, *, key_id: UUID, now: datetime) -> None:
    """End a key now; it is refused from its next call on. One that has ended stays as it is. Raises NotFound."""
    key = await _find(session, who.account_id, key_id)
    if key.state(now).opens:
        await _revoke(session, key, now, reason="asked", actor_id=who.user_id)


async def revoke_leaked(session: AsyncSession, *, key_id: UUID, account_id: UUID, now: datetime) -> bool:
    """End a key that somebody found where it should not be, and tell its owner by mail; False where it had ended."""
    key = await _find(session, account_id, key_id)
    if not key.state(now).opens:
        return False
    await _revoke(session, key, now, reason="leaked", actor_id=None)
    await enqueue_mail_to_user(
        session, "key_leaked", key.owner_id, name=key.name, ending=key.ending, at=now.isoformat()
    )
    return True


async def keys_of(session: AsyncSession, *, account_id: UUID, owner_id: UUID, now: datetime) -> list[ApiKey]:
    """The keys of a member that still open."""
    return [each for each in await _keys(session, account_id) if each.owner_id == owner_id and each.state(now).opens]


async def settle_keys(
    session: AsyncSession, who: SignedIn, *, owner_id: UUID, becomes: KeysOfLeaver, now: datetime
) -> None:
    """Decide what becomes of the keys of a member who goes: the caller keeps them in their own name, where their role
    reaches as far, or they are revoked."""
    for key in await keys_of(session, account_id=who.account_id, owner_id=owner_id, now=now):
        if becomes == "keep" and set(key.scopes) <= set(rules.scopes_within(who.role)):
            key.owner_id = who.user_id
            was: dict[str, object] = {"owner_id": str(owner_id)}
            await _record(session, who, "key.reassigned", key, now, before=was, after={"owner_id": str(who.user_id)})
        else:
            await _revoke(session, key, now, reason="member_gone", actor_id=who.user_id)


def _make(
    tokens: TokenHasher, who: SignedIn, *, name: str, scopes: list[str], environment: Environment, now: datetime
) -> MadeKey:
    secret = rules.new_key(environment)
    row = ApiKey(
        id=new_id(),
        account_id=who.account_id,
        owner_id=who.user_id,
        name=name,
        digest=tokens.digest(secret),
        environment=environment,
        ending=secret[-4:],
        scopes=list(scopes),
        created_at=now,
        revoked_for="",
    )
    return MadeKey(row, secret)


def _environment(key: ApiKey) -> Environment:
    return "live" if key.environment == "live" else "test"


def _described(key: ApiKey) -> dict[str, object]:
    return {"name": key.name, "scopes": list(key.scopes), "expires_at": key.expires_at.isoformat()}


async def _keys(session: AsyncSession, account_id: UUID) -> list[ApiKey]:
    query = select(ApiKey).where(ApiKey.account_id == account_id).order_by(ApiKey.created_at)
    return list((await session.execute(query)).scalars())


async def _find(session: AsyncSession, account_id: UUID, key_id: UUID) -> ApiKey:
    query = select(ApiKey).where(ApiKey.account_id == account_id, ApiKey.id == key_id).with_for_update()
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(_("Your account has no such key."), way_out=_("Reload the list of keys."))
    return found


async def _active(session: AsyncSession, account_id: UUID, key_id: UUID, now: datetime) -> ApiKey:
    key = await _find(session, account_id, key_id)
    if key.state(now) is not KeyState.ACTIVE:
        raise KeyEnded(
            _("This key is %(state)s, so it cannot be rotated.") % {"state": _(key.state(now))},
            way_out=_("Make a new one in its place."),
        )
    return key


async def _revoke(session: AsyncSession, key: ApiKey, now: datetime, *, reason: str, actor_id: UUID | None) -> None:
    key.revoked_at, key.revoked_for = now, reason
    await session.flush()
    await record_change(
        session,
        account_id=key.account_id,
        actor_id=actor_id,
        action="key.revoked",
        subject=str(key.id),
        at=now,
        after={"name": key.name, "reason": reason},
    )


async def _record(
    session: AsyncSession,
    who: SignedIn,
    action: str,
    key: ApiKey,
    now: datetime,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    await session.flush()
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action=action,
        subject=str(key.id),
        at=now,
        before=before,
        after=after,
    )
