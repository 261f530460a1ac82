"""A whole payment in one step, for invoices and the hosted pages."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from payflux.sandbox.payments import intents
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work


class PaymentResult(NamedTuple):
    """What became of a payment: the payment intent, its charge where one was tried, and Stripe's error object (with
    `code`, `decline_code` and `message`) where it failed."""

    status: Literal["succeeded", "requires_action", "requires_payment_method", "requires_capture", "failed"]
    intent: Json
    charge: Json | None = None
    error: Json | None = None


def pay(
    work: Work,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    payment_method: str | None,
    off_session: bool = False,
    return_url: str | None = None,
    then: str = "",
    **values: Any,
) -> PaymentResult:
    """Create a payment intent and confirm it; `values` are further fields of it, such as `description`, `metadata` or
    `setup_future_usage`.

    Without a payment method it waits for one. `then` names a task of the clock that runs on the intent's id whenever a
    later confirmation or authentication of it has succeeded or failed. Raises StripeError for what cannot be tried at
    all: an amount below the least, an unknown payment method, one of another customer.
    """
    intent = intents.create_intent(
        work, amount=amount, currency=currency, customer=customer, payment_method=payment_method, **values
    )
    result = PaymentResult("requires_payment_method", intent)
    if payment_method is not None:
        result = confirmed(intent, intents.confirm(work, intent, off_session=off_session, return_url=return_url))
    if then:
        intents.follow(work, intent, then)
    return result


def confirmed(intent: Json, charge: Json | None) -> PaymentResult:
    """What a confirmation has come to."""
    status = intent["status"]
    if status == "requires_payment_method":
        return PaymentResult("failed", intent, charge, intent["last_payment_error"])
    return PaymentResult(status, intent, charge)
