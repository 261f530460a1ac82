"""Keep Free: an explicit act, and never what becomes of a trial by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.queries import live_subscription, newest_subscription
from payflux.frontdoor.billing.rules import FREE_PLAN, TRANSITIONS, standing_of, state_of
from payflux.frontdoor.catalogue.versions import bump_account
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _


class FreeNotOffered(Conflict):
    """The account has something that it would have to give up first."""

    code = "free_not_offered"


async def choose_free(session: AsyncSession, who: SignedIn, now: datetime) -> Subscription:
    """Put the account on Free: what was a trial ends now, and nothing runs out any more. Choosing it again changes
    nothing. Raises FreeNotOffered where a plan is paid for, or is complimentary."""
    await session.execute(select(Account.id).where(Account.id == who.account_id).with_for_update(key_share=True))
    newest = await newest_subscription(session, account_id=who.account_id)
    state = state_of(standing_of(newest) if newest else None, now)
    if newest is not None and state == "free":
        return newest
    if "free_chosen" not in TRANSITIONS[state]:
        raise FreeNotOffered(
            _("Your account has a complimentary plan.")
            if state == "complimentary"
            else _("Your plan is still paid for."),
            way_out=_("It includes all that Free does.")
            if state == "complimentary"
            else _("Cancel it under Billing first; you can choose Free when it has ended."),
        )
    live = await live_subscription(session, account_id=who.account_id)
    if live is not None:
        live.status, live.canceled_at, live.updated_at = "canceled", min(live.current_period_end or now, now), now
        await session.flush()
    free = Subscription(
        id=new_id(),
        account_id=who.account_id,
        plan=FREE_PLAN,
        status="active",
        current_period_start=now,
        created_at=now,
        updated_at=now,
    )
    session.add(free)
    await bump_account(session, who.account_id)
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="subscription.free_chosen",
        subject=str(free.id),
        at=now,
        before={"plan": live.plan, "status": "trialing"} if live else None,
        after={"plan": free.plan, "status": free.status},
    )
    return free
