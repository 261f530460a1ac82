"""Signing in by Google or Microsoft: the way there, the way back, and the question whether to connect."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.arriving import Arrival, arrive
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.rules import may_remove_method
from payflux.frontdoor.accounts.linking import disconnect_provider, link_provider
from payflux.frontdoor.accounts.providers import trips
from payflux.frontdoor.accounts.providers.identities import identities_of
from payflux.frontdoor.accounts.providers.rules import (
    Profile,
    Provider,
    SignInStep,
    UnusableProfile,
)
from payflux.frontdoor.accounts.providers.trips import Carried, Trip
from payflux.frontdoor.accounts.sessions import SignedIn, sign_out
from payflux.kit.errors import UserError
from payflux.web.browsers import client_of, keep_address, local_path, with_last_method, with_session
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.pages.invites import show_invite
from payflux.web.policies import Audience, guard
from payflux.web.provider_trips import Offered, explain, held_back, leave_for, profile_behind, trip_back
from payflux.web.provider_words import DECLINED, LINK_WORDS, LOST, SIGN_IN_WORDS, UNAVAILABLE, UNPROVEN
from payflux.web.rendering import render, see_other
from payflux.web.signing_in import answer_first_step, without_second_step
from payflux.web.visits import visitor_of
from payflux.world.bootstrap import World
from payflux.world.oidc import OidcFailure, ProviderUnavailable

router = APIRouter()
log = structlog.get_logger(__name__)

PUBLIC = [guard(Audience.PUBLIC)]
STEPPED_UP = [guard(step_up=True)]
SECURITY, VERIFY = "/account/security", "/verify-email"


@router.post("/auth/{provider}", dependencies=PUBLIC)
async def leave(
    request: Request,
    world: CurrentWorld,
    there: Offered,
    next: Text = "",  # noqa: A002 -- the field's name
    plan: Text = "",
    invite: Text = "",
    source: Annotated[str, Form(alias="from")] = "",
    scan: Text = "",
) -> Response:
    """Send the browser to the provider, to sign in or to register."""
    carried = Carried(
        next=local_path(next)[:2000], plan=plan[:50], invite=invite[:200], source=source[:50], scan=scan[:100]
    )
    return await leave_for(request, world, there, carried)


@router.get("/auth/{provider}/callback", dependencies=PUBLIC)
async def come_back(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    there: Offered,
    state: str = "",
    code: str = "",
    error: str = "",
) -> Response:
    """The provider sends the browser back: find out who it is, once, and whom to sign in for it."""
    provider = Provider(there.name)
    trip = await trip_back(request, world, there, state)
    if trip is None:
        return see_other("/start") if who else explain(request, provider, LOST)
    if error or not code:
        if error != "access_denied":
            world.metrics.oauth_callback_failures.labels(provider).inc()
        return explain(
            request, provider, DECLINED if error == "access_denied" else UNPROVEN, linking=bool(trip.user_id)
        )
    try:
        profile = await profile_behind(world, there, trip, code)
    except (OidcFailure, UnusableProfile) as failure:
        world.metrics.oauth_callback_failures.labels(provider).inc()
        log.warning("nobody was signed in by a provider", provider=provider, reason=str(failure))
        words = UNAVAILABLE if isinstance(failure, ProviderUnavailable) else UNPROVEN
        return explain(request, provider, words, linking=bool(trip.user_id))
    if trip.user_id is not None:
        return await _link(request, who, world, trip, profile)
    try:
        async with world.database.system() as session:
            arrival = await arrive(
                session, world, profile, trip.carried, client=client_of(request), visitor=visitor_of(request)
            )
            if arrival.step is SignInStep.CONFIRM:
                await trips.hold_profile(session, world.secrets, trip, profile)
                return see_other(f"/auth/{provider}/connect?trip={trip.id}")
            return await _arrived(request, who, session, profile, arrival, trip.carried)
    except UserError as refusal:
        if not trip.carried.invite:
            raise
        return await show_invite(request, world, who, trip.carried.invite, refusal)


@router.get("/auth/{provider}/connect", dependencies=PUBLIC)
async def ask_to_connect(request: Request, world: CurrentWorld, there: Offered, trip: UUID) -> Response:
    """An account with the address of whoever came back exists: is it to be connected?"""
    provider = Provider(there.name)
    async with world.database.system() as session:
        carried = await held_back(request, session, world, provider, trip)
    if carried is None or carried.profile is None:
        return explain(request, provider, LOST)
    return render(request, "provider_connect.html", provider=provider, email=carried.profile.email, trip=str(trip))


@router.post("/auth/{provider}/connect", dependencies=PUBLIC)
async def connect(
    request: Request, who: Visitor, world: CurrentWorld, there: Offered, trip: Annotated[UUID, Form()]
) -> Response:
    """Connect it, and sign in."""
    provider = Provider(there.name)
    async with world.database.system() as session:
        carried = await held_back(request, session, world, provider, trip)
        if carried is None or carried.profile is None:
            return explain(request, provider, LOST)
        await trips.forget_trip(session, trip_id=trip)
        arrival = await arrive(session, world, carried.profile, carried, client=client_of(request), confirmed=True)
        return await _arrived(request, who, session, carried.profile, arrival, carried)


@router.get("/account/security/providers/{provider}", dependencies=STEPPED_UP)
async def manage(request: Request, who: Who, world: CurrentWorld, there: Offered) -> Response:
    """What connecting the provider, or disconnecting it, means; with the button that does it."""
    async with world.database.system() as session:
        identities = await identities_of(session, user_id=who.user_id)
        methods = await sign_in_methods(session, user_id=who.user_id)
    return render(
        request,
        "provider_manage.html",
        provider=Provider(there.name),
        identity=next((each for each in identities if each.provider == there.name), None),
        is_last=not may_remove_method(methods),
    )


@router.post("/account/security/providers/{provider}/connect", dependencies=[guard(grace=False, step_up=True)])
async def leave_to_link(request: Request, who: Who, world: CurrentWorld, there: Offered) -> Response:
    """Send the member to the provider, to connect it."""
    return await leave_for(request, world, there, Carried(next=SECURITY), user_id=who.user_id)


@router.post("/account/security/providers/{provider}/disconnect", dependencies=STEPPED_UP)
async def disconnect(who: Who, world: CurrentWorld, there: Offered) -> Response:
    async with world.database.system() as session:
        await disconnect_provider(session, who, Provider(there.name), now=world.clock.now())
    return see_other(SECURITY)


async def _link(request: Request, who: SignedIn | None, world: World, trip: Trip, profile: Profile) -> Response:
    if who is None or who.user_id != trip.user_id:
        return explain(request, profile.provider, LOST)
    async with world.database.system() as session:
        step = await link_provider(session, world.tokens, who, profile, now=world.clock.now())
    if step in LINK_WORDS:
        return explain(request, profile.provider, LINK_WORDS[step], linking=True)
    return see_other(SECURITY)


async def _arrived(
    request: Request,
    who: SignedIn | None,
    session: AsyncSession,
    profile: Profile,
    arrival: Arrival,
    carried: Carried,
) -> Response:
    provider = profile.provider
    if arrival.step in SIGN_IN_WORDS:
        return explain(request, provider, SIGN_IN_WORDS[arrival.step])
    world: World = request.app.state.world
    next_page = _next_page(arrival, carried)
    if arrival.user_id is not None:
        answer = await answer_first_step(
            request, session, who=who, user_id=arrival.user_id, factor=provider, next_page=next_page
        )
    else:  # a session that opens nothing, as nobody may see that somebody has the address
        if who is not None:
            await sign_out(session, session_id=who.session_id)
        answer = without_second_step(with_session(see_other(next_page), world, world.tokens.new_token()), world)
    if next_page.startswith(VERIFY):
        answer = keep_address(answer, world, profile.email)
    return with_last_method(answer, world, provider)


def _next_page(arrival: Arrival, carried: Carried) -> str:
    created = arrival.step in (SignInStep.CREATE_VERIFIED, SignInStep.CREATE_UNVERIFIED)
    if carried.invite and arrival.user_id is not None and not created:
        return f"/accept-invite?{urlencode({'code': carried.invite})}"
    if arrival.step in (SignInStep.CREATE_UNVERIFIED, SignInStep.TELL_BY_MAIL) and not (carried.invite and created):
        return f"{VERIFY}?{urlencode({'next': carried.next})}" if carried.next else VERIFY
    return carried.next or "/start"
