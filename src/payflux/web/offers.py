"""What is missing from an account's plan, and which plans have it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import SoldPlan, feature_flags, sold_plans
from payflux.frontdoor.entitlements.resolving import Entitlements
from payflux.kit.messages import gettext as _
from payflux.web.billing_words import plan_name
from payflux.web.plan_table import limit_name, plans_beyond, plans_with


@dataclass(frozen=True)
class Offer:
    """A feature or limit that stands in the way: its public words, the plan that is in force, and the names of the
    plans that are sold with it, or with more of it. `by_checkout` are the keys of those that have a price."""

    key: str
    words: str
    own_plan: str
    plans: tuple[str, ...]
    by_checkout: tuple[str, ...]


async def offer_of_feature(session: AsyncSession, held: Entitlements, feature: str) -> Offer | None:
    """What it takes to have `feature`; None for one that the account has, or that there is none of."""
    words = (await feature_flags(session)).get(feature)
    if words is None or held.features.get(feature):
        return None
    return _offer(feature, _(words), held, plans_with(await sold_plans(session), feature))


async def offer_of_limit(session: AsyncSession, held: Entitlements, limit: str) -> Offer | None:
    """What it takes to have more of `limit`; None for one that the account has without end, or that there is none
    of."""
    words, allowed = read_catalogue().limits.get(limit), held.limits.get(limit)
    if words is None or allowed is None:
        return None
    return _offer(limit, limit_name(words), held, plans_beyond(await sold_plans(session), limit, allowed))


def _offer(key: str, words: str, held: Entitlements, plans: list[SoldPlan]) -> Offer:
    return Offer(
        key=key,
        words=words,
        own_plan=plan_name(held.plan),
        plans=tuple(sold.content.display_name for sold in plans),
        by_checkout=tuple(sold.plan for sold in plans if sold.content.monthly_price_cents),
    )
