"""Sessions on the server: who holds one, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.devices import device_name, place_name
from payflux.frontdoor.accounts.family import Place, places_of
from payflux.frontdoor.accounts.models import Account, Membership, Session, SignInFailure, User
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import NotSignedIn
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _

_LAST_USE_RESOLUTION = timedelta(minutes=1)

Kind = Literal["browser", "api", "key"]
"""A person in a browser, a program that signed in as a person, or one with a key of the account."""


@dataclass(frozen=True)
class Client:
    """What is asking, as far as a request tells: its network address, its user agent, and the country (ISO 3166) that
    the address is in; each may be empty."""

    address: str
    user_agent: str
    country: str = ""


@dataclass(frozen=True)
class SignedIn:
    """Who is asking: a user, the account they act in, and their role there. `factors` are what they proved themselves
    with, the last time at `authenticated_at`. `as_of` is the instant that a visit of the staff's looks at, None for now
    and for everybody else. `language` is what they read, None where nobody knows.
    `mail_returns` says that mail to their address came back since it was last proven.
    `sso_account_id` is the account whose identity provider opened the session, None for every other way; `sso_required`
    whether the account wants them to come by it, and they did not. Where they act in a further workspace of an account,
    that is `parent_id`, called `parent_name`. `places` are all that somebody in a browser is in."""

    user_id: UUID
    account_id: UUID
    session_id: UUID
    role: str
    name: str
    email: str
    email_verified: bool
    user_created_at: datetime
    account_name: str
    authenticated_at: datetime
    factors: frozenset[str]
    kind: Kind = "browser"
    impersonated_by: UUID | None = None
    as_of: datetime | None = None
    language: str | None = None
    scopes: frozenset[str] = frozenset()
    sso_account_id: UUID | None = None
    sso_required: bool = False
    mail_returns: bool = False
    parent_id: UUID | None = None
    parent_name: str = ""
    places: tuple[Place, ...] = ()

    @property
    def paying_account_id(self) -> UUID:
        """The account as a whole: the one they act in, or the one whose workspace that is."""
        return self.parent_id or self.account_id

    @property
    def must_prove_address(self) -> bool:
        """Whether their address is not proven, or has to be again because mail to it came back."""
        return not self.email_verified or self.mail_returns

    @property
    def grace_ends_at(self) -> datetime:
        """Until when they may use the product without a proven address."""
        return self.user_created_at + rules.VERIFICATION_GRACE


@dataclass(frozen=True)
class OpenSession:
    """One of a user's sessions as they see it: on which device, at which place, and when last."""

    id: UUID
    kind: str
    device: str
    place: str
    created_at: datetime
    last_used_at: datetime


async def start_session(
    session: AsyncSession,
    tokens: TokenHasher,
    *,
    user_id: UUID,
    client: Client,
    factors: Iterable[str],
    now: datetime,
    replacing: UUID | None = None,
    kind: Kind = "browser",
    account_id: UUID | None = None,
    sso_account_id: UUID | None = None,
) -> str:
    """Open a new session for a user who has just proven who they are by `factors`; returns the token their client
    keeps.

    `replacing` is the session that the client had until now: it ends. `account_id` is the account that a member of
    several goes on acting in, `sso_account_id` the one whose identity provider vouched for them, which is all that the
    session opens, with its workspaces.
    """
    if replacing is not None:
        await sign_out(session, session_id=replacing)
    token = tokens.new_token()
    session.add(
        Session(
            id=new_id(),
            token_digest=tokens.digest(token),
            user_id=user_id,
            kind=kind,
            account_id=account_id if sso_account_id is None else sso_account_id,
            sso_account_id=sso_account_id,
            user_agent=rules.printable(client.user_agent)[:300],
            address=rules.printable(client.address)[:64],
            country=rules.country_code(client.country),
            factors=sorted(factors),
            created_at=now,
            authenticated_at=now,
            last_used_at=now,
            expires_at=rules.session_expiry(now, now),
        )
    )
    await session.flush()
    return token


async def authenticate(session: AsyncSession, tokens: TokenHasher, *, token: str, now: datetime) -> SignedIn:
    """Who holds a browser's `token`. Extends the session. Raises NotSignedIn for an unknown or ended one."""
    of_session = (Session.kind == "browser", Session.token_digest == tokens.digest(token))
    who = await _holder(session, *of_session, now=now)
    return replace(who, places=tuple(await places_of(session, user_id=who.user_id)))


