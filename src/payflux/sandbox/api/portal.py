"""The customer portal: its configurations, and the sessions that lead a customer to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe
from stripe import params

from payflux.sandbox.addresses import make_ticket, page_url
from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.billing.subscriptions import is_over
from payflux.sandbox.errors import StripeError
from payflux.sandbox.payments.customers import require_customer
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import merged, missing, not_carried_out
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

CONFIGURATIONS, SESSIONS = "/v1/billing_portal/configurations", "/v1/billing_portal/sessions"
READ, WRITE = "rak_customer_portal_read", "rak_customer_portal_write"
KIND = "billing_portal.configuration"
MOST_PRODUCTS = 10
REASONS = (
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
)
DEFAULTS: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "feedback_options": None, "options": list(REASONS)},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
"""What a feature is where a configuration does not say. docs.stripe.com/api/customer_portal/configurations"""


def _features(work: Work, before: Json, given: Mapping[str, Any]) -> Json:
    features = {name: {**before[name], **_emptied(given.get(name, {}))} for name in before}
    if features["subscription_pause"]["enabled"]:
        not_carried_out(given, "subscription_pause")
    if features["customer_update"]["enabled"]:
        not_carried_out(given, "customer_update")
    update, cancel = features["subscription_update"], features["subscription_cancel"]
    if given.get("subscription_update", {}).get("schedule_at_period_end", {}).get("conditions"):
        not_carried_out(given["subscription_update"], "schedule_at_period_end")
    if "promotion_code" in update["default_allowed_updates"]:
        raise StripeError(
            400,
            "The sandbox's portal lets customers update price and quantity.",
            param="features[subscription_update][default_allowed_updates]",
        )
    cancel["cancellation_reason"] = {"feedback_options": None, **cancel["cancellation_reason"]}
    products = update["products"] or []
    if len(products) > MOST_PRODUCTS:
        raise StripeError(
            400, f"A portal shows {MOST_PRODUCTS} products at most.", param="features[subscription_update][products]"
        )
    for n, product in enumerate(products):
        param = f"features[subscription_update][products][{n}]"
        work.require("product", product["product"], f"{param}[product]")
        for price in product["prices"]:
            if work.require("price", price, f"{param}[prices]")["product"] != product["product"]:
                raise StripeError(400, f"The price {price} is of another product.", param=f"{param}[prices]")
        product["adjustable_quantity"] = {
            "enabled": False,
            "maximum": None,
            "minimum": 1,
            **product.get("adjustable_quantity", {}),
        }
    return features


def _emptied(given: Mapping[str, Any]) -> Json:
    return {
        name: [] if value == "" and name != "payment_method_configuration" else value for name, value in given.items()
    }


def _fields(call: Call, before: Json) -> Json:
    """The changes that parameters make of a configuration, or of a new one."""
    given = call.params
    changes: Json = {"updated": call.now}
    for name in ("active", "default_return_url", "name"):
        if name in given:
            changes[name] = None if given[name] == "" else given[name]
    if "business_profile" in given:
        told = {name: value or None for name, value in given["business_profile"].items()}
        changes["business_profile"] = before["business_profile"] | told
    if "features" in given:
        changes["features"] = _features(call.work, before["features"], given["features"])
    if "metadata" in given:
        changes["metadata"] = merged(before["metadata"], given["metadata"])
    if given.get("login_page", {}).get("enabled"):
        not_carried_out(given, "login_page")
    return changes


def _create_configuration(call: Call) -> Json:
    made = complete(
        stripe.billing_portal.Configuration,
        {
            "id": new_id("bpc"),
            "active": True,
            "business_profile": {},
            "created": call.now,
            "features": DEFAULTS,
            "is_default": False,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": {},
            "updated": call.now,
        },
    )
    return call.work.create(made | _fields(call, made), f"{KIND}.created")


def _update_configuration(call: Call) -> Json:
    configuration = call.work.require(KIND, call.id)
    if call.params.get("active") is False and configuration["is_default"]:
        raise StripeError(400, "You cannot deactivate the default configuration.", param="active")
    return call.work.change(configuration, _fields(call, configuration), f"{KIND}.updated")


def make_default(work: Work, configuration_id: str) -> Json:
    """Let sessions without a configuration use this one, as saving the Dashboard's settings does.

    Raises a 404 StripeError.
    """
    chosen = work.require(KIND, configuration_id, "portal_configuration")
    for other in work.find(KIND, {"is_default": 1}):
        if other["id"] != chosen["id"]:
            work.change(other, {"is_default": False}, f"{KIND}.updated")
    return work.change(chosen, {"is_default": True, "active": True}, f"{KIND}.updated")


def _configuration(work: Work, asked: str | None) -> Json:
    if asked is not None:
        found = work.require(KIND, asked, "configuration")
        if not found["active"]:
            raise StripeError(400, f"The configuration {asked} is not active.", param="configuration")
        return found
    for found in work.find(KIND, {"is_default": 1}, limit=1):
        return found
    raise StripeError(
        400,
        "No configuration provided and your test mode default configuration has not been created. Provide a "
        "configuration or create your default by saving your customer portal settings in test mode at "
        "https://dashboard.stripe.com/test/settings/billing/portal.",
    )


def _flow(work: Work, customer: str, features: Json, given: Json | None) -> Json | None:
    """`flow` of a session that leads straight to one thing. Raises StripeError for what the portal does not offer."""
    if given is None:
        return None
    kind = given["type"]
    needs = {
        "payment_method_update": "payment_method_update",
        "subscription_cancel": "subscription_cancel",
        "subscription_update": "subscription_update",
        "subscription_update_confirm": "subscription_update",
    }.get(kind)
    if needs is None:
        raise StripeError(400, f"The sandbox's portal has no flow {kind}.", param="flow_data[type]")
    if not features[needs]["enabled"]:
        raise StripeError(
            400,
            f"This flow requires the feature {needs}, which the portal's configuration does not enable.",
            param="flow_data[type]",
        )
    flow: Json = {"type": kind, "after_completion": given.get("after_completion", {"type": "portal_homepage"})}
    if kind.startswith("subscription"):
        if kind not in given:
            raise missing(f"flow_data[{kind}]")
        param = f"flow_data[{kind}][subscription]"
        subscription = work.require("subscription", given[kind]["subscription"], param)
        if subscription["customer"] != customer or is_over(subscription):
            raise StripeError(400, "The subscription is not one that this customer has now.", param=param)
        not_carried_out(given[kind], "retention", "discounts")
        flow[kind] = given[kind]
        if kind == "subscription_update_confirm":
            flow[kind] = given[kind] | {"discounts": None}
            price = given[kind]["items"][0].get("price")
            if len(given[kind]["items"]) != 1 or price is None:
                raise StripeError(400, "The sandbox confirms one item with a price.", param=f"flow_data[{kind}][items]")
            work.require("price", price, f"flow_data[{kind}][items][0][price]")
    return flow


def _create_session(call: Call) -> Json:
    given, work = call.params, call.work
    not_carried_out(given, "customer_account", "after_expiration", "on_behalf_of")
    if "customer" not in given:
        raise missing("customer")
    require_customer(work, given["customer"])
    configuration = _configuration(work, given.get("configuration"))
    session_id = new_id("bps")
    return work.create(
        complete(
            stripe.billing_portal.Session,
            {
                "id": session_id,
                "configuration": configuration["id"],
                "created": call.now,
                "customer": given["customer"],
                "flow": _flow(work, given["customer"], configuration["features"], given.get("flow_data")),
                "livemode": False,
                "locale": given.get("locale"),
                "return_url": given.get("return_url") or configuration["default_return_url"],
                "url": page_url(work, f"/p/session/{make_ticket(work.account_id, session_id)}"),
            },
        ),
        "billing_portal.session.created",
    )


_OF = stripe.billing_portal.Configuration
_FORMS = params.billing_portal

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", CONFIGURATIONS, WRITE, _OF, _create_configuration, _FORMS.ConfigurationCreateParams),
    listing(CONFIGURATIONS, READ, _OF, _FORMS.ConfigurationListParams),
    retrieving(CONFIGURATIONS, READ, _OF),
    Endpoint("POST", f"{CONFIGURATIONS}/{{id}}", WRITE, _OF, _update_configuration, _FORMS.ConfigurationUpdateParams),
    Endpoint("POST", SESSIONS, WRITE, stripe.billing_portal.Session, _create_session, _FORMS.SessionCreateParams),
)
