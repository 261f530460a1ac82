"""Webhooks over real HTTP: Stripe's own client makes an endpoint, and Stripe's own code takes what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
import stripe

from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work
from tests.integration.sandbox.receiver import Receiver, receiving
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
ALICE = ARCHETYPES["healthy"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def happen(state: SandboxState, account: str = PLATFORM.account_id, kind: str = "customer.created") -> str:
    """The id of an event that something made."""
    work = Work(state, account, int(state.now().timestamp()))
    with state.store.transaction():
        work.tell(kind, {"id": "cus_1", "object": "customer"})
    state.announce(work)
    return work.events[0]["id"]


def test_endpoints_are_made_changed_listed_and_deleted(client: Client) -> None:
    v1 = client(ALICE.restricted_key).v1
    params: Any = {"url": "http://127.0.0.1:9/hooks", "enabled_events": ["charge.succeeded"], "metadata": {"a": "b"}}
    made = v1.webhook_endpoints.create(params={**params, "api_version": "2026-10-28.endive", "description": "mine"})

    assert made.secret.startswith("whsec_")
    assert (made.status, made.api_version, made.description) == ("enabled", "2026-10-28.endive", "mine")
    found = v1.webhook_endpoints.retrieve(made.id)
    assert_complete(found, stripe.WebhookEndpoint)
    assert "secret" not in found.to_dict()
    assert found.to_dict() == {key: value for key, value in made.to_dict().items() if key != "secret"}

    changed = v1.webhook_endpoints.update(
        made.id, params={"disabled": True, "enabled_events": ["*"], "metadata": {"a": "", "c": "d"}, "description": ""}
    )
    assert (changed.status, changed.enabled_events) == ("disabled", ["*"])
    assert changed.metadata.to_dict() == {"c": "d"}
    assert [endpoint.id for endpoint in v1.webhook_endpoints.list().data] == [made.id]
    assert v1.webhook_endpoints.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        v1.webhook_endpoints.retrieve(made.id)


def test_what_is_wrong_with_an_endpoint_is_said(client: Client) -> None:
    endpoints = client(ALICE.restricted_key).v1.webhook_endpoints
    good: Any = {"url": "http://127.0.0.1:9/hooks", "enabled_events": ["*"]}
    for change, param in (
        ({"url": "https://example.com"}, "url"),
        ({"enabled_events": ["charge.exploded"]}, "enabled_events[0]"),
        ({"enabled_events": ""}, "enabled_events"),
        ({"connect": True}, "connect"),
        ({"api_version": "2000-01-01"}, "api_version"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            endpoints.create(params={**good, **change})
        assert refused.value.param == param, refused.value
    made = [endpoints.create(params=good).id for _ in range(16)]
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        endpoints.create(params=good)
    for endpoint in made:
        endpoints.delete(endpoint)


def test_an_event_arrives_and_is_the_one_that_the_api_shows(
    client: Client, state: SandboxState, receiver: Receiver
) -> None:
    v1 = client().v1
    endpoint = v1.webhook_endpoints.create(params={"url": receiver.url, "enabled_events": ["customer.created"]})
    event_id = happen(state)
    (post,) = receiver.wait_for(1)

    told = stripe.Webhook.construct_event(post.body, post.signature, endpoint.secret)
    assert told.id == event_id
    found = v1.events.retrieve(event_id)
    assert_complete(found, stripe.Event)
    assert msgspec.json.format(msgspec.json.encode(found.to_dict()), indent=2) == post.body
    assert v1.events.list(params={"type": "customer.created", "limit": 1}).data[0].to_dict() == found.to_dict()
    v1.webhook_endpoints.delete(endpoint.id)


def test_the_platform_hears_of_connected_accounts_and_asks_for_their_events(
    client: Client, state: SandboxState, receiver: Receiver
) -> None:
    v1 = client().v1
    endpoint = v1.webhook_endpoints.create(params={"url": receiver.url, "enabled_events": ["*"], "connect": True})
    state.redeem_code(state.issue_code(ALICE.account_id, "read_write"))
    event_id = happen(state, ALICE.account_id)
    (post,) = receiver.wait_for(1)

    assert post.json["account"] == ALICE.account_id
    found = client(stripe_account=ALICE.account_id).v1.events.retrieve(event_id)
    assert found.to_dict() == post.json
    assert "account" not in client(ALICE.restricted_key).v1.events.retrieve(event_id).to_dict()
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        v1.events.retrieve(event_id)
    v1.webhook_endpoints.delete(endpoint.id)
    state.disconnect(ALICE.account_id)


def test_a_thin_notification_leads_to_its_event_and_its_object(
    base: str, client: Client, state: SandboxState, receiver: Receiver
) -> None:
    v1 = client().v1
    endpoint = v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["customer.created"], "connect": True}
    )
    httpx.post(f"{base}/sandbox/webhook_endpoints/{endpoint.id}/payload", json={"payload": "thin"}).raise_for_status()
    state.redeem_code(state.issue_code(ALICE.account_id, "read_write"))
    customer = client(stripe_account=ALICE.account_id).v1.customers.create()
    (post,) = receiver.wait_for(1)

    told = client().parse_event_notification(post.body, post.signature, endpoint.secret)
    assert (told.type, told.related_object.id) == ("v1.customer.created", customer.id)
    assert told.fetch_related_object().id == customer.id
    fetched = told.fetch_event()
    assert (fetched.id, fetched.type, fetched.context) == (told.id, told.type, ALICE.account_id)
    v1.webhook_endpoints.delete(endpoint.id)
    state.disconnect(ALICE.account_id)


@pytest.mark.parametrize("by", ["merchant", "platform"])
def test_the_platform_is_told_that_a_merchant_left(
    by: str, base: str, client: Client, state: SandboxState, receiver: Receiver
) -> None:
    v1 = client().v1
    endpoint = v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["account.application.deauthorized"], "connect": True}
    )
    state.redeem_code(state.issue_code(ALICE.account_id, "read_write"))
    if by == "merchant":
        httpx.post(f"{base}/sandbox/accounts/{ALICE.account_id}/fire/deauthorize").raise_for_status()
    else:
        client().oauth.deauthorize(params={"stripe_user_id": ALICE.account_id})
    (post,) = receiver.wait_for(1)

    assert (post.json["type"], post.json["account"]) == ("account.application.deauthorized", ALICE.account_id)
    assert post.json["data"]["object"]["object"] == "application"
    with pytest.raises(stripe.PermissionError, match="Application access may have been revoked"):
        client(stripe_account=ALICE.account_id).v1.balance.retrieve()
    v1.webhook_endpoints.delete(endpoint.id)


def test_events_are_listed_by_type_time_and_delivery(client: Client, state: SandboxState) -> None:
    account = ARCHETYPES["low-activity"]
    events = client(account.restricted_key).v1.events
    ids = [happen(state, account.account_id, kind) for kind in ("coupon.created", "coupon.deleted", "product.created")]
    mine: Any = {"types": ["coupon.*", "product.created"]}

    assert [event.id for event in events.list(params=mine).data] == ids[::-1]
    page = events.list(params={**mine, "limit": 1})
    assert [event.id for event in page.auto_paging_iter()] == ids[::-1]
    upward = events.list(params={**mine, "limit": 1, "ending_before": ids[0]})
    assert [event.id for event in upward.data] == [ids[1]]
    assert upward.has_more
    assert [event.id for event in events.list(params={"type": "coupon.*"}).data] == ids[1::-1]
    assert events.list(params={**mine, "created": {"lt": page.data[0].created - 60}}).data == []
    assert len(events.list(params={**mine, "delivery_success": True}).data) == 3
    assert events.list(params={**mine, "delivery_success": False}).data == []
    for params, wrong in (
        ({"type": "coupon.created", **mine}, "types"),
        ({"types": ["coupon.created"] * 21}, "types"),
        ({"starting_after": "evt_none"}, "starting_after"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            events.list(params=params)
        assert refused.value.param == wrong
