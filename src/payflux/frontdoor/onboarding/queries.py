"""What has happened in an account, as its setup steps are ticked by it."""

from __future__ import annotations

from sqlalchemy import exists, func, select, true
from sqlalchemy.dialects.postgresql import array_agg
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.billing.rules import Standing
from payflux.frontdoor.onboarding.checklist import Facts
from payflux.frontdoor.onboarding.models import Milestone


async def get_facts(session: AsyncSession, who: SignedIn, standing: Standing | None) -> tuple[Facts, str | None]:
    """What has happened in the account that `who` acts in, and the processor that its owner named, None where they did
    not. `standing` is that of the account's subscription."""
    of_account = Membership.account_id == who.account_id
    answered = func.bool_or(User.onboarding_dismissed | (User.onboarding_step_completed > 0))
    members = select(answered, func.count()).join(Membership, Membership.user_id == User.id)
    everybody = members.where(of_account).subquery()
    reached = select(array_agg(Milestone.milestone)).where(Milestone.account_id == who.account_id)
    row = await session.execute(
        select(
            User.email_verified_at <= User.created_at,
            everybody.c[0],
            everybody.c[1] > 1,
            exists().where(AccountInvite.account_id == who.account_id),
            reached.scalar_subquery(),
            Account.primary_processor,
        )
        .join(Membership, Membership.user_id == User.id)
        .join(Account, Account.id == Membership.account_id)
        .join(everybody, true())
        .where(User.id == who.user_id, of_account)
    )
    proven_at_once, set_up, joined, invited, milestones, processor = row.one()
    facts = Facts(
        verified=who.email_verified,
        verified_at_signup=bool(proven_at_once),
        business_set_up=bool(set_up),
        milestones=frozenset(milestones or ()),
        invited=joined or invited,
        standing=standing,
    )
    return facts, processor
