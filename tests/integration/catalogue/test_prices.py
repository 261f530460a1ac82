"""What is sold, as products and prices at Stripe: found or made once, kept by version, and never of the other mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import asyncpg
import httpx
import msgspec
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from payflux.frontdoor.catalogue.content import PlanContent, entry_content
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import StripePrice
from payflux.frontdoor.catalogue.prices import Interval, plan_of_price, price_of, sync_prices
from payflux.frontdoor.catalogue.publishing import publish
from payflux.frontdoor.catalogue.queries import sold_plan
from payflux.settings import SANDBOX_SECRET_KEY
from payflux.world.bootstrap import World
from payflux.world.stripe import ProcessorUnavailable
from payflux.world.stripe.billing import StripeBilling
from tests.conftest import with_settings
from tests.sandbox_server import running_sandbox

PRO = entry_content(read_catalogue(), "pro")
PRICED = {
    ("starter", "month"): 14_900,
    ("starter", "year"): 149_000,
    ("pro", "month"): 49_900,
    ("pro", "year"): 499_000,
}


@pytest.fixture
def sandbox_url() -> Iterator[str]:
    """One that sells nothing yet."""
    with running_sandbox() as url:
        yield url


@pytest.fixture
async def selling(world: World, sandbox_url: str) -> AsyncIterator[World]:
    async with httpx.AsyncClient() as http:
        yield replace(with_settings(world, stripe_api_base=sandbox_url), http=http)


def gateway(world: World) -> StripeBilling:
    return StripeBilling(world.settings, world.http)


async def publish_pro(world: World, **changes: object) -> PlanContent:
    content = msgspec.structs.replace(PRO, **changes)
    async with world.database.system() as session:
        await publish(session, plan="pro", content=content, source="staff", now=world.clock.now(), published_by="Sam")
    return content


async def stored(world: World) -> dict[str, StripePrice]:
    async with world.database.system() as session:
        return {price.id: price for price in (await session.execute(select(StripePrice))).scalars()}


async def sold_at(world: World, version: int, interval: Interval = "month", *, livemode: bool = False) -> str | None:
    async with world.database.system() as session:
        found = await price_of(session, plan="pro", version=version, interval=interval, livemode=livemode)
    return found.id if found else None


async def at_stripe(world: World, kind: str) -> list[dict]:
    answer = await world.http.get(
        f"{world.settings.stripe_api_base}/v1/{kind}?limit=100", auth=(SANDBOX_SECRET_KEY, "")
    )
    return answer.json()["data"]


async def test_every_price_of_the_catalogue_is_made_once_and_syncing_again_makes_nothing(selling: World) -> None:
    first = await sync_prices(selling, gateway(selling))
    assert {each.plan: len(each.created) for each in first} == {"starter": 3, "pro": 3}
    again = await sync_prices(selling, gateway(selling))
    assert [each.created for each in again] == [[], []]
    assert [each.price_ids for each in again] == [each.price_ids for each in first]
    prices = await stored(selling)
    assert {(each.plan, each.billing_interval): each.unit_amount_cents for each in prices.values()} == PRICED
    remote = {price["id"]: price for price in await at_stripe(selling, "prices")}
    assert remote.keys() == prices.keys()
    assert {price["lookup_key"] for price in remote.values()} == {
        f"payflux_{plan}_v1_{interval}" for plan, interval in PRICED
    }
    assert {product["name"] for product in await at_stripe(selling, "products")} == {"PayFlux Starter", "PayFlux Pro"}
    async with selling.database.system() as session:
        sold = await sold_plan(session, "pro")
        assert sold.stripe_product_id == first[1].product_id
        assert sold.stripe_annual_price_id == first[1].price_ids["year"]
        found = await plan_of_price(session, first[1].price_ids["year"])
        assert found is not None
        assert (found.plan, found.version, found.billing_interval) == ("pro", 1, "year")
        assert await plan_of_price(session, "price_of_somebody_else") is None


async def test_a_new_version_has_prices_of_its_own_and_those_of_older_versions_stay(selling: World) -> None:
    await sync_prices(selling, gateway(selling))
    old = await sold_at(selling, 1)
    await publish_pro(selling, monthly_price_cents=59_900, annual_price_cents=None, display_name="Pro+")
    assert await sold_at(selling, 2) is None, "before it is synced it cannot be bought"
    (_, pro) = await sync_prices(selling, gateway(selling))
    assert pro.price_ids.keys() == {"month"}
    assert await sold_at(selling, 1) == old
    assert await sold_at(selling, 2) == pro.price_ids["month"] != old
    assert await sold_at(selling, 2, "year") is None
    assert "PayFlux Pro+" in {product["name"] for product in await at_stripe(selling, "products")}
    assert all(price["active"] for price in await at_stripe(selling, "prices"))


async def test_another_database_finds_what_is_there_already(selling: World, owner_url: str) -> None:
    first = await sync_prices(selling, gateway(selling))
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        "TRUNCATE stripe_prices; UPDATE plan_billing "
        "SET stripe_product_id = NULL, stripe_monthly_price_id = NULL, stripe_annual_price_id = NULL"
    )
    await owner.close()
    assert await sync_prices(selling, gateway(selling)) == [replace(each, created=[]) for each in first]


async def test_ids_that_the_key_does_not_know_are_replaced(selling: World) -> None:
    await sync_prices(selling, gateway(selling))
    before = await sold_at(selling, 1)
    with running_sandbox() as other_url:
        other = with_settings(selling, stripe_api_base=other_url)
        (_, pro) = await sync_prices(other, gateway(other))
        assert len(pro.created) == 3
        assert await sold_at(selling, 1) == pro.price_ids["month"] != before
    (_, back) = await sync_prices(selling, gateway(selling))
    assert back.created == []
    assert await sold_at(selling, 1) == before


async def test_what_was_archived_at_stripe_is_made_anew(selling: World) -> None:
    (_, pro) = await sync_prices(selling, gateway(selling))
    for gone in (f"prices/{pro.price_ids['month']}", f"products/{pro.product_id}"):
        await selling.http.post(
            f"{selling.settings.stripe_api_base}/v1/{gone}", data={"active": "false"}, auth=(SANDBOX_SECRET_KEY, "")
        )
    (_, renewed) = await sync_prices(selling, gateway(selling))
    assert len(renewed.created) == 3
    assert renewed.product_id != pro.product_id
    assert (await sync_prices(selling, gateway(selling)))[1].created == []


async def test_prices_of_test_mode_are_never_taken_for_live_ones(selling: World) -> None:
    await sync_prices(selling, gateway(selling))
    assert await sold_at(selling, 1) is not None
    assert await sold_at(selling, 1, livemode=True) is None
    live = with_settings(selling, stripe_secret_key=SecretStr("sk_live_anything"))
    assert gateway(live).livemode


async def test_when_stripe_does_not_answer_nothing_is_stored(selling: World) -> None:
    down = with_settings(selling, stripe_api_base="http://127.0.0.1:9")
    with pytest.raises(ProcessorUnavailable):
        await sync_prices(down, StripeBilling(down.settings, down.http, sleep=_at_once))
    assert await stored(selling) == {}


async def _at_once(_seconds: float) -> None:
    pass
