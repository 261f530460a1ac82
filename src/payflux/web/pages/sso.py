"""Signing in by the identity provider of one's own company: by address, there, and back."""

from __future__ import annotations

import re
from http import HTTPStatus
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import SecretStr

from payflux.activation.single_sign_on import member_for
from payflux.frontdoor.accounts.providers import trips
from payflux.frontdoor.accounts.providers.trips import Carried, Trip
from payflux.frontdoor.accounts.sso.connections import client_secret, connection_for, connection_of
from payflux.frontdoor.accounts.sso.models import SsoConnection
from payflux.frontdoor.accounts.sso.rules import FACTOR, Asserted, UnusableAssertion, asserted, asserted_by_saml
from payflux.kit.crypto import UndecryptableSecret
from payflux.kit.errors import Forbidden, PaymentRequired
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import keep, kept, local_path, with_last_method
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor
from payflux.web.pages.sso_saml import saml_address
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render
from payflux.web.signing_in import answer_first_step
from payflux.world.bootstrap import World
from payflux.world.oidc import ClientRefused, OidcClient, OidcFailure, OidcProvider, ProviderUnavailable
from payflux.world.public_http import PublicHttp

router = APIRouter()
log = structlog.get_logger(__name__)

PUBLIC = [guard(Audience.PUBLIC)]
HERE, CALLBACK = "/sso", "/sso/callback"
_COOKIE = "sso_trip"
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)

UNKNOWN = mark("No single sign-on is set up for this address. Check it, or sign in with your password.")
AWAY = mark("Your identity provider does not answer at the moment. Try again in a minute.")
LOST = mark("This sign-in took too long, or was begun in another browser. Begin again here.")
UNPROVEN = mark(
    "Your identity provider did not prove who you are. Try again; if it stays, tell whoever runs it at your company."
)


@router.get(HERE, dependencies=PUBLIC)
async def sign_in_form(
    request: Request,
    who: Visitor,
    next: str = "",  # noqa: A002 -- the field's name
) -> Response:
    """Asks for the address, by whose domain the identity provider is found."""
    return _form(request, who.email if who else "", next, asking=who.account_name if who and who.sso_required else "")


@router.post(HERE, dependencies=PUBLIC)
async def leave(
    request: Request,
    world: CurrentWorld,
    email: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    """Lead to the identity provider of the address's domain: by a page of ours, as a form may lead to no site that we
    do not know."""
    held = kept(request, world, _COOKIE)
    # one secret for every tab of the browser, or the tab that left first could not come back
    browser = held if _SECRET.fullmatch(held) else world.tokens.new_token()
    async with world.database.system() as session:
        connection = await connection_for(session, email=email)
        if connection is None:
            return _form(request, email, next, problem=_(UNKNOWN), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        carried = Carried(next=local_path(next)[:2000], account=str(connection.account_id))
        trip = await trips.begin_trip(
            session,
            world.tokens,
            world.secrets,
            provider=FACTOR,
            browser=browser,
            carried=carried,
            now=world.clock.now(),
        )
    try:
        address = await _address(world, connection, trip)
    except OidcFailure as failure:
        _note(connection, failure)
        problem = _(AWAY) if isinstance(failure, ProviderUnavailable) else _(UNPROVEN)
        return _form(request, email, next, problem=problem, status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer = render(request, "sso_leave.html", address=address)
    return keep(answer, world, _COOKIE, browser, max_age=int(trips.TRIP_TIME.total_seconds()))


@router.get(CALLBACK, dependencies=PUBLIC)
async def come_back(
    request: Request, who: Visitor, world: CurrentWorld, state: str = "", code: str = "", error: str = ""
) -> Response:
    """The identity provider sends the browser back: find out who it is, once, and sign them in."""
    async with world.database.system() as session:
        trip = await trips.end_trip(
            session,
            world.tokens,
            world.secrets,
            provider=FACTOR,
            browser=kept(request, world, _COOKIE),
            state=state,
            now=world.clock.now(),
        )
        connection = None if trip is None else await connection_of(session, account_id=UUID(trip.carried.account))
    if trip is None or connection is None:
        return _form(request, "", "", problem=_(LOST), status=HTTPStatus.BAD_REQUEST)
    if error or not (code or trip.carried.told):
        log.info("an identity provider declined", account_id=str(connection.account_id), reason=error[:40])
        return _form(request, "", trip.carried.next, problem=_(UNPROVEN), status=HTTPStatus.BAD_REQUEST)
    try:
        person = await _asserted(world, connection, trip, code)
    except ProviderUnavailable as failure:
        _note(connection, failure)
        return _form(request, "", trip.carried.next, problem=_(AWAY), status=HTTPStatus.SERVICE_UNAVAILABLE)
    except (OidcFailure, UnusableAssertion) as failure:
        _note(connection, failure)
        return _form(request, "", trip.carried.next, problem=_(UNPROVEN), status=HTTPStatus.BAD_REQUEST)
    try:
        async with world.database.system() as session:
            user_id = await member_for(session, world, connection, person)
            answer = await answer_first_step(
                request,
                session,
                who=who,
                user_id=user_id,
                factor=FACTOR,
                sso_account_id=connection.account_id,
                next_page=trip.carried.next or "/start",
            )
    except (Forbidden, PaymentRequired) as refusal:
        problem = f"{refusal.message} {refusal.way_out}"
        return _form(request, person.email, trip.carried.next, problem=problem, status=refusal.status)
    return with_last_method(answer, world, FACTOR)


async def _address(world: World, connection: SsoConnection, trip: Trip) -> str:
    if connection.protocol == "saml":
        return saml_address(world, connection, trip_id=trip.id, state=trip.state)
    return await _client(world, connection).authorize_url(
        redirect_uri=f"{world.settings.url}{CALLBACK}",
        state=trip.state,
        nonce=trip.nonce,
        code_verifier=trip.code_verifier,
    )


async def _asserted(world: World, connection: SsoConnection, trip: Trip, code: str) -> Asserted:
    if connection.protocol == "saml":
        return asserted_by_saml(issuer=connection.issuer, **trip.carried.told)
    claims = await _client(world, connection).exchange_code(
        code,
        redirect_uri=f"{world.settings.url}{CALLBACK}",
        nonce=trip.nonce,
        code_verifier=trip.code_verifier,
        now=world.clock.now(),
    )
    return asserted(claims, issuer=connection.issuer)


def _client(world: World, connection: SsoConnection) -> OidcClient:
    """Raises ClientRefused where our secret there was stored under another secret of this installation."""
    try:
        secret = client_secret(world.secrets, connection)
    except UndecryptableSecret:
        raise ClientRefused("the client secret cannot be read any more; its owner has to enter it anew") from None
    there = OidcProvider(
        name="the account's identity provider",
        base=connection.issuer.rstrip("/"),
        issuer_root=connection.issuer,
        client_id=connection.client_id,
        client_secret=SecretStr(secret),
    )
    return OidcClient(there, PublicHttp(world.settings, world.http), world.provider_documents)


def _note(connection: SsoConnection, failure: Exception) -> None:
    log.warning(
        "nobody was signed in by an identity provider", account_id=str(connection.account_id), reason=str(failure)
    )


def _form(
    request: Request, email: str, next_page: str, *, asking: str = "", problem: str = "", status: int = HTTPStatus.OK
) -> Response:
    return render(
        request,
        "sso.html",
        status,
        form={"email": email[:320]},
        errors={"email": problem} if problem else {},
        next=local_path(next_page),
        asking=asking,
    )
