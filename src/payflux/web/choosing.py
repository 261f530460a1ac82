"""What every page needs on which a plan is chosen: what can be bought, and who may."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.billing.rules import Standing, history_until
from payflux.frontdoor.catalogue.queries import sold_plans
from payflux.web.plan_table import picker_of
from payflux.world.bootstrap import World


async def choosing_context(
    session: AsyncSession, world: World, who: SignedIn, standing: Standing | None, *, wished: str = "", seats: int = 0
) -> dict[str, object]:
    """The picker with `seats` and the `wished` plan marked, else the one bought before, else the one chosen before
    registering; who manages billing; and until when, if it can still be read, what was computed is readable."""
    everyone = await queries.members(session, account_id=who.account_id)
    account = await session.get_one(Account, who.account_id)
    until = history_until(standing.status, standing.ended_at) if standing else None
    return {
        "picker": picker_of(
            await sold_plans(session),
            members=len(everyone),
            wished=(wished, standing.plan if standing and standing.stripe_status else None, account.intended_plan),
            seats=seats or (standing.seat_limit or 0 if standing and standing.stripe_status else 0),
        ),
        "payers": [member for member in everyone if may(member.role, "billing.manage")],
        "history_until": until if until and world.clock.now() < until else None,
        "sales_email": world.settings.sales_email,
    }
