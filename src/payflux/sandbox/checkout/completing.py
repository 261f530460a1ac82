"""From a card on the hosted page to a completed session, in Stripe's order of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import stripe

from payflux.sandbox.billing.subscribing import subscribe
from payflux.sandbox.checkout.orders import order_of, order_with_intent
from payflux.sandbox.checkout.rules import trial_end_of
from payflux.sandbox.checkout.sessions import coupon_of, find_session
from payflux.sandbox.payments import intents, methods, setups
from payflux.sandbox.payments.customers import new_customer
from payflux.sandbox.payments.discounts import redeem
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


class Step(NamedTuple):
    """Where a payment on the page goes on: an address to send the person to, or why it was refused."""

    url: str = ""
    refused: str = ""


def submit(work: Work, session: Json, *, billing: Json, card: Mapping[str, Any] | None, page: str) -> Step:
    """Pay an open session with a card; None where it collects none. `billing` is the payer's `email`, `name` and, where
    it was asked for, `address`; `page` is the session's own address.

    Raises StripeError for a card that cannot be right; then nothing is written.
    """
    order = order_of(work, session["id"])
    method = methods.from_card(work, card, billing) if card is not None else None
    work.change(
        order, {"customer": _customer(work, session, order, billing), "payment_method": method and method["id"]}
    )
    work.change(session, {"customer_details": _details(session, billing)})
    if method is None:
        return _complete(work, session, order)
    return _pay(work, session, order, method, f"{page}/return")


def _customer(work: Work, session: Json, order: Json, billing: Json) -> str | None:
    """The customer who pays; one is made where the session needs one and was given none."""
    known = session["customer"] or order["customer"]
    if known or session["mode"] == "setup" or session["customer_creation"] != "always":
        return known
    customer = new_customer(work, billing)
    return work.create(customer, "customer.created")["id"]


def _details(session: Json, billing: Json) -> Json:
    known = session["customer_details"] or {"tax_exempt": "none"}
    return complete(stripe.checkout.Session.CustomerDetails, {"tax_ids": [], **known, **billing})


def _pay(work: Work, session: Json, order: Json, method: Json, back: str) -> Step:
    if session["amount_total"]:
        intent = _payment(work, session, order, method)
        intents.confirm(work, intent, return_url=back)
        error = intent["last_payment_error"]
    else:
        intent = _setup(work, order, method)
        setups.confirm(work, intent, return_url=back)
        error = intent["last_setup_error"]
    if intent["status"] == "requires_action":
        return Step(url=intent["next_action"]["redirect_to_url"]["url"])
    if intent["status"] == "requires_payment_method":
        return Step(refused=error["message"])
    return _complete(work, session, order)


def _payment(work: Work, session: Json, order: Json, method: Json) -> Json:
    """The payment intent of the session, made at the first attempt and tried again with each card."""
    intent = _tried(work, order, "payment_intent")
    if intent is not None:
        changes = {"payment_method": method["id"], "amount": session["amount_total"], "status": "requires_confirmation"}
        return work.change(intent, changes)
    data = order["payment_intent_data"]
    if session["mode"] == "subscription":
        data = {"description": "Subscription creation", "setup_future_usage": "off_session"}
    intent = intents.create_intent(
        work,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=order["customer"],
        payment_method=method["id"],
        **data,
    )
    work.change(order, {"intent": intent["id"]})
    return intent


def _setup(work: Work, order: Json, method: Json) -> Json:
    """As :func:`_payment`, where nothing is due today."""
    setup = _tried(work, order, "setup_intent")
    if setup is not None:
        return work.change(setup, {"payment_method": method["id"], "status": "requires_confirmation"})
    setup = setups.create_setup(work, customer=order["customer"], payment_method=method["id"])
    work.change(order, {"intent": setup["id"]})
    return setup


def _tried(work: Work, order: Json, kind: str) -> Json | None:
    """The intent of an earlier attempt; a discount may have changed since then which kind it takes."""
    return work.get(kind, order["intent"]) if order["intent"] else None


def go_on(work: Work, intent: Json) -> Json | None:
    """Complete the session that a succeeded payment or setup is for; that session, None where there is none."""
    order = order_with_intent(work, intent["id"])
    if order is None:
        return None
    session = find_session(work, order["session"])
    if session["status"] == "open" and intent["status"] in ("succeeded", "requires_capture"):
        _complete(work, session, order)
    return session


def _complete(work: Work, session: Json, order: Json) -> Step:
    """What the session was for has been paid, or costs nothing today."""
    changes: Json = {"status": "complete", "url": None, "customer": order["customer"]}
    due = session["amount_total"]
    if session["mode"] == "payment":
        changes |= {"payment_intent": order["intent"], "payment_status": "paid" if due else "no_payment_required"}
        if (coupon := coupon_of(work, order)) is not None:
            code = work.get("promotion_code", order["promotion_code"]) if order["promotion_code"] else None
            redeem(work, coupon, code)
    elif session["mode"] == "subscription":
        subscription = _subscribe(work, session, order, paid=bool(due))
        changes |= {
            "subscription": subscription["id"],
            "invoice": subscription["latest_invoice"],
            "payment_status": "paid" if due else "no_payment_required",
        }
    if order["customer_update"]:
        details, update = session["customer_details"], order["customer_update"]
        found = {name: details[name] for name in ("name", "address") if details[name] and update.get(name) == "auto"}
        work.change(work.require("customer", session["customer"]), found, "customer.updated")
    work.never("checkout_expires", session["id"])
    work.change(session, changes, "checkout.session.completed")
    return Step(url=success_url(session))


def _subscribe(work: Work, session: Json, order: Json, *, paid: bool) -> Json:
    data = order["subscription_data"]
    discounts = [{"promotion_code": order["promotion_code"]}] if order["promotion_code"] else []
    if order["coupon"] and not discounts:
        discounts = [{"coupon": order["coupon"]}]
    more = {name: data[name] for name in ("description", "trial_settings") if name in data}
    return subscribe(
        work,
        customer=order["customer"],
        items=[{"price": line["price"]["id"], "quantity": line["quantity"]} for line in order["lines"]],
        trial_end=trial_end_of(data, work.now),
        default_payment_method=order["payment_method"],
        metadata=data.get("metadata", {}),
        discounts=discounts,
        paid_by=work.require("payment_intent", order["intent"]) if paid else None,
        **more,
    )


def success_url(session: Json) -> str:
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
