"""A sandbox is controlled over HTTP: its clock is moved, its answers and webhooks go wrong on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stripe

from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import API_VERSION
from tests.integration.sandbox.conftest import served
from tests.integration.sandbox.receiver import receiving

Client = Callable[..., Any]
ALICE = ARCHETYPES["low-activity"]


@pytest.fixture
def control(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{base}/sandbox") as http:
        yield http
        http.delete("/faults")


def read(base: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{base}/v1/balance", auth=(ALICE.restricted_key, ""), headers=headers)


def test_the_clock_is_moved_and_what_is_due_happens() -> None:
    state = SandboxState(requests_per_second=1000)
    with served(state) as base, receiving() as receiver, httpx.Client(base_url=f"{base}/sandbox") as http:
        key = ARCHETYPES["healthy"].restricted_key
        endpoints = stripe.StripeClient(key, base_addresses={"api": base}).v1.webhook_endpoints
        endpoints.create(params={"url": receiver.url, "enabled_events": ["*"]})
        before = http.get("/clock").json()
        after = http.post("/clock", json={"advance": "5d"}).json()
        posts = receiver.wait_for(3)
        assert after["now"] - before["now"] == pytest.approx(5 * 86_400, abs=2)
        assert after["ahead"] == 5 * 86_400
        assert all(before["now"] <= post.json["created"] <= after["now"] for post in posts)
        events = stripe.StripeClient(key, base_addresses={"api": base}).v1.events
        assert events.retrieve(posts[0].json["id"]).to_dict() == posts[0].json
        to = http.post("/clock", json={"to": after["now"] + 3600}).json()
        assert to["now"] == pytest.approx(after["now"] + 3600, abs=2)
        http.post("/clock", json={"advance": "31d"})
        with pytest.raises(stripe.InvalidRequestError, match="No such event"):
            events.retrieve(posts[0].json["id"])
        for wrong, param in (({"advance": "-3d"}, "advance"), ({"to": "2020-01-01"}, "to"), ({}, "advance")):
            refused = http.post("/clock", json=wrong)
            assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
        assert http.post("/clock", content=b"[").status_code == 400


def test_pages_of_other_sites_control_nothing(base: str, control: httpx.Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        refused = control.post("/clock", json={"advance": 1}, headers=headers)
        assert (refused.status_code, "this machine only" in refused.text) == (403, True)
    assert control.post("/faults", json={"kind": "error", "times": 1}, headers={"Origin": base}).status_code == 200


@pytest.mark.parametrize("reason", ["global-rate", "endpoint-rate", "endpoint-concurrency", "resource-specific"])
def test_a_storm_of_429_says_its_reason(base: str, control: httpx.Client, reason: str) -> None:
    control.post("/faults", json={"kind": "rate_limit", "reason": reason, "times": 2})
    answers = [read(base) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["stripe-rate-limited-reason"] == reason
    assert answers[0].headers["request-id"].startswith("req_")
    assert answers[0].headers["stripe-version"] == API_VERSION


def test_a_lock_has_no_reason_and_may_be_tried_again(base: str, control: httpx.Client) -> None:
    control.post("/faults", json={"kind": "rate_limit", "reason": "lock_timeout", "times": 1})
    answer = read(base)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "lock_timeout")
    assert "stripe-rate-limited-reason" not in answer.headers
    assert answer.headers["stripe-should-retry"] == "true"


def test_keys_end_and_servers_fail_as_stripes_client_expects(client: Client, control: httpx.Client) -> None:
    balance = client(ALICE.restricted_key).v1.balance
    control.post("/faults", json={"kind": "key_expired", "key": ALICE.restricted_key, "times": 1})
    with pytest.raises(stripe.AuthenticationError, match="Expired API Key provided") as expired:
        balance.retrieve()
    assert "api_key_expired" in str(expired.value.http_body)
    control.post("/faults", json={"kind": "key_revoked", "account": ALICE.account_id, "times": 1})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided"):
        balance.retrieve()
    control.post("/faults", json={"kind": "error", "status": 503, "times": 1})
    with pytest.raises(stripe.APIError):
        balance.retrieve()
    control.post("/faults", json={"kind": "error", "path": "/v1/charges", "account": PLATFORM.account_id})
    assert balance.retrieve().object == "balance"


@pytest.mark.parametrize("when", ["before", "in_body"])
def test_a_connection_breaks_and_the_next_call_succeeds(base: str, control: httpx.Client, when: str) -> None:
    control.post("/faults", json={"kind": "reset", "when": when, "times": 1, "path": "/v1/charges"})
    key = ALICE.restricted_key
    with httpx.Client(base_url=base, auth=(key, "")) as http:
        assert http.get("/v1/balance").status_code == 200
        with pytest.raises(httpx.TransportError):
            http.get("/v1/charges", params={"limit": 100})
        assert http.get("/v1/charges", params={"limit": 100}).status_code == 200


def test_a_call_whose_answer_breaks_was_carried_out(base: str, control: httpx.Client, client: Client) -> None:
    control.post("/faults", json={"kind": "reset", "when": "in_body", "method": "POST", "times": 1})
    with pytest.raises(stripe.APIConnectionError):
        client().v1.customers.create(params={"name": "Only once"}, options={"idempotency_key": "once"})
    made = client().v1.customers.create(params={"name": "Only once"}, options={"idempotency_key": "once"})
    assert [found.id for found in client().v1.customers.list().data] == [made.id]


def test_faults_are_listed_and_switched_off(base: str, control: httpx.Client) -> None:
    made = control.post("/faults", json={"kind": "error"}).json()
    assert read(base).status_code == 500
    (listed,) = control.get("/faults").json()["data"]
    assert (listed["id"], listed["struck"]) == (made["id"], 1)
    assert control.delete(f"/faults/{made['id']}").json() == {"removed": 1}
    assert control.delete(f"/faults/{made['id']}").status_code == 404
    assert read(base).status_code == 200
    refused = control.post("/faults", json={"kind": "flood"})
    assert refused.status_code == 400
    assert "kind" in refused.json()["error"]["message"]


def test_deliveries_are_shown_without_secrets_and_sent_again(control: httpx.Client, client: Client) -> None:
    with receiving() as receiver:
        endpoint = client().v1.webhook_endpoints.create(
            params={"url": receiver.url, "enabled_events": ["customer.created"]}
        )
        client().v1.customers.create()
        (post,) = receiver.wait_for(1)
        rolled = control.post(f"/webhook_endpoints/{endpoint.id}/roll_secret", json={"expire_in": 60}).json()
        assert control.post("/deliveries/redeliver", json={"endpoint": endpoint.id}).json() == {"sent_again": 1}
        again = receiver.wait_for(2)[1]

        assert again.body == post.body
        for secret in (endpoint.secret, rolled["secret"]):
            stripe.WebhookSignature.verify_header(again.body, again.signature, secret, tolerance=300)
        (listed,) = [found for found in control.get("/webhook_endpoints").json()["data"] if found["id"] == endpoint.id]
        assert listed["active_secrets"] == 2
        assert "whsec_" not in str(listed)
        (shown,) = control.get("/deliveries", params={"endpoint": endpoint.id}).json()["data"]
        assert (shown["status"], shown["attempts"][0]["response"]) == ("delivered", "taken with whsec_…")
        assert control.post("/deliveries/dlv_none/redeliver").status_code == 404
        assert control.post("/deliveries/redeliver", json={}).status_code == 400
        assert control.post(f"/webhook_endpoints/{endpoint.id}/payload", json={"payload": "thin"}).status_code == 200
        assert control.post("/webhook_endpoints/we_none/payload", json={"payload": "thin"}).status_code == 404
        client().v1.customers.create()
        assert receiver.wait_for(3)[2].json["object"] == "v2.core.event"
        client().v1.webhook_endpoints.delete(endpoint.id)


def test_accounts_events_and_what_is_due_are_shown(control: httpx.Client, state: SandboxState) -> None:
    shown = {account["id"]: account for account in control.get("/accounts").json()["data"]}
    assert set(shown) == set(state.archetypes)
    events = control.get(f"/accounts/{ALICE.account_id}/events", params={"limit": 3}).json()["data"]
    assert len(events) == 3
    assert control.get("/accounts/acct_none/events").status_code == 404
    assert control.get(f"/accounts/{ALICE.account_id}/events", params={"limit": "x"}).status_code == 400
    assert isinstance(control.get("/due").json()["data"], list)


def test_latency_on_request_waits(base: str, control: httpx.Client) -> None:
    control.post("/faults", json={"kind": "latency", "milliseconds": 150, "jitter": 50, "times": 1})
    assert read(base).elapsed.total_seconds() >= 0.15
    assert httpx.get(f"{base}/v1/balance", auth=(SECRET_KEY, "")).elapsed.total_seconds() < 0.15
