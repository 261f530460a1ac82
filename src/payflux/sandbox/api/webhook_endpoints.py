"""Webhook endpoints. docs.stripe.com/api/webhook_endpoints"""

from __future__ import annotations

from urllib.parse import urlsplit

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, listing, retrieving
from payflux.sandbox.deliveries.destinations import forget, register
from payflux.sandbox.errors import StripeError
from payflux.sandbox.loopback import is_local
from payflux.sandbox.merchants.archetypes import APP, PLATFORM
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.schema.writing import merged
from payflux.sandbox.store import Json
from payflux.sandbox.work import new_id

MOST = 16
"""Endpoints that an account may have in test mode."""

_PATH, _KIND = "/v1/webhook_endpoints", "webhook_endpoint"
_READ, _WRITE = "rak_webhook_read", "rak_webhook_write"


def _create(call: Call) -> Json:
    work, given = call.work, call.params
    if len(work.find(_KIND)) >= MOST:
        raise StripeError(400, f"You have reached the maximum of {MOST} test webhook endpoints.")
    connect = given.get("connect", False)
    if connect and work.account_id not in (PLATFORM.account_id, APP.account_id):
        raise StripeError(400, "Only a Connect platform can create a Connect webhook endpoint.", param="connect")
    endpoint = work.create(
        complete(
            stripe.WebhookEndpoint,
            {
                "id": new_id("we"),
                "api_version": given.get("api_version"),
                "created": work.now,
                "description": given.get("description") or None,
                "enabled_events": _events(given["enabled_events"]),
                "livemode": False,
                "metadata": merged({}, given.get("metadata", {})),
                "status": "enabled",
                "url": require_local(given["url"]),
            },
        )
    )
    return {**endpoint, "secret": register(work, endpoint["id"], connect=connect)}


def _update(call: Call) -> Json:
    endpoint, given = call.work.require(_KIND, call.id), call.params
    changes: Json = {}
    if "description" in given:
        changes["description"] = given["description"] or None
    if "enabled_events" in given:
        changes["enabled_events"] = _events(given["enabled_events"])
    if "disabled" in given:
        changes["status"] = "disabled" if given["disabled"] else "enabled"
    if "url" in given:
        changes["url"] = require_local(given["url"])
    if "metadata" in given:
        changes["metadata"] = merged(endpoint["metadata"], given["metadata"])
    return call.work.change(endpoint, changes)


def _delete(call: Call) -> Json:
    endpoint = call.work.require(_KIND, call.id)
    forget(call.work, endpoint["id"])
    return call.work.remove(endpoint)


def _events(types: list[str]) -> list[str]:
    if not types:
        raise StripeError(400, "Invalid enabled_events: name at least one type of event.", param="enabled_events")
    return list(dict.fromkeys(types))


def require_local(url: str) -> str:
    """`url`; raises StripeError 400 unless it is an http or https address of this machine."""
    try:
        target = urlsplit(url)
        host, _ = target.hostname or "", target.port
    except ValueError:
        target, host = urlsplit(""), ""
    if target.scheme not in ("http", "https") or not host:
        raise StripeError(
            400, "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    if not is_local(host):
        raise StripeError(
            400,
            "Invalid URL: the sandbox sends webhooks to this machine only. Use 127.0.0.1 or localhost.",
            code="url_invalid",
            param="url",
        )
    return url


ENDPOINTS: tuple[Endpoint, ...] = (
    listing(_PATH, _READ, stripe.WebhookEndpoint, params.WebhookEndpointListParams),
    retrieving(_PATH, _READ, stripe.WebhookEndpoint),
    Endpoint("POST", _PATH, _WRITE, stripe.WebhookEndpoint, _create, params.WebhookEndpointCreateParams),
    Endpoint("POST", f"{_PATH}/{{id}}", _WRITE, stripe.WebhookEndpoint, _update, params.WebhookEndpointUpdateParams),
    Endpoint("DELETE", f"{_PATH}/{{id}}", _WRITE, stripe.WebhookEndpoint, _delete),
)
