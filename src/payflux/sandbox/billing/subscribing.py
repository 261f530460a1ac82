"""How a subscription begins: by a call, or by Checkout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import stripe

from payflux.sandbox.billing.discounts import redeem_discounts, remaining
from payflux.sandbox.billing.invoices import make_invoice
from payflux.sandbox.billing.items import amount_of, during, items_list, make_items, recurrence_of
from payflux.sandbox.billing.lines import period_lines, trial_lines
from payflux.sandbox.billing.paying import attempt, finalize, no_method
from payflux.sandbox.billing.rules import DAY, INCOMPLETE_TIME, LONGEST_TRIAL, TRIAL_NOTICE, full_period
from payflux.sandbox.billing.subscriptions import EXPIRE, payment_method_of, schedule
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments.customers import require_customer
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import merged
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id


class Begun(NamedTuple):
    """A subscription as it has begun, its first invoice, and why paying that failed or waits, if it does."""

    subscription: Json
    invoice: Json
    refusal: StripeError | None = None


def subscribe(
    work: Work,
    *,
    customer: str,
    items: Sequence[Json],
    trial_end: int | None = None,
    default_payment_method: str | None = None,
    metadata: Mapping[str, str] | None = None,
    discounts: Sequence[Json] | str = (),
    paid_by: Json | None = None,
    **more: Any,
) -> Json:
    """The subscription that a completed Checkout begins.

    `items` and `discounts` are as in the parameters of `POST /v1/subscriptions`, `trial_end` is unix seconds, `more`
    as in :func:`draft`. `paid_by` is the succeeded payment intent of the first amount;
    without it the first invoice is paid with `default_payment_method`. Raises StripeError; 402 where the payment fails.
    """
    begun = begin(
        work,
        customer=customer,
        items=items,
        trial_end=trial_end,
        default_payment_method=default_payment_method,
        metadata=metadata,
        discounts=discounts,
        paid_by=paid_by,
        **more,
    )
    if begun.refusal is not None:
        raise begun.refusal
    return begun.subscription


def begin(
    work: Work,
    *,
    default_payment_method: str | None = None,
    payment_behavior: str = "allow_incomplete",
    off_session: bool = False,
    paid_by: Json | None = None,
    **terms: Any,
) -> Begun:
    """A new subscription on the terms of :func:`draft`; its first invoice is opened and, where the behaviour says so,
    paid. Raises StripeError for what cannot begin."""
    subscription, invoice = draft(work, default_payment_method=default_payment_method, **terms)
    start, trial_end = subscription["created"], subscription["trial_end"]
    if not trial_end and (paid_by is not None or invoice["amount_due"] == 0):
        subscription["status"] = "active"
    elif not trial_end and payment_behavior != "default_incomplete" and not payment_method_of(work, subscription):
        raise no_method()
    work.create(subscription, "customer.subscription.created")
    if trial_end and trial_end - start <= TRIAL_NOTICE:
        work.tell("customer.subscription.trial_will_end", subscription)
    work.create(invoice, "invoice.created")
    finalize(work, invoice, paid_by=paid_by)
    subscription = work.require("subscription", subscription["id"])
    left = remaining(work, subscription["discounts"], invoice["subtotal"])
    work.change(subscription, {"discounts": left}, "customer.subscription.updated")
    refusal = None
    if subscription["status"] == "incomplete":
        work.later(start + INCOMPLETE_TIME, EXPIRE, subscription["id"])
        if payment_behavior != "default_incomplete":
            refusal = attempt(work, invoice, off_session=off_session)
            subscription = work.require("subscription", subscription["id"])
    schedule(work, subscription)
    return Begun(subscription, invoice, refusal)


def draft(
    work: Work,
    *,
    customer: str,
    items: Sequence[Json],
    trial_end: int | None = None,
    billing_cycle_anchor: int | None = None,
    proration_behavior: str = "create_prorations",
    metadata: Mapping[str, str] | None = None,
    discounts: Sequence[Json] | str = (),
    prefix: str = "in",
    **values: Any,
) -> tuple[Json, Json]:
    """A subscription that begins now and its first invoice, both not stored yet.

    `trial_end` and `billing_cycle_anchor` are unix seconds; `values` are further fields of the subscription; `prefix`
    is what the invoice's id begins with. Coupons are redeemed. Raises StripeError.
    """
    require_customer(work, customer)
    subscription_id = new_id("sub")
    made = make_items(work, subscription_id, items)
    start, every, currency = work.now, recurrence_of(made[0]), made[0]["price"]["currency"]
    anchor = _anchor(start, trial_end, billing_cycle_anchor)
    whole = full_period(anchor, every, start)
    if trial_end is None and not start <= anchor <= whole[1]:
        raise StripeError(
            400,
            "billing_cycle_anchor cannot be later than next natural billing date for plan.",
            param="billing_cycle_anchor",
        )
    period = (start, trial_end or whole[1])
    redeemed = redeem_discounts(
        work,
        discounts,
        subscription=subscription_id,
        customer=customer,
        amount=sum(amount_of(item) for item in made),
        currency=currency,
    )
    subscription = complete(
        stripe.Subscription,
        {
            "automatic_tax": {"enabled": False},
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
            "cancellation_details": {},
            "invoice_settings": {"issuer": {"type": "self"}},
            "payment_settings": {"save_default_payment_method": "off"},
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            **values,
            "id": subscription_id,
            "billing_cycle_anchor": anchor,
            "cancel_at_period_end": False,
            "collection_method": "charge_automatically",
            "created": start,
            "currency": currency,
            "customer": customer,
            "discounts": redeemed,
            "items": items_list(subscription_id, during(made, period)),
            "livemode": False,
            "metadata": merged({}, metadata or {}),
            "start_date": start,
            "status": "trialing" if trial_end else "incomplete",
            "trial_end": trial_end,
            "trial_start": start if trial_end else None,
        },
    )
    free = proration_behavior == "none" and period != whole
    billed = [] if free else made
    lines = trial_lines(work, made, period) if trial_end else period_lines(work, billed, period, whole)
    invoice = make_invoice(work, subscription, lines, reason="subscription_create", prefix=prefix)
    subscription["latest_invoice"] = invoice["id"]
    return subscription, invoice


def _anchor(start: int, trial_end: int | None, asked: int | None) -> int:
    if asked is not None:
        if asked <= start:
            raise StripeError(400, "billing_cycle_anchor must be in the future.", param="billing_cycle_anchor")
        return asked
    return trial_end or start


def check_trial_end(now: int, trial_end: int) -> int:
    """`trial_end`, where it lies ahead and not too far. Raises StripeError 400."""
    if trial_end <= now:
        raise StripeError(400, "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    if trial_end > now + LONGEST_TRIAL * DAY:
        raise StripeError(400, "Invalid trial_end: a trial can be two years long at most.", param="trial_end")
    return trial_end
