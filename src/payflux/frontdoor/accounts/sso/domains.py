"""Prove that a domain is the account's own, by a record that only who runs its DNS can write."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.rules import read_domain
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso import rules
from payflux.frontdoor.accounts.sso.models import SsoDomain
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound, Unavailable
from payflux.kit.messages import gettext as _
from payflux.world.dns import Dns, DnsUnavailable


class DomainTaken(Conflict):
    code = "domain_taken"


class DomainNotProven(Conflict):
    """The record is not there, or not yet."""

    code = "domain_not_proven"


async def domains_of(session: AsyncSession, *, account_id: UUID) -> list[SsoDomain]:
    """The account's domains, proven or not, by name."""
    query = select(SsoDomain).where(SsoDomain.account_id == account_id).order_by(SsoDomain.domain)
    return list((await session.execute(query)).scalars())


async def add_domain(session: AsyncSession, who: SignedIn, *, domain: str, now: datetime) -> SsoDomain:
    """Note a domain that is to be proven, with a new challenge; one that stands there keeps its own.

    Raises InvalidInput, also where there are too many.
    """
    name = read_domain(domain)
    if name is None:
        raise InvalidInput({"domain": _("Enter a domain like example.com.")})
    known = await domains_of(session, account_id=who.account_id)
    if found := next((each for each in known if each.domain == name), None):
        return found
    if len(known) >= rules.MOST_DOMAINS:
        raise InvalidInput({"domain": _("Remove a domain first: this is the most that an account can have.")})
    added = SsoDomain(account_id=who.account_id, domain=name, challenge=secrets.token_urlsafe(24), added_at=now)
    session.add(added)
    await session.flush()
    await record_change(
        session, account_id=who.account_id, actor_id=who.user_id, action="sso.domain_added", subject=name, at=now
    )
    return added


async def prove_domain(session: AsyncSession, dns: Dns, who: SignedIn, *, domain: str, now: datetime) -> None:
    """Look the record up; once it is there the domain is the account's.

    Raises NotFound, DomainNotProven, DomainTaken where another account has proven it, and Unavailable.
    """
    found = await find_domain(session, account_id=who.account_id, domain=domain)
    try:
        texts = await dns.texts(f"{rules.RECORD}.{found.domain}")
    except DnsUnavailable:
        raise Unavailable(
            _("The domain name system does not answer at the moment."), way_out=_("Try again in a minute.")
        ) from None
    if not rules.is_proven(texts, found.challenge):
        raise DomainNotProven(
            _("The record is not there, or not yet: a new one can take an hour to be seen everywhere."),
            way_out=_("Compare its name and its value with what stands here, then check again."),
        )
    found.checked_at, found.missing_since, found.times_missing = now, None, 0
    if found.proven_at is not None:
        return
    try:
        async with session.begin_nested():
            found.proven_at, found.lapsed_at = now, None
            await session.flush()
    except IntegrityError:
        raise DomainTaken(
            _("Another account has proven this domain."), way_out=_("Have it removed there first, or write to us.")
        ) from None
    await record_change(
        session, account_id=who.account_id, actor_id=who.user_id, action="sso.domain_proven", subject=domain, at=now
    )


async def remove_domain(session: AsyncSession, who: SignedIn, *, domain: str, now: datetime) -> None:
    """Give a domain up: nobody of it has to, or can, sign in by the account's identity provider. Raises NotFound."""
    found = await find_domain(session, account_id=who.account_id, domain=domain)
    await end_enforcement_of(session, account_id=who.account_id, domain=found.domain)
    await session.execute(
        delete(SsoDomain).where(SsoDomain.account_id == who.account_id, SsoDomain.domain == found.domain)
    )
    await record_change(
        session, account_id=who.account_id, actor_id=who.user_id, action="sso.domain_removed", subject=domain, at=now
    )


async def end_enforcement_of(session: AsyncSession, *, account_id: UUID, domain: str) -> None:
    """Let members with addresses of the domain sign in as they like."""
    account = await session.get_one(Account, account_id, with_for_update=True)
    if domain in account.sso_domains:
        left = [each for each in account.sso_domains if each != domain]
        await session.execute(update(Account).where(Account.id == account_id).values(sso_domains=left))


async def find_domain(session: AsyncSession, *, account_id: UUID, domain: str) -> SsoDomain:
    """One of the account's domains, for this transaction to change. Raises NotFound."""
    query = select(SsoDomain).where(SsoDomain.account_id == account_id, SsoDomain.domain == domain)
    found = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if found is None:
        raise NotFound(_("Your account has no such domain."), way_out=_("Reload the page to see how it stands."))
    return found
