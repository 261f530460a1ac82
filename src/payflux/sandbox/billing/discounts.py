"""The discounts of a subscription: kept as objects of their own, by their ids on the subscription and its invoices."""

from __future__ import annotations

from collections.abc import Sequence

from payflux.sandbox.billing.rules import Recurrence, Reduction, boundary, reductions
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.payments.discounts import discount_of, redeem, require_coupon, require_promotion_code
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

MOST = 20
_TERMS = "_discount_terms"


def redeem_discounts(
    work: Work, asked: Sequence[Json] | str, *, subscription: str, customer: str, amount: int, currency: str
) -> list[str]:
    """The ids of the discounts that `asked` names by coupon, promotion code or an earlier discount's id; each coupon
    is redeemed. `amount` is what they take from. Raises StripeError."""
    found: list[str] = []
    if isinstance(asked, str):
        return found
    if len(asked) > MOST:
        raise StripeError(400, f"A subscription may have up to {MOST} discounts.", param="discounts")
    for n, one in enumerate(asked):
        if "discount" in one:
            found.append(work.require("discount", one["discount"], f"discounts[{n}][discount]")["id"])
            continue
        code = None
        if "promotion_code" in one:
            code = work.require("promotion_code", one["promotion_code"], f"discounts[{n}][promotion_code]")
            coupon = require_promotion_code(work, code, customer, amount, currency)
        elif "coupon" in one:
            coupon = require_coupon(work, one["coupon"], f"discounts[{n}][coupon]", currency)
        else:
            raise StripeError(
                400, "A discount names a coupon, a promotion_code or a discount.", param=f"discounts[{n}]"
            )
        discount = discount_of(work, coupon, code, customer=customer, subscription=subscription)
        if coupon["duration"] == "repeating":
            discount["end"] = boundary(work.now, Recurrence("month", coupon["duration_in_months"]), 1)
        work.create(discount)
        terms = {"duration": coupon["duration"], "percent": coupon["percent_off"], "amount": coupon["amount_off"]}
        work.store.put(work.account_id, {"id": f"{_TERMS}/{discount['id']}", "object": _TERMS, **terms})
        redeem(work, coupon, code)
        found.append(discount["id"])
    return found


def take_off(work: Work, discount_ids: Sequence[str], lines: Sequence[Json]) -> None:
    """Write into an invoice's `lines` what each discount that is in force takes off, one after the other."""
    left = [line["amount"] if line["discountable"] else 0 for line in lines]
    for discount_id in in_force(work, discount_ids):
        terms = _terms(work, discount_id)
        parts = reductions(left, Reduction(terms["percent"], terms["amount"]))
        left = [amount - part for amount, part in zip(left, parts, strict=True)]
        for line, part in zip(lines, parts, strict=True):
            if line["discountable"]:
                line["discount_amounts"] = [*line["discount_amounts"], {"amount": part, "discount": discount_id}]


def in_force(work: Work, discount_ids: Sequence[str]) -> list[str]:
    """The discounts that have not ended."""
    ends = {discount_id: work.require("discount", discount_id)["end"] for discount_id in discount_ids}
    return [discount_id for discount_id in discount_ids if ends[discount_id] is None or ends[discount_id] > work.now]


def remaining(work: Work, discount_ids: Sequence[str], billed: int) -> list[str]:
    """The discounts that stay after an invoice of `billed` before discounts: one that is good for once is used up by
    the first that bills anything."""
    return [
        discount_id
        for discount_id in in_force(work, discount_ids)
        if not (billed > 0 and _terms(work, discount_id)["duration"] == "once")
    ]


def _terms(work: Work, discount_id: str) -> Json:
    """What the coupon behind a discount took off when it was redeemed; the coupon itself may be gone."""
    found = work.store.get(work.account_id, f"{_TERMS}/{discount_id}")
    if found is None:
        raise no_such("discount", discount_id)
    return found
