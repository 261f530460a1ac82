"""What somebody wants to buy, checked against what is sold."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.catalogue.prices import Interval, price_of
from payflux.frontdoor.catalogue.queries import SoldPlan, sold_plans
from payflux.kit.errors import InvalidInput, Unavailable
from payflux.kit.messages import gettext as _

MOST_SEATS = 10_000
"""Of a plan without a limit of seats."""

log = structlog.get_logger(__name__)


class PlanNotAtStripe(Unavailable):
    """The plan is sold, and Stripe has not been told of it yet."""

    code = "plan_not_at_stripe"


@dataclass(frozen=True)
class Order:
    """What somebody wants to buy."""

    plan: str
    version: int
    seats: int
    interval: Interval
    price_id: str
    product_id: str


async def order_of(
    session: AsyncSession, plan: str, seats: int, interval: str, *, account_id: UUID, livemode: bool
) -> Order:
    """What is bought when `seats` seats of `plan` are, by what is sold now. Raises InvalidInput, and PlanNotAtStripe
    where the plan has no price for our key yet."""
    if interval not in ("month", "year"):
        raise InvalidInput({"interval": _("Choose month or year.")})
    sold = {each.plan: each for each in await sold_plans(session)}
    chosen = sold.get(plan)
    if chosen is None:
        raise InvalidInput(
            {"plan": _("Choose one of %(interval)s.") % {"interval": ", ".join(_priced(sold, interval))}}
        )
    paid: Interval = "month" if interval == "month" else "year"
    if plan not in _priced(sold, interval):
        raise InvalidInput(
            {
                "plan": _("%(display_name)s is not sold by itself; contact sales.")
                % {"display_name": chosen.content.display_name}
            }
        )
    await _check_seats(session, chosen, seats, account_id=account_id)
    price = await price_of(session, plan=plan, version=chosen.version, interval=paid, livemode=livemode)
    if price is None:
        raise _not_at_stripe(chosen)
    return Order(plan, chosen.version, seats, paid, price.id, price.product_id)


def _priced(sold: dict[str, SoldPlan], interval: str) -> list[str]:
    field = "monthly_price_cents" if interval == "month" else "annual_price_cents"
    return [plan for plan, each in sold.items() if getattr(each.content, field) is not None]


def _not_at_stripe(plan: SoldPlan) -> PlanNotAtStripe:
    log.error("a plan has no price at Stripe", plan=plan.plan, version=plan.version)
    return PlanNotAtStripe(
        _("%(display_name)s cannot be bought right now.") % {"display_name": plan.content.display_name},
        way_out=_("Try again later. Whoever runs this installation has to run `payflux sync-stripe-plans`."),
    )


async def _check_seats(session: AsyncSession, plan: SoldPlan, seats: int, *, account_id: UUID) -> None:
    """Raises InvalidInput unless `seats` hold every member and are as many as the plan can have."""
    members = select(func.count()).select_from(Membership).where(Membership.account_id == account_id)
    least = max(1, (await session.execute(members)).scalar_one())
    limit = plan.content.limits.get("seats")
    most = MOST_SEATS if limit is None else limit
    name = plan.content.display_name
    if least > most:
        raise InvalidInput(
            {
                "plan": _("%(name)s has %(most)s seats, and %(least)s people are in this account.")
                % {"name": name, "most": most, "least": least}
            }
        )
    if not least <= seats <= most:
        raise InvalidInput(
            {
                "seats": _("Choose %(least)s to %(most)s seats: %(least)s are taken, and %(name)s has %(most)s.")
                % {"least": least, "most": most, "name": name}
            }
        )
