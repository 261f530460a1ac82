"""Coupons and promotion codes: what may be redeemed, and what it takes off."""

from __future__ import annotations

import stripe

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id


def amount_off(coupon: Json, amount: int) -> int:
    """What `coupon` takes off `amount`, minor units: at most all of it, a percentage rounded half up."""
    if coupon["percent_off"] is not None:
        return min(amount, int(amount * coupon["percent_off"] / 100 + 0.5))
    return min(amount, coupon["amount_off"])


def require_coupon(work: Work, coupon_id: str, param: str, currency: str) -> Json:
    """A coupon that can be redeemed now, in `currency`. Raises StripeError."""
    coupon = work.require("coupon", coupon_id, param)
    if not redeemable(coupon, work.now):
        raise StripeError(400, f"Coupon {coupon_id} is expired or has been redeemed too often.", param=param)
    if coupon["currency"] not in (None, currency):
        raise StripeError(
            400,
            f"The coupon {coupon_id} takes an amount off in {coupon['currency']}, and this is in {currency}.",
            param=param,
        )
    return coupon


def require_promotion_code(work: Work, code: Json | None, customer: str | None, amount: int, currency: str) -> Json:
    """The coupon of a promotion code that `customer` can use now on `amount`. Raises StripeError with the reason."""
    if code is None or not code["active"]:
        raise StripeError(400, "This code is invalid.", code="promotion_code_invalid", param="promotion_code")
    if code["customer"] not in (None, customer):
        raise StripeError(400, "This code is for another customer.", param="promotion_code")
    rules = code["restrictions"]
    if rules["first_time_transaction"] and customer and work.find("charge", {"customer": customer, "paid": 1}, limit=1):
        raise StripeError(400, "This code is for a first purchase only.", param="promotion_code")
    least, in_currency = rules["minimum_amount"], rules["minimum_amount_currency"]
    if least is not None and (in_currency != currency or amount < least):
        raise StripeError(400, f"This code needs an order of at least {least} {in_currency}.", param="promotion_code")
    return require_coupon(work, code["promotion"]["coupon"], "promotion_code", currency)


def redeemable(coupon: Json, now: int) -> bool:
    used_up = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    return not used_up and (coupon["redeem_by"] is None or coupon["redeem_by"] > now)


def redeem(work: Work, coupon: Json, promotion_code: Json | None = None) -> None:
    """Count one redemption; a coupon or code that is used up can be redeemed no more."""
    times = coupon["times_redeemed"] + 1
    valid = redeemable(coupon | {"times_redeemed": times}, work.now)
    work.change(coupon, {"times_redeemed": times, "valid": valid}, "coupon.updated")
    if promotion_code is not None:
        times = promotion_code["times_redeemed"] + 1
        last = promotion_code["max_redemptions"]
        active = valid and promotion_code["active"] and (last is None or times < last)
        work.change(promotion_code, {"times_redeemed": times, "active": active}, "promotion_code.updated")


def discount_of(work: Work, coupon: Json, promotion_code: Json | None, **on: str | None) -> Json:
    """A discount object, kept inside what it is on: `customer`, `checkout_session`, `subscription` or `invoice`."""
    return complete(
        stripe.Discount,
        {
            "id": new_id("di"),
            "promotion_code": promotion_code["id"] if promotion_code else None,
            "source": {"coupon": coupon["id"], "type": "coupon"},
            "start": work.now,
            **on,
        },
    )


def coupon_over(work: Work, coupon_id: str) -> None:
    """The last moment to redeem a coupon has passed."""
    if (coupon := work.get("coupon", coupon_id)) is not None:
        work.change(coupon, {"valid": False}, "coupon.updated")


def promotion_code_over(work: Work, code_id: str) -> None:
    if (code := work.get("promotion_code", code_id)) is not None:
        work.change(code, {"active": False}, "promotion_code.updated")
