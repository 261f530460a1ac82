"""One trial for each business: start it, and remember who had one for longer than their account lives."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.providers.models import OAuthIdentity
from payflux.frontdoor.billing import rules
from payflux.frontdoor.billing.applicants import Mark, marks_of, marks_to_ask
from payflux.frontdoor.billing.models import Subscription, TrialGrant
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.frontdoor.funnel.events import CatalogueKey, TrialStarted
from payflux.frontdoor.funnel.recording import record
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.ids import new_id


async def grant_trial(
    session: AsyncSession, tokens: TokenHasher, *, account_id: UUID, owner: User, now: datetime
) -> Subscription | None:
    """Start the trial of a new account, unless its owner, their company or one of their identities had one: then None,
    and the account has no subscription. As the system role.

    Two who are the same applicant wait for each other until the first one's transaction ends.
    """
    identities = await _identities(session, owner.id)
    asked = _digests(tokens, marks_to_ask(owner.email, identities))
    for _kind, digest in sorted(asked, key=lambda mark: mark[1]):  # in one order, or two could wait for each other
        key = int.from_bytes(digest[:8], "big", signed=True)
        await session.execute(select(func.pg_advisory_xact_lock(key)))
    had = select(TrialGrant.id).where(tuple_(TrialGrant.kind, TrialGrant.digest).in_(asked)).limit(1)
    if (await session.execute(had)).scalar_one_or_none() is not None:
        await record_change(
            session, account_id=account_id, action="subscription.trial_refused", subject=str(account_id), at=now
        )
        return None
    _remember(session, _digests(tokens, marks_of(owner.email, identities)), now)
    return await start_trial(session, account_id=account_id, now=now)


async def start_trial(session: AsyncSession, *, account_id: UUID, now: datetime) -> Subscription:
    """Give a new account the full Pro plan for 14 days, without a card, whoever has had one before."""
    subscription = Subscription(
        id=new_id(),
        account_id=account_id,
        plan=rules.TRIAL_PLAN,
        status="trialing",
        current_period_start=now,
        current_period_end=now + rules.TRIAL,
        created_at=now,
    )
    session.add(subscription)
    await record_change(
        session,
        account_id=account_id,
        action="subscription.trial_started",
        subject=str(subscription.id),
        at=now,
        after={"plan": subscription.plan, "status": subscription.status},
    )
    await record(session, TrialStarted(CatalogueKey(subscription.plan)), at=now, account_id=account_id)
    await bump_account(session, account_id)
    return subscription


async def remember_owner(session: AsyncSession, tokens: TokenHasher, *, account_id: UUID, now: datetime) -> None:
    """Remember the account's owner as they are now, before the account goes: their address may be another than at the
    start, and they may have come to sign in by a provider. As the system role."""
    owners = select(User).join(Membership, Membership.user_id == User.id)
    query = owners.where(Membership.account_id == account_id, Membership.role == "owner")
    for owner in (await session.execute(query)).scalars():
        marks = marks_of(owner.email, await _identities(session, owner.id))
        _remember(session, _digests(tokens, marks), now)


async def _identities(session: AsyncSession, user_id: UUID) -> list[tuple[str, str]]:
    query = select(OAuthIdentity.issuer, OAuthIdentity.subject).where(OAuthIdentity.user_id == user_id)
    return [(issuer, subject) for issuer, subject in await session.execute(query)]


def _digests(tokens: TokenHasher, marks: list[Mark]) -> list[tuple[str, bytes]]:
    return [(mark.kind, tokens.digest(f"trial {mark.kind} {mark.value}")) for mark in marks]


def _remember(session: AsyncSession, marks: list[tuple[str, bytes]], now: datetime) -> None:
    session.add_all(TrialGrant(id=new_id(), kind=kind, digest=digest, granted_at=now) for kind, digest in marks)
