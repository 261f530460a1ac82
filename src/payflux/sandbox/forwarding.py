"""What `stripe listen` does with `--forward-to` and `--forward-connect-to`: the platform's own events go to one
address, those of the accounts connected to it to another, signed with a known secret."""

from __future__ import annotations

import stripe

from payflux.sandbox.api.webhook_endpoints import require_local
from payflux.sandbox.deliveries.destinations import Destination, Secret, hear_through, save
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work

ENDPOINT, CONNECT_ENDPOINT = "we_forwarded", "we_forwarded_connect"


def forward(state: SandboxState, url: str, secret: str, *, connect: bool = False) -> None:
    """Post every event of the platform's own account, or with `connect` of the accounts connected to it, to `url` from
    now on; another call moves them to another address.

    Raises StripeError for an address that is not of this machine.
    """
    work = Work(state, PLATFORM.account_id, int(state.now().timestamp()))
    name = CONNECT_ENDPOINT if connect else ENDPOINT
    endpoint = {
        "id": name,
        "created": work.now,
        "description": f"what `payflux sandbox --forward{'-connect' if connect else ''}-to` was told",
        "enabled_events": ["*"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": require_local(url),
    }
    with state.store.transaction():
        state.store.put(PLATFORM.account_id, complete(stripe.WebhookEndpoint, endpoint))
        save(state.store, Destination(name, PLATFORM.account_id, connect=connect, secrets=[Secret(secret)]))
        hear_through(state.store, PLATFORM.account_id, work.now)
