"""Who is asking, in which account, and the transaction that serves them. What they may do: :mod:`.policies`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.access_tokens import read_access_token
from payflux.frontdoor.accounts.keys.authenticating import authenticate_key
from payflux.frontdoor.accounts.sessions import SignedIn, authenticate, authenticate_api_client
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import NotSignedIn
from payflux.kit.messages import gettext as _
from payflux.kit.messages import speak
from payflux.web.languages import is_translated
from payflux.web.refusals import refuse_writing_for_others
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World


def get_world(request: Request) -> World:
    return request.app.state.world


def current_world(request: Request) -> World:
    """The world as whoever asks sees it: for a visit of the staff's to another instant it is that instant, once it is
    known who asks. A guard finds that out before anything else does."""
    return getattr(request.state, "world", request.app.state.world)


async def _current_world(request: Request) -> World:
    # asynchronous, though it waits for nothing: any other dependency costs each request a trip to a thread
    return current_world(request)


CurrentWorld = Annotated[World, Depends(_current_world)]


def bearer_token(request: Request) -> str | None:
    """The key or access token that is sent; None where whoever asks is known by their browser's cookie, if at all, also
    beside an Authorization of another scheme: that is for a proxy in front of us."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def visitor(request: Request) -> SignedIn | None:
    """Who is asking, or None for a stranger: by a key or an access token where one is sent, else by the browser's
    cookie. It is asked of the present, whatever instant they look at.

    Raises KeyRefused, which says why, for a key that opens nothing, and Forbidden where staff who look at an account as
    its member would change something.
    """
    world = get_world(request)
    sent = bearer_token(request)
    session_token = request.cookies.get(cookie_name(world.settings, "session"), "") if sent is None else ""
    if sent is None and not session_token:
        return None
    now = world.clock.now()
    if sent is not None and sent.startswith("pfx_"):
        environment = world.settings.key_environment
        request.state.who = who = await authenticate_key(
            world.database, world.tokens, key=sent, environment=environment, now=now
        )
        return who
    async with world.database.system() as session:
        try:
            if sent is not None:
                session_id = read_access_token(world.settings, sent, now=now)
                who = await authenticate_api_client(session, session_id=session_id, now=now)
            else:
                who = await authenticate(session, world.tokens, token=session_token, now=now)
        except NotSignedIn:
            return None
    request.state.who = who  # before a refusal, for its page says for whom it is
    if who.language is not None and is_translated(request.url.path):
        speak(who.language)
    if who.as_of is not None:
        request.state.world = world.as_of(who.as_of)
    refuse_writing_for_others(who, request.method)
    return who


async def signed_in(who: Annotated[SignedIn | None, Depends(visitor)]) -> SignedIn:
    """Who is asking. Raises NotSignedIn for a stranger."""
    if who is None:
        raise NotSignedIn(_("You are not signed in."), way_out=_("Sign in; you come back to where you were going."))
    return who


Visitor = Annotated[SignedIn | None, Depends(visitor)]
Who = Annotated[SignedIn, Depends(signed_in)]


async def tenant_session(who: Who, world: CurrentWorld) -> AsyncGenerator[AsyncSession, None]:
    """The request's one transaction, on the rows of the caller's account; one that cannot write, for staff who look
    at it."""
    async with world.database.tenant(who.account_id) as session:
        if who.impersonated_by is not None:
            await session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


# scope="function": the commit happens before the answer is sent, so that nobody is told of what did not happen
Tenant = Annotated[AsyncSession, Depends(tenant_session, scope="function")]


async def subscription_of(request: Request, who: Who, world: CurrentWorld, session: Tenant) -> Subscription | None:
    """The account's subscription, also one that has ended: pages say so, and so they do of a further workspace that the
    plan does not hold."""
    if who.parent_id is not None:
        request.state.paused = (await entitlements_of(session, world, account_id=who.account_id)).paused
    return await newest_subscription(session, account_id=who.account_id)


CurrentSubscription = Annotated[Subscription | None, Depends(subscription_of, scope="function")]
