"""A stand-in for one Stripe account whose objects change with time, over httpx, and the events that tell of it.

It answers as Stripe does at the instant of its clock: objects by id, lists by `created`, events, account and balance.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx

from payflux.kit.clock import Clock
from payflux.world.bootstrap import World
from tests.integration.live.stripe_events import ACCOUNT, event_body

PATHS = {
    "/v1/charges": "charge",
    "/v1/refunds": "refund",
    "/v1/disputes": "dispute",
    "/v1/radar/early_fraud_warnings": "radar.early_fraud_warning",
    "/v1/payouts": "payout",
    "/v1/reviews": "review",
    "/v1/balance_transactions": "balance_transaction",
}
Refusal = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class StripeAccount:
    """`versions` are the states of each object with the instant each began, in order; `events` what told of it."""

    clock: Clock
    versions: dict[tuple[str, str], list[tuple[datetime, dict[str, Any]]]] = field(default_factory=dict)
    events: list[tuple[datetime, bytes]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    refuse: Refusal = lambda _request: None

    def change(self, at: datetime, changed: dict[str, Any], event_type: str) -> bytes:
        """From `at` on an object is `changed`; the body of the event that tells of it."""
        self.versions.setdefault((changed["object"], changed["id"]), []).append((at, changed))
        body = event_body(len(self.events), event_type, changed, at)
        self.events.append((at, body))
        return body

    def now(self, kind: str, object_id: str) -> dict[str, Any] | None:
        states = [state for at, state in self.versions.get((kind, object_id), []) if at <= self.clock.now()]
        return self._expanded(states[-1]) if states else None

    def _expanded(self, state: dict[str, Any]) -> dict[str, Any]:
        charge = state.get("charge")
        return state | {"charge": self.now("charge", charge)} if isinstance(charge, str) else state

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, query = request.url.path, dict(request.url.params)
        self.requests.append(path)
        refusal = self.refuse(request)
        if refusal is not None:
            return refusal
        if path == "/v1/account":
            return _json(_ACCOUNT)
        if path == "/v1/balance":
            return _json({"object": "balance", "available": [], "pending": [], "livemode": False})
        if path == "/v1/events":
            wanted = request.url.params.get_list("types[]")
            listed = [json.loads(body) for at, body in self.events if at <= self.clock.now()]
            return _page([event for event in listed if not wanted or event["type"] in wanted], query)
        if path in PATHS:
            ids = [object_id for kind, object_id in self.versions if kind == PATHS[path]]
            found = [state for object_id in ids if (state := self.now(PATHS[path], object_id))]
            return _page([state for state in found if query.get("type") in (None, state.get("type"))], query)
        collection, _, object_id = path.rpartition("/")
        state = self.now(PATHS.get(collection, ""), object_id)
        return _json(state) if state else error(404, "resource_missing")

    def world(self, world: World) -> World:
        """`world` with this account for Stripe."""
        settings = world.settings.model_copy(
            update={"stripe_test_rate": 100.0, "stripe_api_base": "https://stripe.test"}
        )
        return replace(world, settings=settings, http=httpx.AsyncClient(transport=httpx.MockTransport(self)))


def error(status: int, code: str) -> httpx.Response:
    body = {"error": {"type": "invalid_request_error", "code": code, "message": "refused"}}
    return httpx.Response(status, json=body, headers={"Request-Id": "req_1"})


def _json(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=body)


def _page(items: list[dict[str, Any]], query: dict[str, str]) -> httpx.Response:
    since, until = int(query.get("created[gte]", 0)), int(query.get("created[lte]", 2**40))
    ordered = sorted((item for item in items if since <= item["created"] <= until), key=_newest, reverse=True)
    if "starting_after" in query:
        ordered = list(itertools.dropwhile(lambda item: item["id"] != query["starting_after"], ordered))[1:]
    limit = int(query.get("limit", 10))
    return _json({"object": "list", "data": ordered[:limit], "has_more": len(ordered) > limit})


def _newest(item: dict[str, Any]) -> tuple[int, str]:
    return item["created"], item["id"]


def charge(number: int, at: datetime, **more: object) -> dict[str, Any]:
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "created": int(at.timestamp()),
        "amount": 1000 + number,
        "amount_captured": 1000 + number,
        "currency": "usd",
        "status": "succeeded",
        "captured": True,
        "refunded": False,
        "balance_transaction": None,
        "billing_details": {"name": "Dana Doe", "email": "dana@example.com"},
    } | more


def refund(number: int, at: datetime, **more: object) -> dict[str, Any]:
    body = {"id": f"re_{number}", "object": "refund", "created": int(at.timestamp()), "amount": 400, "currency": "usd"}
    return body | {"status": "pending", "reason": None, "charge": f"ch_{number}", "balance_transaction": None} | more


def dispute(number: int, at: datetime, **more: object) -> dict[str, Any]:
    body = {"id": f"du_{number}", "object": "dispute", "created": int(at.timestamp()), "amount": 900, "currency": "usd"}
    facts = {"status": "needs_response", "reason": "fraudulent", "charge": f"ch_{number}", "balance_transactions": []}
    return body | facts | {"evidence_details": {"due_by": None}} | more


def warning(number: int, at: datetime, **more: object) -> dict[str, Any]:
    body = {"id": f"issfr_{number}", "object": "radar.early_fraud_warning", "created": int(at.timestamp())}
    return body | {"actionable": True, "fraud_type": "misc", "charge": f"ch_{number}"} | more


def payout(number: int, at: datetime, **more: object) -> dict[str, Any]:
    created = int(at.timestamp())
    body = {"id": f"po_{number}", "object": "payout", "created": created, "amount": 5000, "currency": "usd"}
    return body | {"status": "in_transit", "arrival_date": created + 86_400, "failure_code": None} | more


_ACCOUNT = {
    "id": ACCOUNT,
    "object": "account",
    "charges_enabled": True,
    "payouts_enabled": True,
    "details_submitted": True,
    "country": "US",
    "default_currency": "usd",
}
