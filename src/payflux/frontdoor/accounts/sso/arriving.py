"""Who somebody is here that the account's identity provider vouches for: a member, or a new one. As the system role."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.claiming import wipe_ways_in
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.accounts.rules import domain_of
from payflux.frontdoor.accounts.sso.leaving import is_buried
from payflux.frontdoor.accounts.sso.models import SsoConnection, SsoDomain, SsoIdentity
from payflux.frontdoor.accounts.sso.rules import Asserted
from payflux.frontdoor.accounts.team.inviting import SeatLimit, hold_seats
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Forbidden
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _


class NotOfDomain(Forbidden):
    """The address is of a domain that the account has not proven."""

    code = "sso_other_domain"


class HasLeft(Forbidden):
    """They were a member, and their place has ended."""

    code = "sso_has_left"


class AnotherIdentity(Forbidden):
    """The member of this address is another person at the identity provider."""

    code = "sso_another_identity"


class NoNewMembers(Forbidden):
    """The account's plan does not make new members by single sign-on."""

    code = "sso_no_new_members"


async def arrive(
    session: AsyncSession,
    tokens: TokenHasher,
    connection: SsoConnection,
    person: Asserted,
    *,
    seat_limit: int | None,
    takes_members: bool,
    now: datetime,
) -> UUID:
    """The member that `person` is: known by issuer and subject or, the first time, by an address of a domain that the
    account has proven; made one where they are none.

    `seat_limit` is how many the plan allows, None without one; `takes_members` whether it makes new ones at all. Raises
    NotOfDomain, HasLeft, AnotherIdentity, NoNewMembers and SeatLimit.
    """
    account_id = connection.account_id
    await hold_seats(session, account_id=account_id)
    known = await _identity(session, account_id, person)
    if known is not None:
        known.last_used_at = now
        await _proven(session, connection, now)
        return known.user_id
    if not await is_own_domain(session, account_id=account_id, email=person.email):
        raise NotOfDomain(
            _("%(email)s is not of a domain that this account has proven.") % {"email": person.email},
            way_out=_("Choose the account of your company, or ask whoever runs PayFlux there."),
        )
    user = await find_or_create_user(session, email=person.email, name=person.name, now=now)
    place = select(Membership.role).where(Membership.account_id == account_id, Membership.user_id == user.id)
    if (await session.execute(place)).scalar_one_or_none() is None:
        await _require_welcome(session, tokens, connection, person, seat_limit=seat_limit, takes_members=takes_members)
        await make_member(session, account_id=account_id, user=user, role=connection.default_role, by="sso", now=now)
    await _require_first_identity(session, account_id, user, person)
    session.add(
        SsoIdentity(
            account_id=account_id,
            id=new_id(),
            user_id=user.id,
            issuer=person.issuer,
            subject=person.subject,
            linked_at=now,
            last_used_at=now,
        )
    )
    await session.flush()
    await record_change(
        session, account_id=account_id, actor_id=user.id, action="member.sso_linked", subject=str(user.id), at=now
    )
    await _proven(session, connection, now)
    return user.id


async def make_member(
    session: AsyncSession, *, account_id: UUID, user: User, role: str, by: str, now: datetime
) -> None:
    """Give a user a place in the account; whoever calls holds its seats. `by` is who told of them: sso or scim."""
    session.add(Membership(account_id=account_id, user_id=user.id, role=role, created_at=now))
    owned = select(Membership.account_id).where(Membership.user_id == user.id, Membership.role == "owner")
    if (await session.execute(owned)).first() is None:
        user.onboarding_dismissed = True  # the wizard is for who opens an account
    await session.flush()
    await record_change(
        session,
        account_id=account_id,
        actor_id=user.id,
        action="member.joined",
        subject=str(user.id),
        at=now,
        after={"role": role, "by": by},
    )


async def require_seat(session: AsyncSession, *, account_id: UUID, limit: int | None) -> None:
    """Raises SeatLimit unless one more member fits."""
    count = select(func.count()).select_from(Membership).where(Membership.account_id == account_id)
    if limit is not None and (await session.execute(count)).scalar_one() >= limit:
        raise SeatLimit(
            _("This account has no seat left."), way_out=_("Ask its owner to remove a member, or to choose more seats.")
        )


async def find_or_create_user(session: AsyncSession, *, email: str, name: str, now: datetime) -> User:
    """The user with an address of a proven domain, locked. Whoever registered it without proving it may have been
    somebody else, so everything that they could come in by goes."""
    query = select(User).where(User.email_normalized == email).with_for_update()
    user = (await session.execute(query)).scalar_one_or_none()
    if user is None:
        return await create_user(session, name=name, email=email, password_hash=None, verified_at=now, now=now)
    if user.email_verified_at is None:
        await wipe_ways_in(session, user_id=user.id, now=now)
        user.password_hash, user.email_verified_at = None, now
        await session.flush()
    return user


async def is_own_domain(session: AsyncSession, *, account_id: UUID, email: str) -> bool:
    """Whether the account has proven the domain of an address."""
    query = select(SsoDomain.domain).where(
        SsoDomain.account_id == account_id,
        SsoDomain.domain == domain_of(email),
        SsoDomain.proven_at.is_not(None),
    )
    return (await session.execute(query)).scalar_one_or_none() is not None


async def _identity(session: AsyncSession, account_id: UUID, person: Asserted) -> SsoIdentity | None:
    query = select(SsoIdentity).where(
        SsoIdentity.account_id == account_id,
        SsoIdentity.issuer == person.issuer,
        SsoIdentity.subject == person.subject,
    )
    return (await session.execute(query)).scalar_one_or_none()


async def _require_first_identity(session: AsyncSession, account_id: UUID, user: User, person: Asserted) -> None:
    # an address that a company gives to somebody else does not make them who had it before
    query = select(SsoIdentity.id).where(
        SsoIdentity.account_id == account_id, SsoIdentity.user_id == user.id, SsoIdentity.issuer == person.issuer
    )
    if (await session.execute(query)).first() is not None:
        raise AnotherIdentity(
            _("%(email)s belongs to a member whom your identity provider knows as somebody else.")
            % {"email": person.email},
            way_out=_("Ask the account's owner to remove that member first."),
        )


async def _require_welcome(
    session: AsyncSession,
    tokens: TokenHasher,
    connection: SsoConnection,
    person: Asserted,
    *,
    seat_limit: int | None,
    takes_members: bool,
) -> None:
    left = await is_buried(
        session,
        tokens,
        account_id=connection.account_id,
        email=person.email,
        issuer=person.issuer,
        subject=person.subject,
    )
    if left:
        raise HasLeft(
            _("Your place in this account has ended."), way_out=_("Ask its owner to invite you, if that is wrong.")
        )
    if not takes_members:
        raise NoNewMembers(
            _("This account takes no new members by single sign-on at the moment."),
            way_out=_("Ask its owner to look at the plan, or to invite you."),
        )
    await require_seat(session, account_id=connection.account_id, limit=seat_limit)


async def _proven(session: AsyncSession, connection: SsoConnection, now: datetime) -> None:
    if connection.proven_at is None:
        await session.execute(
            update(SsoConnection).where(SsoConnection.account_id == connection.account_id).values(proven_at=now)
        )
