"""What `stripe listen --forward-to` does: the platform's own events go to one address, signed with a known secret."""

from __future__ import annotations

import stripe

from payflux.sandbox.api.webhook_endpoints import require_local
from payflux.sandbox.deliveries.destinations import Destination, Secret, hear_through, save
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work

ENDPOINT = "we_forwarded"


def forward(state: SandboxState, url: str, secret: str) -> None:
    """Post every event of the platform's own account to `url` from now on; another call moves them to another address.

    Raises StripeError for an address that is not of this machine.
    """
    work = Work(state, PLATFORM.account_id, int(state.now().timestamp()))
    endpoint = {
        "id": ENDPOINT,
        "created": work.now,
        "description": "what `payflux sandbox --forward-to` was told",
        "enabled_events": ["*"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": require_local(url),
    }
    with state.store.transaction():
        state.store.put(PLATFORM.account_id, complete(stripe.WebhookEndpoint, endpoint))
        save(state.store, Destination(ENDPOINT, PLATFORM.account_id, connect=False, secrets=[Secret(secret)]))
        hear_through(state.store, PLATFORM.account_id, work.now)
