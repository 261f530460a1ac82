"""Products, prices, coupons and promotion codes, through Stripe's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]


def test_a_product_with_its_default_price(client: Client) -> None:
    v1 = client().v1
    data = {"currency": "USD", "unit_amount": 49_900, "recurring": {"interval": "month"}}
    product = v1.products.create(params={"name": "Pro", "metadata": {"plan": "pro"}, "default_price_data": data})

    price = v1.prices.retrieve(product.default_price, params={"expand": ["product"]})
    assert_complete(product, stripe.Product)
    assert_complete(v1.prices.retrieve(price.id), stripe.Price)
    assert (price.unit_amount, str(price.unit_amount_decimal), price.currency, price.type) == (
        49_900,
        "49900",
        "usd",
        "recurring",
    )
    assert (price.recurring.interval, price.recurring.interval_count) == ("month", 1)
    assert price.product.to_dict() == product.to_dict()
    with pytest.raises(stripe.InvalidRequestError, match="cannot be deleted"):
        v1.products.delete(product.id)

    changed = v1.products.update(product.id, params={"metadata": {"plan": "", "seats": "5"}, "description": "All"})
    assert (changed.metadata.to_dict(), changed.description) == ({"seats": "5"}, "All")
    assert v1.products.list(params={"ids": [product.id], "active": True}).data[0].id == product.id
    bare = v1.products.create(params={"name": "Bare", "id": "prod_bare"})
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        v1.products.create(params={"name": "Bare", "id": "prod_bare"})
    assert v1.products.delete(bare.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such product: 'prod_bare'"):
        v1.products.retrieve("prod_bare")


def test_a_lookup_key_belongs_to_one_price_and_moves_when_asked(client: Client) -> None:
    v1 = client().v1
    asked = {"currency": "usd", "unit_amount": 100, "product_data": {"name": "Keyed"}, "lookup_key": "starter"}
    first = v1.prices.create(params=asked)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key") as refused:
        v1.prices.create(params=asked)
    assert refused.value.param == "lookup_key"

    second = v1.prices.create(params=asked | {"transfer_lookup_key": True})

    assert [price.id for price in v1.prices.list(params={"lookup_keys": ["starter", "none"]}).data] == [second.id]
    assert v1.prices.retrieve(first.id).lookup_key is None
    assert v1.prices.update(first.id, params={"lookup_key": "starter", "transfer_lookup_key": True}).lookup_key
    assert v1.prices.retrieve(second.id).lookup_key is None


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"product": "prod_none"}, "product"),
        ({}, "product"),
        ({"product_data": {"name": "X"}, "unit_amount": -1}, "unit_amount"),
        ({"product_data": {"name": "X"}, "recurring": {"interval": "year", "interval_count": 4}}, "recurring"),
        ({"product_data": {"name": "X"}, "billing_scheme": "tiered"}, "billing_scheme"),
        ({"product_data": {"name": "X"}, "unit_amount_decimal": "1.5"}, "unit_amount_decimal"),
    ],
)
def test_a_wrong_price_is_refused_by_the_name_of_what_is_wrong(
    client: Client, wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client().v1.prices.create(params={"currency": "usd", "unit_amount": 100} | wrong)
    assert str(refused.value.param).startswith(param)


def test_half_cents_are_kept_exactly(client: Client) -> None:
    asked: Any = {"currency": "usd", "unit_amount_decimal": "0.5", "product_data": {"name": "Call"}}
    price = client().v1.prices.create(params=asked)
    assert (price.unit_amount, str(price.unit_amount_decimal)) == (None, "0.5")


def test_coupons_and_promotion_codes_end(client: Client, state: SandboxState) -> None:
    v1 = client().v1
    now = int(state.now().timestamp())
    coupon = v1.coupons.create(params={"percent_off": 25, "duration": "repeating", "duration_in_months": 3})
    code = v1.promotion_codes.create(
        params={"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "AUTUMN", "expires_at": now + 3600}
    )

    assert_complete(coupon, stripe.Coupon)
    assert_complete(code, stripe.PromotionCode)
    assert (coupon.valid, coupon.times_redeemed, code.active) == (True, 0, True)
    assert v1.promotion_codes.list(params={"code": "AUTUMN", "active": True}).data[0].promotion.coupon == coupon.id
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        v1.promotion_codes.create(params={"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "autumn"})
    assert not v1.promotion_codes.update(code.id, params={"active": False}).active
    assert v1.coupons.delete(coupon.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        v1.coupons.retrieve(coupon.id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "percent_off"),
        ({"percent_off": 10, "amount_off": 10}, "only specify one"),
        ({"percent_off": 101}, "at most 100"),
        ({"amount_off": 10}, "currency"),
        ({"percent_off": 10, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 10, "redeem_by": 1}, "past"),
    ],
)
def test_a_wrong_coupon_is_refused(client: Client, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        client().v1.coupons.create(params=wrong)
