"""Coupons, and the promotion codes that customers enter for them."""

from __future__ import annotations

import secrets

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.expansion import Includes
from payflux.sandbox.listing import list_page
from payflux.sandbox.payments.discounts import coupon_over, promotion_code_over, redeemable
from payflux.sandbox.query import query_of
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import missing, not_carried_out, positive, require_one, rewritten, written
from payflux.sandbox.store import Json
from payflux.sandbox.work import new_id

COUPONS, CODES = "/v1/coupons", "/v1/promotion_codes"
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def _create_coupon(call: Call) -> Json:
    given = call.params
    require_one(given, "percent_off", "amount_off")
    not_carried_out(given, "applies_to", "currency_options")
    positive(given, "amount_off")
    positive(given, "max_redemptions")
    if "percent_off" not in given and "amount_off" not in given:
        raise missing("percent_off")
    if "percent_off" in given and not 0 < given["percent_off"] <= 100:
        raise StripeError(400, "percent_off is more than 0 and at most 100.", param="percent_off")
    if "amount_off" in given and "currency" not in given:
        raise missing("currency")
    if (given.get("duration") == "repeating") != ("duration_in_months" in given):
        raise StripeError(
            400, "duration_in_months is for a duration of repeating, which needs it.", param="duration_in_months"
        )
    if given.get("redeem_by", call.now + 1) <= call.now:
        raise StripeError(400, "redeem_by lies in the past.", param="redeem_by")
    coupon_id = given.get("id") or "".join(secrets.choice(_ALPHABET) for _ in range(8))
    if call.work.find_any(coupon_id) is not None:
        raise StripeError(400, "Coupon already exists.", code="resource_already_exists", param="id")
    values: Json = {"duration": "once", "metadata": {}} | written(stripe.Coupon, given, ("id",))
    if values.get("currency"):
        values["currency"] = values["currency"].lower()
    fixed = {"id": coupon_id, "created": call.now, "livemode": False, "times_redeemed": 0, "valid": True}
    coupon = call.work.create(complete(stripe.Coupon, values | fixed), "coupon.created")
    if coupon["redeem_by"] is not None:
        call.work.later(coupon["redeem_by"], "coupon_over", coupon_id)
    return coupon


def _update_coupon(call: Call) -> Json:
    coupon = call.work.require("coupon", call.id)
    not_carried_out(call.params, "currency_options")
    return call.work.change(coupon, rewritten(stripe.Coupon, coupon, call.params), "coupon.updated")


def _delete_coupon(call: Call) -> Json:
    return call.work.remove(call.work.require("coupon", call.id), "coupon.deleted")


def _create_code(call: Call) -> Json:
    given = call.params
    if "coupon" not in given["promotion"]:
        raise missing("promotion[coupon]")
    coupon = call.work.require("coupon", given["promotion"]["coupon"], "promotion[coupon]")
    if not redeemable(coupon, call.now):
        raise StripeError(400, f"Coupon {coupon['id']} cannot be redeemed any more.", param="promotion[coupon]")
    text = given.get("code") or "".join(secrets.choice(_ALPHABET) for _ in range(8))
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum() or len(text) > 500:
        raise StripeError(400, "A code has letters a-z, digits and dashes, up to 500.", param="code")
    for other in call.work.find("promotion_code", {"active": 1}):
        if other["code"].casefold() == text.casefold() and other["customer"] == given.get("customer"):
            raise StripeError(400, f"An active promotion code with `code: {text}` already exists.", param="code")
    if given.get("customer"):
        call.work.require("customer", given["customer"], "customer")
    positive(given, "max_redemptions")
    if given.get("expires_at", call.now + 1) <= call.now:
        raise StripeError(400, "expires_at lies in the past.", param="expires_at")
    values = {"active": True, "metadata": {}} | written(stripe.PromotionCode, given, ("code", "restrictions"))
    rules = {"first_time_transaction": False} | given.get("restrictions", {})
    not_carried_out(rules, "currency_options")
    fixed = {"id": new_id("promo"), "code": text, "created": call.now, "livemode": False, "times_redeemed": 0}
    code = complete(stripe.PromotionCode, values | fixed | {"restrictions": rules})
    call.work.create(code, "promotion_code.created")
    if code["expires_at"] is not None:
        call.work.later(code["expires_at"], "promotion_code_over", code["id"])
    return code


def _update_code(call: Call) -> Json:
    code = call.work.require("promotion_code", call.id)
    not_carried_out(call.params, "restrictions")
    changes = rewritten(stripe.PromotionCode, code, call.params)
    over = code["expires_at"] is not None and code["expires_at"] <= call.now
    if changes.get("active") and (over or not redeemable(call.work.require("coupon", _coupon_of(code)), call.now)):
        raise StripeError(400, "This code has expired or its coupon cannot be redeemed any more.", param="active")
    return call.work.change(code, changes, "promotion_code.updated")


def _coupon_of(code: Json) -> str:
    return code["promotion"]["coupon"]


def _list_codes(call: Call) -> Json:
    query = query_of(call.params)
    where = {"promotion.coupon" if name == "coupon" else name: value for name, value in query.filters.items()}
    return list_page(call.work, "promotion_code", CODES, query, where)


_READ, _WRITE = "rak_coupon_read", "rak_coupon_write"
_CODE_READ, _CODE_WRITE = "rak_promotion_code_read", "rak_promotion_code_write"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", COUPONS, _WRITE, stripe.Coupon, _create_coupon, params.CouponCreateParams),
    listing(COUPONS, _READ, stripe.Coupon, params.CouponListParams),
    retrieving(COUPONS, _READ, stripe.Coupon),
    Endpoint("POST", f"{COUPONS}/{{id}}", _WRITE, stripe.Coupon, _update_coupon, params.CouponUpdateParams),
    Endpoint("DELETE", f"{COUPONS}/{{id}}", _WRITE, stripe.Coupon, _delete_coupon),
    Endpoint("POST", CODES, _CODE_WRITE, stripe.PromotionCode, _create_code, params.PromotionCodeCreateParams),
    Endpoint("GET", CODES, _CODE_READ, stripe.PromotionCode, _list_codes, params.PromotionCodeListParams),
    retrieving(CODES, _CODE_READ, stripe.PromotionCode),
    Endpoint(
        "POST", f"{CODES}/{{id}}", _CODE_WRITE, stripe.PromotionCode, _update_code, params.PromotionCodeUpdateParams
    ),
)

INCLUDES: Includes = {
    ("coupon", "applies_to"): lambda _work, _coupon: None,
    ("coupon", "currency_options"): lambda _work, _coupon: {},
    ("price", "currency_options"): lambda _work, price: {
        price["currency"]: {
            "custom_unit_amount": None,
            "tax_behavior": price["tax_behavior"],
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": price["unit_amount_decimal"],
        }
    },
}

TASKS: Tasks = {"coupon_over": coupon_over, "promotion_code_over": promotion_code_over}