async def authenticate_api_client(session: AsyncSession, *, session_id: UUID, now: datetime) -> SignedIn:
    """Whose session an access token names, as it is now. Extends the session. Raises NotSignedIn where it has ended."""
    return await _holder(session, Session.kind == "api", Session.id == session_id, now=now)


async def _holder(session: AsyncSession, *of_session: ColumnElement[bool], now: datetime) -> SignedIn:
    parent = aliased(Account)
    row = (
        await session.execute(
            select(Session, User, Membership, Account, parent)
            .join(User, User.id == Session.user_id)
            .join(Membership, Membership.user_id == User.id)
            .join(Account, Account.id == Membership.account_id)
            .outerjoin(parent, parent.id == Account.parent_id)
            .where(*of_session, Session.expires_at > now)
            # a visit is to one account, and ends with its member's place in it
            .where(or_(Session.impersonated_by.is_(None), Session.account_id == Account.id))
            .where(or_(Session.sso_account_id.is_(None), Session.sso_account_id.in_((Account.id, Account.parent_id))))
            .order_by((Membership.account_id == Session.account_id).desc(), Membership.created_at)
            .limit(1)
        )
    ).first()
    if row is None:
        raise NotSignedIn(_("You are not signed in."), way_out=_("Sign in and try again."))
    browser, user, membership, account, whole = row
    if now - browser.last_used_at > _LAST_USE_RESOLUTION:
        browser.last_used_at = now
        if browser.impersonated_by is None:  # a visit ends when it was to end
            browser.expires_at = rules.session_expiry(browser.created_at, now)
    return SignedIn(
        user_id=user.id,
        account_id=account.id,
        session_id=browser.id,
        role=membership.role,
        name=user.name,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        user_created_at=user.created_at,
        account_name=account.name,
        authenticated_at=browser.authenticated_at,
        factors=frozenset(browser.factors),
        kind=cast("Kind", browser.kind),
        impersonated_by=browser.impersonated_by,
        as_of=browser.as_of,
        language=user.language,
        mail_returns=user.mail_returns,
        sso_account_id=browser.sso_account_id,
        sso_required=browser.impersonated_by is None
        and browser.sso_account_id is None
        and rules.must_use_sso(
            user.email, (whole or account).sso_domains, role=membership.role, factors=browser.factors
        ),
        parent_id=account.parent_id,
        parent_name=whole.name if whole else "",
    )


async def sign_out(session: AsyncSession, *, session_id: UUID) -> None:
    """End a session on the server, so that its cookie opens nothing any more."""
    await session.execute(delete(Session).where(Session.id == session_id))


async def list_sessions(session: AsyncSession, *, user_id: UUID, now: datetime) -> list[OpenSession]:
    """The user's sessions that have not ended, the one used last first; visits of our staff are not theirs."""
    mine = select(Session).where(
        Session.user_id == user_id, Session.expires_at > now, Session.impersonated_by.is_(None)
    )
    return [
        OpenSession(
            row.id,
            row.kind,
            device_name(row.user_agent),
            place_name(row.address, row.country),
            row.created_at,
            row.last_used_at,
        )
        for row in (await session.execute(mine.order_by(Session.last_used_at.desc()))).scalars()
    ]


async def end_session(session: AsyncSession, *, user_id: UUID, session_id: UUID) -> bool:
    """End one of the user's sessions; False when there is none of that id."""
    ended = await session.execute(
        delete(Session).where(Session.id == session_id, Session.user_id == user_id).returning(Session.id)
    )
    return ended.scalar_one_or_none() is not None


async def end_sessions(session: AsyncSession, *, user_id: UUID, except_id: UUID | None = None) -> int:
    """End every session of a user, but the one they keep; returns how many ended."""
    mine = delete(Session).where(Session.user_id == user_id)
    ended = await session.execute(mine if except_id is None else mine.where(Session.id != except_id))
    return cast("CursorResult[object]", ended).rowcount


async def delete_ended_sessions(session: AsyncSession, *, now: datetime) -> None:
    """Remove sessions past their end, and refusals past their use."""
    await session.execute(delete(Session).where(Session.expires_at <= now))
    await session.execute(delete(SignInFailure).where(SignInFailure.at <= now - rules.FAILURE_WINDOW))
