"""Say why an account may or may not do something: who decided, who was outvoted, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.queries import SoldPlan, sold_plans
from payflux.frontdoor.entitlements import rules
from payflux.frontdoor.entitlements.grounds import grounds_of
from payflux.frontdoor.entitlements.rules import Change, Claim, Grounds, Value
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _


class UnknownEntitlement(NotFound):
    code = "unknown_entitlement"


@dataclass(frozen=True)
class Unlock:
    """What would give more: the `plans` that whoever may can choose at once, and whether `sales` can agree on it."""

    plans: tuple[str, ...]
    sales: bool


@dataclass(frozen=True)
class Explanation:
    """`value` is what `winner` says; the `losers` follow, the strongest first. `next_change` is the next one that comes
    by itself, and `unlock` is None where there is nothing more to have."""

    key: str
    kind: Literal["feature", "limit"]
    at: datetime
    value: Value
    winner: Claim
    losers: tuple[Claim, ...]
    next_change: Change | None
    unlock: Unlock | None


async def explain(
    session: AsyncSession, *, account_id: UUID, key: str, now: datetime, at: datetime | None = None
) -> Explanation:
    """Why the feature or limit `key` is what it is at `at`, by what is known at `now`; `at` is `now` where None.

    Overrides are known for every instant; the plan and the subscription are taken as they stand now, and what is known
    of their future comes to pass. Raises UnknownEntitlement.
    """
    grounds = await grounds_of(session, account_id=account_id, now=now)
    if key not in grounds.names:
        raise UnknownEntitlement(
            _("No feature or limit is called %(key)s.") % {"key": key[:50]},
            way_out=_("Ask for one of %(names)s.") % {"names": ", ".join(grounds.names)},
        )
    return explanation(grounds, await sold_plans(session), key, at or now)


def explanation(grounds: Grounds, sold: list[SoldPlan], key: str, at: datetime) -> Explanation:
    """The same from what was read, with the plans that are `sold` now. Pure."""
    winner, losers = rules.claims(grounds, key, at)
    return Explanation(
        key=key,
        kind="feature" if key in grounds.features else "limit",
        at=at,
        value=winner.value,
        winner=winner,
        losers=losers,
        next_change=rules.next_change(grounds, key, at),
        unlock=_unlock(grounds, sold, key, winner.value),
    )


def _unlock(grounds: Grounds, sold: list[SoldPlan], key: str, value: Value) -> Unlock | None:
    is_feature = key in grounds.features
    if value is None or (is_feature and value):
        return None
    more = [
        each
        for each in sold
        if not rules.at_least(value, key in each.content.features if is_feature else each.content.limits.get(key))
    ]
    at_once = tuple(each.plan for each in more if each.content.monthly_price_cents is not None)
    return Unlock(at_once, sales=len(at_once) < len(more) or not more)
