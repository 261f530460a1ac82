"""Signing in by a SAML identity provider: our metadata, and where its answers come.

The answer is posted from the provider's site, so it comes without our cookies: what it proves is kept, and the browser
is sent on to where it shows, by its cookie, that it is the one that began.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import structlog
from fastapi import APIRouter, Form
from fastapi.responses import Response

from payflux.frontdoor.accounts.providers import trips
from payflux.frontdoor.accounts.sso.connections import connection_of, take_assertion
from payflux.frontdoor.accounts.sso.models import SsoConnection
from payflux.frontdoor.accounts.sso.rules import FACTOR
from payflux.kit.errors import UserError
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard
from payflux.web.rendering import see_other
from payflux.world.bootstrap import World
from payflux.world.saml import (
    IdentityProvider,
    ResponseRefused,
    ServiceProvider,
    metadata,
    read_response,
    sign_in_address,
)

router = APIRouter(prefix="/sso/saml")
answers = APIRouter(prefix="/sso/saml")
"""What other sites post to us: signed, and without the token of our forms."""
log = structlog.get_logger(__name__)

PUBLIC = [guard(Audience.PUBLIC)]
NOT_PROVEN = mark("Your identity provider's answer does not prove who you are. Nobody was signed in.")


class AnswerRefused(UserError):
    """What a provider posted signs nobody in."""

    status = HTTPStatus.BAD_REQUEST
    code = "saml_refused"


@router.get("/{account_id}/metadata", dependencies=PUBLIC)
async def our_metadata(world: CurrentWorld, account_id: UUID) -> Response:
    """What an identity provider has to know of us; the same whether or not there is such an account."""
    return Response(metadata(service_provider(world, account_id)), media_type="application/samlmetadata+xml")


@answers.post("/{account_id}/acs", dependencies=PUBLIC)
async def take_answer(
    world: CurrentWorld,
    account_id: UUID,
    answer: Annotated[str, Form(alias="SAMLResponse")] = "",
    state: Annotated[str, Form(alias="RelayState")] = "",
) -> Response:
    """Take the provider's answer, once, and send the browser on."""
    now = world.clock.now()
    async with world.database.system() as session:
        found = await trips.find_trip(session, world.tokens, world.secrets, provider=FACTOR, state=state[:200], now=now)
        connection = await connection_of(session, account_id=account_id)
        if found is None or connection is None or found[1].account != str(account_id):
            raise _refused(account_id, "no sign-in is under way that it answers")
        trip_id, carried = found
        try:
            told = read_response(
                service_provider(world, account_id),
                identity_provider(connection),
                answer,
                request_id=request_id(trip_id),
            )
        except ResponseRefused as failure:
            raise _refused(account_id, str(failure)) from None
        first = await take_assertion(
            session, world.tokens, account_id=account_id, assertion_id=told.id, expires_at=told.expires_at, now=now
        )
        if not first:
            raise _refused(account_id, "the assertion was taken before")
        person = {"subject": told.subject, "email": told.email, "name": told.name}
        await trips.hold_told(session, world.secrets, trip_id=trip_id, carried=carried, told=person)
    return see_other(f"/sso/callback?{urlencode({'state': state})}")


def saml_address(world: World, connection: SsoConnection, *, trip_id: UUID, state: str) -> str:
    """The page of a SAML provider's on which a trip goes on."""
    ours = service_provider(world, connection.account_id)
    return sign_in_address(ours, identity_provider(connection), request_id=request_id(trip_id), relay_state=state)


def service_provider(world: World, account_id: UUID) -> ServiceProvider:
    """What we are to an account's provider."""
    here = f"{world.settings.url}/sso/saml/{account_id}"
    return ServiceProvider(entity_id=f"{here}/metadata", consumer=f"{here}/acs")


def identity_provider(connection: SsoConnection) -> IdentityProvider:
    return IdentityProvider(connection.issuer, connection.sign_in_url, connection.certificate)


def request_id(trip_id: UUID) -> str:
    """By what the request of a trip is answered."""
    return f"_{trip_id.hex}"


def _refused(account_id: UUID, reason: str) -> AnswerRefused:
    log.warning("nobody was signed in by an identity provider", account_id=str(account_id), reason=reason)
    return AnswerRefused(_(NOT_PROVEN), way_out=_("Begin again on our sign-in page, by single sign-on."))
