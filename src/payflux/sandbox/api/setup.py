"""Setup intents."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.api.payments import method_given
from payflux.sandbox.payments import methods, setups
from payflux.sandbox.payments.customers import require_customer
from payflux.sandbox.payments.links import require_local_url
from payflux.sandbox.schema.writing import rewritten, written
from payflux.sandbox.store import Json

PATH = "/v1/setup_intents"
READ, WRITE = "rak_setup_intent_read", "rak_setup_intent_write"
_HANDLED = (
    "confirm",
    "return_url",
    "use_stripe_sdk",
    "mandate_data",
    "payment_method",
    "automatic_payment_methods",
)


def _create(call: Call) -> Json:
    if call.params.get("customer"):
        require_customer(call.work, call.params["customer"])
    values = written(stripe.SetupIntent, call.params, _HANDLED)
    setup = setups.create_setup(call.work, payment_method=method_given(call), **values)
    return _confirmed(call, setup) if call.params.get("confirm") else setup


def _confirmed(call: Call, setup: Json) -> Json:
    if call.params.get("return_url"):
        require_local_url(call.params["return_url"], "return_url")
    setups.confirm(call.work, setup, return_url=call.params.get("return_url"))
    call.refusal = setups.refusal(setup)
    return setup


def _update(call: Call) -> Json:
    setup = call.work.require("setup_intent", call.id)
    if setup["status"] not in setups.CONFIRMABLE:
        raise setups.unexpected_state(setup, "update")
    changes = rewritten(stripe.SetupIntent, setup, call.params, ("payment_method",))
    if changes.get("customer"):
        require_customer(call.work, changes["customer"])
    method = method_given(call)
    if method is not None:
        customer = changes.get("customer", setup["customer"])
        methods.require_usable(call.work, methods.require(call.work, method), customer)
        changes |= {"payment_method": method, "status": "requires_confirmation", "next_action": None}
    return call.work.change(setup, changes)


def _confirm(call: Call) -> Json:
    setup = call.work.require("setup_intent", call.id)
    if setup["status"] not in setups.CONFIRMABLE:
        raise setups.unexpected_state(setup, "confirm")
    changes = written(stripe.SetupIntent, call.params, _HANDLED)
    method = method_given(call)
    if method is not None:
        methods.require_usable(call.work, methods.require(call.work, method), setup["customer"])
        changes["payment_method"] = method
    call.work.change(setup, changes)
    return _confirmed(call, setup)


def _cancel(call: Call) -> Json:
    setup = call.work.require("setup_intent", call.id)
    return setups.cancel(call.work, setup, call.params.get("cancellation_reason"))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", PATH, WRITE, stripe.SetupIntent, _create, params.SetupIntentCreateParams),
    listing(PATH, READ, stripe.SetupIntent, params.SetupIntentListParams),
    retrieving(PATH, READ, stripe.SetupIntent),
    Endpoint("POST", f"{PATH}/{{id}}", WRITE, stripe.SetupIntent, _update, params.SetupIntentUpdateParams),
    Endpoint("POST", f"{PATH}/{{id}}/confirm", WRITE, stripe.SetupIntent, _confirm, params.SetupIntentConfirmParams),
    Endpoint("POST", f"{PATH}/{{id}}/cancel", WRITE, stripe.SetupIntent, _cancel, params.SetupIntentCancelParams),
)
