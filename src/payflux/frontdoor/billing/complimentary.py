"""Complimentary Pro: for those who were here before it was sold, and for whoever the staff gives it to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import parent_of
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.team.queries import members
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.notices import MailName, send_once
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import TRANSITIONS, Event, State, standing_of, state_of
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id

PLAN = "pro"
NOTICE: MailName = "complimentary_granted"
_EVENT: Event = "complimentary_granted"


class PaidFor(Conflict):
    """The account pays, and would go on paying."""

    code = "paid_for"


@dataclass(frozen=True)
class Candidate:
    """An account that existed, and why it stays as it is; an empty `kept` is one that becomes complimentary."""

    account_id: UUID
    name: str
    kept: str


async def candidates(session: AsyncSession, *, before: datetime, now: datetime) -> list[Candidate]:
    """Every account that was opened before that instant, the oldest first; its workspaces have what it has. As the
    system role."""
    accounts = (
        select(Account)
        .where(Account.created_at < before, Account.parent_id.is_(None))
        .order_by(Account.created_at, Account.id)
    )
    found = []
    for account in (await session.execute(accounts)).scalars():
        newest = await newest_subscription(session, account_id=account.id)
        found.append(Candidate(account.id, account.name, _why_kept(newest, now)))
    return found


async def grant_complimentary(
    session: AsyncSession, *, account_id: UUID, now: datetime, actor_id: UUID | None = None
) -> Subscription:
    """Give the account Pro without an end or a price, and mail its members once; one that has it already keeps it.
    `session` is the tenant's. `actor_id` is who of the staff does it, None for the command line.

    Raises PaidFor where a subscription runs at Stripe, or an agreed one elsewhere, and in a further workspace.
    """
    if await parent_of(session, account_id=account_id) is not None:
        raise PaidFor("This is a workspace: it has what its account has.", way_out="Give it to the account.")
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    newest = await newest_subscription(session, account_id=account_id)
    if newest is not None and newest.status == "complimentary":
        return newest
    if _EVENT not in TRANSITIONS[_state(newest, now)]:
        raise PaidFor(
            "The account pays for its plan.", way_out="Cancel it first; complimentary follows when it has ended."
        )
    before: dict[str, object] | None = None if newest is None else {"plan": newest.plan, "status": newest.status}
    if newest is None or newest.status == "canceled":
        newest = Subscription(id=new_id(), account_id=account_id, created_at=now)
        session.add(newest)
    newest.plan, newest.plan_version, newest.status = PLAN, None, "complimentary"
    newest.current_period_start, newest.current_period_end, newest.updated_at = now, None, now
    await session.flush()
    await bump_account(session, account_id)
    await record_change(
        session,
        account_id=account_id,
        actor_id=actor_id,
        action="subscription.complimentary_granted",
        subject=str(newest.id),
        at=now,
        before=before,
        after={"plan": newest.plan, "status": newest.status},
    )
    told = [member for member in await members(session, account_id=account_id) if member.verified]
    await send_once(
        session, account_id=account_id, subscription_id=newest.id, notice=NOTICE, mail=NOTICE, to=told, now=now
    )
    return newest


def counted(found: Sequence[Candidate]) -> dict[str, int]:
    """How many of them become complimentary (an empty word), and how many stay for which reason."""
    return {why: sum(each.kept == why for each in found) for why in dict.fromkeys(each.kept for each in found)}


def _why_kept(newest: Subscription | None, now: datetime) -> str:
    state = _state(newest, now)
    match state:
        case "complimentary":
            return "complimentary already"
        case "canceled":
            return "canceled"
        case _:
            return "" if _EVENT in TRANSITIONS[state] else "paid for"


def _state(newest: Subscription | None, now: datetime) -> State:
    return state_of(standing_of(newest) if newest else None, now)
