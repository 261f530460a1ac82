"""Products and prices at Stripe for what is sold: found or created with the key of this installation, then stored.

A price belongs to one version of a plan and never changes; those of older versions stay, since subscriptions go on at
them. What a test key makes and what a live key makes are never taken for one another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec
import stripe
from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.content import PlanContent
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import PlanBilling, PlanLimits, StripePrice
from payflux.frontdoor.catalogue.queries import SoldPlan, every_plan
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling

Interval = Literal["month", "year"]

_PAGE = 100


class _Product(msgspec.Struct, frozen=True):
    id: str
    livemode: bool
    name: str
    description: str | None = None
    metadata: dict[str, str] = {}


class _Recurring(msgspec.Struct, frozen=True):
    interval: str
    interval_count: int = 1


class _Price(msgspec.Struct, frozen=True):
    id: str
    livemode: bool
    currency: str
    unit_amount: int | None = None
    lookup_key: str | None = None
    metadata: dict[str, str] = {}
    recurring: _Recurring | None = None


class _Page(msgspec.Struct, frozen=True):
    data: list[dict[str, Any]]
    has_more: bool


@dataclass
class PlanAtStripe:
    """What a plan, as it is sold now, is at Stripe. `created` are the ids that were not there before."""

    plan: str
    version: int
    product_id: str
    amounts: dict[Interval, int]
    price_ids: dict[Interval, str] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)


async def sync_prices(world: World, gateway: StripeBilling) -> list[PlanAtStripe]:
    """Find or create the product and the prices of each plan that has a price and is not archived, and store their ids.

    Running it again creates nothing. Raises StripeFailure; what was created until then is found the next time.
    """
    async with world.database.system() as session:
        plans = [each for each in await every_plan(session) if not each.content.is_archived and amounts(each.content)]
    products = await _pages(gateway, gateway.v1.products.list_async, {"active": True}, _Product)
    synced = [await _at_stripe(gateway, plan, products) for plan in plans]
    async with world.database.system() as session:
        for each in synced:
            await _store(session, each, world, livemode=gateway.livemode)
    return synced


async def price_of(
    session: AsyncSession, *, plan: str, version: int, interval: Interval, livemode: bool
) -> StripePrice | None:
    """The price at Stripe that sells this version of a plan; None where it has none, or before it was synced."""
    in_use = or_(
        PlanBilling.stripe_monthly_price_id == StripePrice.id, PlanBilling.stripe_annual_price_id == StripePrice.id
    )
    query = (
        select(StripePrice)
        .outerjoin(PlanBilling, in_use)
        .where(
            StripePrice.plan == plan,
            StripePrice.version == version,
            StripePrice.billing_interval == interval,
            StripePrice.livemode == livemode,
        )
        # a key of another account in the same mode, such as the sandbox's, leaves prices that this one does not know
        .order_by(PlanBilling.plan.is_not(None).desc(), StripePrice.created_at.desc())
    )
    return (await session.execute(query.limit(1))).scalar_one_or_none()


async def plan_of_price(session: AsyncSession, price_id: str) -> StripePrice | None:
    """Which version of which plan a price at Stripe sells; None for one that we did not make."""
    return await session.get(StripePrice, price_id)


def amounts(content: PlanContent) -> dict[Interval, int]:
    """The prices of a plan in cents, by what they are paid for."""
    asked: dict[Interval, int | None] = {"month": content.monthly_price_cents, "year": content.annual_price_cents}
    return {interval: amount for interval, amount in asked.items() if amount is not None}


async def _at_stripe(gateway: StripeBilling, plan: SoldPlan, products: list[_Product]) -> PlanAtStripe:
    content, metadata = plan.content, {"payflux_plan": plan.plan}
    created = []
    theirs = [each for each in products if each.metadata.get("payflux_plan") == plan.plan]
    product = next((each for each in theirs if each.id == plan.stripe_product_id), theirs[0] if theirs else None)
    shown: dict[str, Any] = {"name": f"PayFlux {content.display_name}"}
    shown |= {"description": content.description} if content.description else {}
    v1 = gateway.v1.products
    if product is None:
        asked = {**shown, "metadata": metadata}
        product = await _create(gateway, v1.create_async, asked, _Product, plan.stripe_product_id)
        created.append(product.id)
    elif any(getattr(product, name) != words for name, words in shown.items()):
        changes: Any = shown
        product = await gateway.ask(v1.update_async(product.id, changes), _Product)
    found = PlanAtStripe(plan.plan, plan.version, product.id, amounts(content), created=created)
    listed = await _pages(gateway, gateway.v1.prices.list_async, {"active": True, "product": product.id}, _Price)
    for interval, amount in found.amounts.items():
        found.price_ids[interval] = await _price(gateway, plan, found, listed, interval, amount)
    return found


async def _price(
    gateway: StripeBilling, plan: SoldPlan, found: PlanAtStripe, listed: list[_Price], interval: Interval, amount: int
) -> str:
    stored = plan.stripe_monthly_price_id if interval == "month" else plan.stripe_annual_price_id
    metadata = {"payflux_plan": plan.plan, "payflux_version": str(plan.version)}
    currency = read_catalogue().billing.currency
    same = [
        each.id
        for each in listed
        if (each.unit_amount, each.currency, each.recurring) == (amount, currency, _Recurring(interval))
        and metadata.items() <= each.metadata.items()
    ]
    if same:
        return stored if stored in same else same[0]
    asked = {
        "product": found.product_id,
        "currency": currency,
        "unit_amount": amount,
        "recurring": {"interval": interval},
        "metadata": metadata,
        "lookup_key": f"payflux_{plan.plan}_v{plan.version}_{interval}",
        "transfer_lookup_key": True,
    }
    made = await _create(gateway, gateway.v1.prices.create_async, asked, _Price, stored)
    found.created.append(made.id)
    return made.id


async def _store(session: AsyncSession, found: PlanAtStripe, world: World, *, livemode: bool) -> None:
    """Unless another version is sold by now: its prices are others."""
    for interval, price_id in found.price_ids.items():
        row = insert(StripePrice).values(
            id=price_id,
            product_id=found.product_id,
            plan=found.plan,
            version=found.version,
            billing_interval=interval,
            unit_amount_cents=found.amounts[interval],
            livemode=livemode,
            created_at=world.clock.now(),
        )
        await session.execute(row.on_conflict_do_nothing())
    ids = {
        "stripe_product_id": found.product_id,
        "stripe_monthly_price_id": found.price_ids.get("month"),
        "stripe_annual_price_id": found.price_ids.get("year"),
    }
    sold = select(PlanLimits.plan).where(PlanLimits.plan == found.plan, PlanLimits.version == found.version)
    await session.execute(update(PlanBilling).where(PlanBilling.plan.in_(sold)).values(ids))


Found = TypeVar("Found", _Product, _Price)
Call = Callable[..., Awaitable[stripe.StripeObject]]


async def _create(
    gateway: StripeBilling, create: Call, params: Mapping[str, Any], kind: type[Found], replaced: str | None
) -> Found:
    """Made once for the same parameters; anew where `replaced`, the one we knew, is gone."""
    intent = f"{kind.__name__} {msgspec.json.encode(params, order='sorted').decode()} {replaced}"
    key = f"catalogue:{hashlib.sha256(intent.encode()).hexdigest()}"
    return await gateway.ask(create({**params}, {"idempotency_key": key}), kind)


async def _pages(gateway: StripeBilling, ask: Call, params: Mapping[str, Any], kind: type[Found]) -> list[Found]:
    """Every object of a list that is of the key's own mode."""
    found: list[Found] = []
    more, after = True, {}
    while more:
        page = await gateway.ask(ask({**params, "limit": _PAGE, **after}), _Page)
        found += [msgspec.convert(each, kind, strict=False) for each in page.data]
        more, after = page.has_more, {"starting_after": found[-1].id} if found else {}
    return [each for each in found if each.livemode == gateway.livemode]
