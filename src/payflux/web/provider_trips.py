"""What the pages of a trip to a provider share: the way there, who came back, and the page that explains a failure."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.providers import trips
from payflux.frontdoor.accounts.providers.rules import Profile, Provider, profile_of
from payflux.frontdoor.accounts.providers.trips import Carried, Trip
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.web.browsers import keep, kept
from payflux.web.guards import CurrentWorld
from payflux.web.provider_words import UNAVAILABLE, Words
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World
from payflux.world.oidc import OidcClient, OidcProvider, ProviderUnavailable, sign_in_providers

log = structlog.get_logger(__name__)

_COOKIE = "provider_trip"
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)


def offered(provider: str, world: CurrentWorld) -> OidcProvider:
    """The provider that a path names. Raises NotFound for one that is not set up."""
    found = sign_in_providers(world.settings).get(provider)
    if found is None:
        raise NotFound(_("Nobody signs in that way here."), way_out=_("Choose one of the ways on the sign-in page."))
    return found


Offered = Annotated[OidcProvider, Depends(offered)]


async def leave_for(
    request: Request, world: World, there: OidcProvider, carried: Carried, *, user_id: UUID | None = None
) -> Response:
    """Begin a trip and send the browser to the provider; `user_id` is who connects it, None for signing in."""
    held = kept(request, world, _COOKIE)
    # one secret for every tab of the browser, or the tab that left first could not come back
    browser = held if _SECRET.fullmatch(held) else world.tokens.new_token()
    async with world.database.system() as session:
        trip = await trips.begin_trip(
            session,
            world.tokens,
            world.secrets,
            provider=Provider(there.name),
            browser=browser,
            carried=carried,
            user_id=user_id,
            now=world.clock.now(),
        )
    try:
        address = await OidcClient(there, world.http, world.provider_documents).authorize_url(
            redirect_uri=_callback(world, there),
            state=trip.state,
            nonce=trip.nonce,
            code_verifier=trip.code_verifier,
        )
    except ProviderUnavailable as failure:
        log.warning("a provider cannot be reached", provider=there.name, reason=str(failure))
        return explain(request, Provider(there.name), UNAVAILABLE, linking=user_id is not None)
    return keep(see_other(address), world, _COOKIE, browser, max_age=int(trips.TRIP_TIME.total_seconds()))


async def trip_back(request: Request, world: World, there: OidcProvider, state: str) -> Trip | None:
    """The trip that this browser comes back from, which is over from now on; None where it is on none."""
    async with world.database.system() as session:
        return await trips.end_trip(
            session,
            world.tokens,
            world.secrets,
            provider=Provider(there.name),
            browser=kept(request, world, _COOKIE),
            state=state,
            now=world.clock.now(),
        )


async def profile_behind(world: World, there: OidcProvider, trip: Trip, code: str) -> Profile:
    """Who came back with `code`. Raises OidcFailure and UnusableProfile."""
    claims = await OidcClient(there, world.http, world.provider_documents).exchange_code(
        code,
        redirect_uri=_callback(world, there),
        nonce=trip.nonce,
        code_verifier=trip.code_verifier,
        now=world.clock.now(),
    )
    return profile_of(Provider(there.name), claims)


async def held_back(
    request: Request, session: AsyncSession, world: World, provider: Provider, trip_id: UUID
) -> Carried | None:
    """What a trip of this browser carries whose answer waits for a question of ours; None where there is none."""
    return await trips.held_profile(
        session,
        world.tokens,
        world.secrets,
        trip_id=trip_id,
        provider=provider,
        browser=kept(request, world, _COOKIE),
        now=world.clock.now(),
    )


def explain(request: Request, provider: Provider, words: Words, *, linking: bool = False) -> Response:
    """The page that says why nobody was signed in, or nothing connected."""
    return render(request, "provider_problem.html", words.status, provider=provider, words=words, linking=linking)


def _callback(world: World, there: OidcProvider) -> str:
    return f"{world.settings.url}/auth/{there.name}/callback"
