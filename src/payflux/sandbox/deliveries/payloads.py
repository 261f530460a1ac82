"""What is posted: the event itself, or a thin notification of it. docs.stripe.com/event-destinations"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from payflux.sandbox.deliveries.destinations import Destination
from payflux.sandbox.events import find_event
from payflux.sandbox.resources import BY_KIND
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json


def body_of(state: SandboxState, destination: Destination, account_id: str, event_id: str) -> bytes | None:
    """The body of a delivery, as Stripe prints it; None for an event that is gone."""
    event = find_event(state, account_id, event_id, connect=destination.connect)
    if event is None:
        return None
    if destination.payload == "thin":
        event = thin(event)
    return msgspec.json.format(msgspec.json.encode(event), indent=2)


def thin(event: Json) -> Json:
    """An event of version 1 as version 2 tells it: which object changed, not how."""
    about = event["data"]["object"]
    path = BY_KIND[about["object"]].path if about["object"] in BY_KIND else f"{about['object'].replace('.', '/')}s"
    request = event["request"]
    related = (
        {"id": about["id"], "type": about["object"], "url": f"/v1/{path}/{about['id']}"} if "id" in about else None
    )
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": datetime.fromtimestamp(event["created"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": event["livemode"],
        "context": event.get("account"),
        "related_object": related,
        "reason": {"type": "request", "request": request} if request and request["id"] else None,
        "snapshot_event": event["id"],
    }
