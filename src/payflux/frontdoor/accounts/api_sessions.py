"""Sessions of API clients: begun by signing in, carried on by exchanging refresh tokens, each good once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.access_tokens import (
    ACCESS_TOKEN_LIFE,
    is_genuine,
    parse_refresh_token,
    write_access_token,
    write_refresh_token,
)
from payflux.frontdoor.accounts.models import Session
from payflux.frontdoor.accounts.sessions import Client, sign_out, start_session
from payflux.kit.crypto import TokenHasher
from payflux.settings import Settings
from payflux.world.outbox import enqueue_mail_to_user

REPLAY_TIME = timedelta(seconds=30)
"""How long the refresh token used last may be sent again, by a client that did not get the answer."""


@dataclass(frozen=True)
class ApiTokens:
    """What an API client holds: `access_token` for `expires_in` seconds, then `refresh_token`, once, for the next."""

    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_at: datetime


async def start_api_session(
    session: AsyncSession,
    tokens: TokenHasher,
    settings: Settings,
    *,
    user_id: UUID,
    client: Client,
    factors: frozenset[str],
    now: datetime,
) -> ApiTokens:
    """Open a session for an API client of a user who has just proven who they are."""
    # the token itself is thrown away: its digest is what ties the refresh tokens to this row
    token = await start_session(session, tokens, user_id=user_id, client=client, factors=factors, now=now, kind="api")
    opened = (await session.execute(select(Session).where(Session.token_digest == tokens.digest(token)))).scalar_one()
    opened.refresh_generation = 0
    await session.flush()
    return _tokens_of(settings, opened, 0, now)


async def exchange_refresh_token(
    session: AsyncSession, settings: Settings, *, token: str, now: datetime
) -> ApiTokens | None:
    """The next tokens of the chain that `token` belongs to; None where it opens no session.

    Of several exchanges at once one moves the chain on. The token exchanged last is answered with the same successor
    for thirty seconds, so that a client may ask again. Any older one tells that two clients hold the chain, and one has
    no right to: the session ends, and its user is told by mail (RFC 9700, section 4.14.2).
    """
    given = parse_refresh_token(token)
    if given is None:
        return None
    query = select(Session).where(Session.id == given.session_id, Session.kind == "api", Session.expires_at > now)
    # locked, or two exchanges at once would both move the chain on
    held = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if held is None or held.refresh_generation is None or not is_genuine(settings, given, bound_to=held.token_digest):
        return None
    match what_a_token_does(given.generation, held.refresh_generation, held.refreshed_at, now):
        case "advance":
            held.refresh_generation, held.refreshed_at, held.last_used_at = given.generation + 1, now, now
            held.expires_at = rules.session_expiry(held.created_at, now)
        case "reuse":
            await sign_out(session, session_id=held.id)
            await enqueue_mail_to_user(
                session, "security_notice", held.user_id, what="refresh_token_reused", at=now.isoformat()
            )
            return None
    return _tokens_of(settings, held, given.generation + 1, now)


def what_a_token_does(
    given: int, held: int, refreshed_at: datetime | None, now: datetime
) -> Literal["advance", "replay", "reuse"]:
    """What a genuine refresh token of generation `given` does to a chain that is at `held` since `refreshed_at`."""
    if given == held:
        return "advance"
    is_retry = given == held - 1 and refreshed_at is not None and now - refreshed_at <= REPLAY_TIME
    return "replay" if is_retry else "reuse"


def _tokens_of(settings: Settings, opened: Session, generation: int, now: datetime) -> ApiTokens:
    return ApiTokens(
        access_token=write_access_token(settings, user_id=opened.user_id, session_id=opened.id, now=now),
        refresh_token=write_refresh_token(
            settings, session_id=opened.id, generation=generation, bound_to=opened.token_digest
        ),
        expires_in=int(ACCESS_TOKEN_LIFE.total_seconds()),
        refresh_expires_at=opened.expires_at,
    )
