"""What happens on the platform's own account is posted to one address, signed with a secret that is known before."""

from __future__ import annotations

import json

import pytest
import stripe

from payflux.sandbox.deliveries.destinations import destinations
from payflux.sandbox.errors import StripeError
from payflux.sandbox.forwarding import forward
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.state import SandboxState
from payflux.settings import SANDBOX_WEBHOOK_SECRET
from tests.unit.sandbox.test_deliveries import Machine, Receiver, dispatching, happen, settle

ADDRESS = "http://127.0.0.1:8000/api/v1/webhooks/stripe"
CONNECT_ADDRESS = "http://127.0.0.1:8000/hooks/stripe/connect"


async def test_the_platforms_events_are_posted_and_those_of_merchants_are_not() -> None:
    machine, receiver = Machine(), Receiver()
    state = SandboxState(now=machine.now)
    forward(state, ADDRESS, SANDBOX_WEBHOOK_SECRET)
    async with dispatching(state, machine, receiver):
        event = happen(state, PLATFORM.account_id)
        happen(state)
        await settle()
    assert receiver.events == [event["id"]]
    (request,) = receiver.requests
    assert str(request.url) == ADDRESS
    header = request.headers["Stripe-Signature"]
    stripe.WebhookSignature.verify_header(request.content.decode(), header, SANDBOX_WEBHOOK_SECRET, tolerance=None)


async def test_the_events_of_connected_accounts_are_posted_to_an_address_of_their_own() -> None:
    machine, receiver = Machine(), Receiver()
    state = SandboxState(now=machine.now)
    merchant, other = ARCHETYPES["default"].account_id, ARCHETYPES["healthy"].account_id
    state.redeem_code(state.issue_code(merchant, "read_write"))
    forward(state, CONNECT_ADDRESS, SANDBOX_WEBHOOK_SECRET, connect=True)
    async with dispatching(state, machine, receiver):
        event = happen(state, merchant)
        happen(state, PLATFORM.account_id)
        happen(state, other)
        await settle()
    assert receiver.events == [event["id"]]
    (request,) = receiver.requests
    assert str(request.url) == CONNECT_ADDRESS
    assert json.loads(request.content)["account"] == merchant


def test_a_later_start_moves_them_to_another_address() -> None:
    state = SandboxState(now=Machine().now)
    forward(state, ADDRESS, "whsec_one")
    forward(state, "http://127.0.0.1:9000/hooks", "whsec_two")
    (destination,) = destinations(state.store)
    endpoint = state.store.get(PLATFORM.account_id, destination.id)
    assert endpoint is not None
    assert (endpoint["url"], destination.secrets[0].value) == ("http://127.0.0.1:9000/hooks", "whsec_two")


def test_they_are_not_posted_to_another_machine() -> None:
    with pytest.raises(StripeError, match="this machine only"):
        forward(SandboxState(now=Machine().now), "https://example.com/hooks", "whsec_one")
