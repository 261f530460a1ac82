"""Events of the last 30 days. docs.stripe.com/api/events, docs.stripe.com/api/v2/core/events"""

from __future__ import annotations

import re

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint
from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.deliveries.payloads import thin
from payflux.sandbox.errors import StripeError, no_such
from payflux.sandbox.events import find_event, is_kept, list_events
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.query import query_of
from payflux.sandbox.store import Json

MOST_TYPES = 20
_READ = "rak_event_read"


def _connect(call: Call) -> bool:
    """Whether the platform looks at another account: such events name it, as its Connect webhooks do."""
    return call.caller.key == SECRET_KEY and call.caller.account_id != PLATFORM.account_id


def _retrieve(call: Call) -> Json:
    found = find_event(call.work.state, call.work.account_id, call.id, connect=_connect(call))
    if found is None or not is_kept(call.work.state, found):
        raise no_such("event", call.id)
    return found


def _retrieve_thin(call: Call) -> Json:
    return {**thin(_retrieve(call)), "changes": None}


def _list(call: Call) -> Json:
    given = call.params
    types = given.get("types", [])
    if "type" in given and types:
        raise StripeError(400, "You may only specify one of these parameters: type, types.", param="types")
    if len(types) > MOST_TYPES:
        raise StripeError(400, f"You may give at most {MOST_TYPES} types.", param="types")
    allowed = re.compile("|".join(_pattern(name) for name in types or [given.get("type", "*")]))
    return list_events(
        call.work.state,
        call.work.account_id,
        query_of(given),
        lambda name: allowed.fullmatch(name) is not None,
        taken=given.get("delivery_success"),
        connect=_connect(call),
    )


def _pattern(name: str) -> str:
    return ".*".join(re.escape(part) for part in name.split("*"))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/events", _READ, stripe.Event, _list, params.EventListParams),
    Endpoint("GET", "/v1/events/{id}", _READ, stripe.Event, _retrieve),
    Endpoint("GET", "/v2/core/events/{id}", _READ, stripe.v2.core.Event, _retrieve_thin),
)
