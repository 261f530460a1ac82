"""What counts as the same event, and who a visitor is. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from payflux.frontdoor.funnel.events import ProductEvent, Repeats
from payflux.kit.crypto import TokenHasher

STRANGERS_KEPT = timedelta(days=400)
"""For how long events are kept that no account goes with: the funnel compares a day with that of a year ago."""


def visitor_key(tokens: TokenHasher, *, address: str, user_agent: str, at: datetime) -> str:
    """Somebody who is not signed in, for one UTC day, as 32 hex digits: a keyed hash of the day, the network address
    and what the browser calls itself.

    Nothing is stored in the browser, the address is not kept, and tomorrow the same person is another visitor. People
    behind one address with the same browser are one. Without our secret key nobody can tell an address from it.
    """
    return tokens.digest(f"visitor {at:%Y-%m-%d} {address} {user_agent}").hex()[:32]


def dedupe_key(event: ProductEvent, *, user_id: UUID | None, visitor: str | None, at: datetime) -> str | None:
    """What an event has in common with its repetitions within an account, None for one that may repeat."""
    if event.REPEATS is Repeats.ALWAYS:
        return None
    who = str(user_id) if user_id else visitor or ""
    if event.REPEATS is Repeats.NEVER:
        return f"{event.NAME} {who}".rstrip()
    told = " ".join(str(value) for value in event.properties().values())
    return f"{event.NAME} {at:%Y-%m-%d} {told} {who}".rstrip()
