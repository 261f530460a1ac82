"""What is recorded of a look at a page: nothing of who asks not to be tracked."""

from __future__ import annotations

from fastapi import Request

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.funnel.events import CatalogueKey, FeatureGateBlocked, ProductEvent
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.funnel.rules import visitor_key
from payflux.kit.errors import UserError
from payflux.web.browsers import client_of
from payflux.web.guards import current_world
from payflux.web.refusals import FeatureNotInPlan


def visitor_of(request: Request) -> str | None:
    """Who looks, for today (:func:`~payflux.frontdoor.funnel.rules.visitor_key`); None where the browser asks not to
    be tracked (`DNT: 1`) or not to be passed on (Global Privacy Control, `Sec-GPC: 1`), and for one that says nothing
    of itself, as most programs do."""
    client = client_of(request)
    if "1" in (request.headers.get("DNT"), request.headers.get("Sec-GPC")) or not client.user_agent:
        return None
    world = current_world(request)
    return visitor_key(world.tokens, address=client.address, user_agent=client.user_agent, at=world.clock.now())


async def record_view(request: Request, event: ProductEvent, who: SignedIn | None) -> None:
    """Keep that `who`, or a stranger, was shown a page, in a transaction of its own. Nothing is kept of who asks not
    to be tracked, nor of staff who look at an account as its member."""
    visitor = visitor_of(request)
    if visitor is None:
        return
    world = current_world(request)
    if who is None:
        async with world.database.system() as session:
            await record(session, event, at=world.clock.now(), visitor=visitor)
    elif who.impersonated_by is None:
        async with world.database.tenant(who.account_id) as session:
            at, account_id, user_id = world.clock.now(), who.account_id, who.user_id
            await record(session, event, at=at, account_id=account_id, user_id=user_id, visitor=visitor)


async def record_refusal(request: Request, error: UserError, who: SignedIn | None) -> None:
    """Keep that the plan of `who` lacked what they asked for, where that is what `error` says. It is an outcome, not a
    look at a page: it is kept of everybody but staff, and without the browser."""
    if who is None or who.impersonated_by is not None or not isinstance(error, FeatureNotInPlan):
        return
    world = current_world(request)
    event = FeatureGateBlocked(CatalogueKey(error.feature), current_plan=CatalogueKey(error.plan))
    async with world.database.tenant(who.account_id) as session:
        await record(session, event, at=world.clock.now(), account_id=who.account_id, user_id=who.user_id)
