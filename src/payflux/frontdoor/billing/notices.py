"""The mails about a subscription: when each is due, and that none is sent twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import Member, members
from payflux.frontdoor.billing.models import SentNotice, Subscription
from payflux.frontdoor.billing.rules import Standing
from payflux.world.outbox import enqueue_mail

FIRST_WARNING, LAST_WARNING = timedelta(days=4), timedelta(days=1)
"""How long before a trial's end it is announced: on its days 10 and 13."""
STILL_NEWS = timedelta(days=7)
"""How long what has happened is still told where it could not be told at once."""

MailName = Literal["trial_ending", "trial_ended", "payment_failed", "complimentary_granted"]


class Due(NamedTuple):
    """A mail about a subscription: `notice` is what it is remembered by, sent from `at` on and before `until`, None for
    as long as the subscription stands so."""

    notice: str
    mail: MailName
    at: datetime
    until: datetime | None


def mails_about(standing: Standing) -> list[Due]:
    """Every mail that a subscription leads to as it stands, in order. Pure.

    Nobody is reminded of a trial that goes on at Stripe, with a card, or of what is free or complimentary. A failed
    payment is told once for each period that it is for.
    """
    end = standing.current_period_end
    if standing.status == "trialing" and standing.stripe_status is None and end is not None:
        return [
            Due("trial_ends_in_4_days", "trial_ending", end - FIRST_WARNING, end - LAST_WARNING),
            Due("trial_ends_in_1_day", "trial_ending", end - LAST_WARNING, end),
            Due("trial_ended", "trial_ended", end, end + STILL_NEWS),
        ]
    if standing.status == "past_due":
        start = standing.current_period_start
        return [Due(f"payment_failed {start:%Y-%m-%d}", "payment_failed", start, None)]
    return []


def due_now(standing: Standing, sent: Collection[str], now: datetime) -> Due | None:
    """The mail to send now, if there is one that was not sent. Pure."""
    mails = (due for due in mails_about(standing) if due.notice not in sent)
    return next((due for due in mails if due.at <= now and (due.until is None or now < due.until)), None)


def due_between(standing: Standing, sent: Collection[str], start: datetime, end: datetime) -> list[Due]:
    """The mails that go out from `start` to `end` if nothing else happens, beside those that were `sent`. Pure."""
    mails = (due for due in mails_about(standing) if due.notice not in sent)
    return [due for due in mails if due.at <= end and (due.until is None or start < due.until)]


class Addressed(NamedTuple):
    """A subscription that mails may be due for, and the notices that were sent for it."""

    subscription: Subscription
    sent: Sequence[str]


async def subscriptions_to_look_at(session: AsyncSession, *, now: datetime) -> list[Addressed]:
    """The subscriptions that a mail may be due for, of all accounts. As the system role."""
    ends = Subscription.current_period_end
    trials = and_(
        Subscription.status == "trialing",
        Subscription.stripe_status.is_(None),
        ends <= now + FIRST_WARNING,
        ends > now - STILL_NEWS,
    )
    names = func.array_remove(func.array_agg(SentNotice.notice), None)
    query = (
        select(Subscription, names)
        .outerjoin(SentNotice, SentNotice.subscription_id == Subscription.id)
        .where(or_(trials, Subscription.status == "past_due"))
        .group_by(Subscription.id)
    )
    return [Addressed(subscription, sent) for subscription, sent in await session.execute(query)]


async def notices_sent(session: AsyncSession, *, account_id: UUID) -> list[SentNotice]:
    """What the account was mailed about its subscriptions, the newest first."""
    query = select(SentNotice).where(SentNotice.account_id == account_id).order_by(SentNotice.at.desc())
    return list((await session.execute(query)).scalars())


async def send_once(
    session: AsyncSession,
    *,
    account_id: UUID,
    subscription_id: UUID,
    notice: str,
    mail: MailName,
    to: Collection[Member],
    now: datetime,
) -> bool:
    """Enqueue a mail to these members unless that was done before; whether it was done now."""
    row = {"account_id": account_id, "subscription_id": subscription_id, "notice": notice, "at": now}
    added = insert(SentNotice).values(row).on_conflict_do_nothing().returning(SentNotice.notice)
    if (await session.execute(added)).scalar_one_or_none() is None:
        return False
    for member in to:
        await enqueue_mail(session, mail, account_id, member.user_id, subscription_id=str(subscription_id))
    return True


async def who_pays(session: AsyncSession, *, account_id: UUID) -> list[Member]:
    """The members who are written to about money: those who manage billing and whose address is proven."""
    everybody = await members(session, account_id=account_id)
    return [member for member in everybody if member.verified and may(member.role, "billing.manage")]
