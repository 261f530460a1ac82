"""What happens on the platform's own account is posted to one address, signed with a secret that is known before."""

from __future__ import annotations

import pytest
import stripe

from payflux.sandbox.deliveries.destinations import destinations
from payflux.sandbox.errors import StripeError
from payflux.sandbox.forwarding import forward
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.state import SandboxState
from payflux.settings import SANDBOX_WEBHOOK_SECRET
from tests.unit.sandbox.test_deliveries import Machine, Receiver, dispatching, happen, settle

ADDRESS = "http://127.0.0.1:8000/api/v1/webhooks/stripe"


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
