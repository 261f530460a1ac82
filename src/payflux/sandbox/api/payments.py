"""Payment intents and the charges they make."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments import intents, methods
from payflux.sandbox.payments.customers import require_customer
from payflux.sandbox.payments.documents import require_document
from payflux.sandbox.payments.links import require_local_url
from payflux.sandbox.schema.writing import merged, not_carried_out, rewritten, written
from payflux.sandbox.store import Json

PATH = "/v1/payment_intents"
WRITE = "rak_payment_intent_write"
_CONFIRMING = ("confirm", "off_session", "return_url", "error_on_requires_action", "use_stripe_sdk", "mandate_data")
_NOT_CARRIED_OUT = (
    "application_fee_amount",
    "confirmation_token",
    "hooks",
    "mandate",
    "on_behalf_of",
    "payment_details",
    "payment_method_data",
    "radar_options",
    "transfer_data",
)
_HANDLED = (*_CONFIRMING, "amount", "currency", "payment_method", "automatic_payment_methods")


def method_given(call: Call) -> str | None:
    """The payment method that a call names; a test token makes one."""
    not_carried_out(call.params, *_NOT_CARRIED_OUT)
    chosen = call.params.get("payment_method")
    return methods.require(call.work, chosen)["id"] if chosen else None


def _create(call: Call) -> Json:
    given = call.params
    if given.get("customer"):
        require_customer(call.work, given["customer"])
    if not given.get("confirm"):
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in given:
                raise StripeError(
                    400,
                    f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless `confirm` is set "
                    "to true.",
                    param=name,
                )
    values = written(stripe.PaymentIntent, given, _HANDLED)
    intent = intents.create_intent(
        call.work,
        amount=given["amount"],
        currency=given["currency"].lower(),
        payment_method=method_given(call),
        **values,
    )
    return _confirmed(call, intent) if given.get("confirm") else intent


def _confirmed(call: Call, intent: Json) -> Json:
    given = call.params
    if given.get("return_url"):
        require_local_url(given["return_url"], "return_url")
    intents.confirm(
        call.work,
        intent,
        off_session=given.get("off_session") in (True, "one_off", "recurring", "true"),
        return_url=given.get("return_url"),
        refuse_action=given.get("error_on_requires_action", False),
    )
    call.refusal = intents.refusal(intent)
    return intent


def _own(call: Call) -> Json:
    return require_document(call.work, "payment_intent", call.id)


def _update(call: Call) -> Json:
    intent = _own(call)
    if intent["status"] not in intents.CONFIRMABLE:
        raise intents.unexpected_state(intent, "update")
    changes = rewritten(stripe.PaymentIntent, intent, call.params, ("payment_method",))
    if changes.get("customer"):
        require_customer(call.work, changes["customer"])
    intents.check_amount(changes.get("amount", intent["amount"]), changes.get("currency", intent["currency"]))
    method = method_given(call)
    if method is not None:
        found = methods.require(call.work, method)
        methods.require_usable(call.work, found, changes.get("customer", intent["customer"]))
        changes |= {"payment_method": method, "status": "requires_confirmation", "next_action": None}
    return call.work.change(intent, changes)


def _confirm(call: Call) -> Json:
    intent = _own(call)
    if intent["status"] not in intents.CONFIRMABLE:
        raise intents.unexpected_state(intent, "confirm")
    not_carried_out(call.params, "amount_to_confirm")
    changes = written(stripe.PaymentIntent, call.params, (*_HANDLED, "metadata"))
    method = method_given(call)
    if method is not None:
        changes["payment_method"] = method
    call.work.change(intent, changes)
    return _confirmed(call, intent)


def _capture(call: Call) -> Json:
    intent = _own(call)
    not_carried_out(call.params, "final_capture", *_NOT_CARRIED_OUT)
    if "metadata" in call.params:
        call.work.change(intent, {"metadata": merged(intent["metadata"], call.params["metadata"])})
    return intents.capture(call.work, intent, call.params.get("amount_to_capture"))


def _cancel(call: Call) -> Json:
    return intents.cancel(call.work, _own(call), call.params.get("cancellation_reason"))


def _update_charge(call: Call) -> Json:
    charge = require_document(call.work, "charge", call.id)
    changes = rewritten(stripe.Charge, charge, call.params)
    return call.work.change(charge, changes, "charge.updated")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PATH, WRITE, stripe.PaymentIntent, _create, params.PaymentIntentCreateParams),
    Endpoint("POST", f"{PATH}/{{id}}", WRITE, stripe.PaymentIntent, _update, params.PaymentIntentUpdateParams),
    Endpoint(
        "POST", f"{PATH}/{{id}}/confirm", WRITE, stripe.PaymentIntent, _confirm, params.PaymentIntentConfirmParams
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/capture", WRITE, stripe.PaymentIntent, _capture, params.PaymentIntentCaptureParams
    ),
    Endpoint("POST", f"{PATH}/{{id}}/cancel", WRITE, stripe.PaymentIntent, _cancel, params.PaymentIntentCancelParams),
    Endpoint("POST", "/v1/charges/{id}", "rak_charge_write", stripe.Charge, _update_charge, params.ChargeUpdateParams),
)
