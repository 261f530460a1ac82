"""Who may call a route. Every route is closed unless its path stands in :data:`PUBLIC_PATHS`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn, authenticate
from payflux.frontdoor.billing import rules as billing_rules
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.service import live_subscription
from payflux.kit.errors import Forbidden, NotSignedIn, PaymentRequired
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World

PUBLIC_PATHS = frozenset({"/", "/register", "/sign-in", "/start", "/healthz", "/readyz"})
"""Every route that a stranger may call. /static is mounted beside them."""


def get_world(request: Request) -> World:
    return request.app.state.world


CurrentWorld = Annotated[World, Depends(get_world)]


async def visitor(request: Request, world: CurrentWorld) -> SignedIn | None:
    """Who is asking, or None for a stranger."""
    token = request.cookies.get(cookie_name(world.settings, "session"))
    if not token:
        return None
    async with world.database.system() as session:
        try:
            who = await authenticate(session, world.tokens, token=token, now=world.clock.now())
        except NotSignedIn:
            return None
    request.state.who = who
    return who


async def signed_in(who: Annotated[SignedIn | None, Depends(visitor)]) -> SignedIn:
    """Who is asking. Raises NotSignedIn for a stranger."""
    if who is None:
        raise NotSignedIn("You are not signed in.", way_out="Sign in; you come back to where you were going.")
    return who


Visitor = Annotated[SignedIn | None, Depends(visitor)]
Who = Annotated[SignedIn, Depends(signed_in)]


async def tenant_session(who: Who, world: CurrentWorld) -> AsyncGenerator[AsyncSession, None]:
    """The request's one transaction, on the rows of the caller's account."""
    async with world.database.tenant(who.account_id) as session:
        yield session


# scope="function": the commit happens before the answer is sent, so that nobody is told of what did not happen
Tenant = Annotated[AsyncSession, Depends(tenant_session, scope="function")]


async def subscription_of(who: Who, session: Tenant) -> Subscription | None:
    return await live_subscription(session, account_id=who.account_id)


CurrentSubscription = Annotated[Subscription | None, Depends(subscription_of, scope="function")]


async def require_entitled(subscription: CurrentSubscription, world: CurrentWorld) -> None:
    """Raises PaymentRequired unless the account's trial or subscription runs."""
    if subscription is None or not billing_rules.is_entitled(
        status=subscription.status, current_period_end=subscription.current_period_end, now=world.clock.now()
    ):
        raise PaymentRequired(
            "Your trial has ended, or your subscription is not active.",
            way_out="The owner of the account can choose a plan. What was computed so far is kept.",
        )


async def require_manager(who: Who) -> None:
    """Raises Forbidden unless the caller may change the account's connections: owner or admin."""
    if who.role not in ("owner", "admin"):
        raise Forbidden(
            "Your role may look at the connection but not change it.",
            way_out="Ask an owner or an admin of the account.",
        )
