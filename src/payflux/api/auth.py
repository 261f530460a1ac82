"""Sign in, stay signed in and sign out, for programs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.api.problems import TOO_MANY, Responses
from payflux.frontdoor.accounts.api_sessions import ApiTokens, exchange_refresh_token, start_api_session
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.second_step import Proven, needs_second_step, use_code
from payflux.frontdoor.accounts.providers.identities import providers_instead_of_password
from payflux.frontdoor.accounts.sessions import Client, sign_out
from payflux.frontdoor.accounts.signing_in import sign_in
from payflux.kit.errors import NotSignedIn, UserError
from payflux.kit.messages import gettext as _
from payflux.web.browsers import client_of
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import Audience, guard
from payflux.world.bootstrap import World

router = APIRouter(prefix="/auth", tags=["auth"])

PUBLIC = [guard(Audience.PUBLIC)]
SIGNED_IN = [guard(verified=False)]
REFUSED: Responses = {401: {"description": "Refused, or a code is asked for"}}
BY_PROVIDER: Responses = {400: {"description": "Not readable, or the user has no password: use_oauth_provider"}}


class InvalidCredentials(NotSignedIn):
    code = "invalid_credentials"


class UseProvider(UserError):
    """The address belongs to somebody who has no password."""

    code = "use_oauth_provider"


class SecondFactorRequired(NotSignedIn):
    """The password is right, and a code has to be sent with it."""

    code = "second_factor_required"


class InvalidRefreshToken(NotSignedIn):
    code = "invalid_refresh_token"


class Credentials(BaseModel):
    """Who signs in."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=512)
    code: str = Field(
        "", max_length=64, description="the authenticator app's code or a recovery code, where one is asked for"
    )


class Refresh(BaseModel):
    """A refresh token; it is good once."""

    refresh_token: str = Field(max_length=200)


class Tokens(BaseModel):
    """Send `access_token` as `Authorization: Bearer` for `expires_in` seconds; then exchange `refresh_token`, which is
    good once and until `refresh_expires_at`."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- the type's name
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime


class Account(BaseModel):
    """The account that is acted in, and the caller's role there."""

    id: UUID
    name: str
    role: str


class Me(BaseModel):
    """Who is asking. Nothing of billing."""

    id: UUID
    name: str
    email: str
    email_verified: bool
    created_at: datetime
    account: Account
    has_password: bool
    second_factor: bool = Field(description="whether signing in asks for a code")
    passkeys: int
    providers: list[str]


@router.post("/login", dependencies=PUBLIC, responses=BY_PROVIDER | REFUSED | TOO_MANY)
async def login(request: Request, world: CurrentWorld, given: Credentials) -> Tokens:
    """Sign in by e-mail address and password and, where an authenticator app is set up, a code."""
    now, client = world.clock.now(), client_of(request)
    async with world.database.system() as session:
        proven = await _prove(session, world, given, client)
        # a refusal stays a value until what it counts is stored
        if not isinstance(proven, UserError):
            proven = await start_api_session(
                session,
                world.tokens,
                world.settings,
                user_id=proven.user_id,
                client=client,
                factors=proven.factors,
                now=now,
            )
    return _answer(proven)


async def _prove(session: AsyncSession, world: World, given: Credentials, client: Client) -> Proven | UserError:
    """Who signs in and by what, or why they do not."""
    now = world.clock.now()
    user = await sign_in(
        session, world.tokens, email=given.email, password=given.password, client=client.address, now=now
    )
    if user is None and (providers := await providers_instead_of_password(session, email=given.email)):
        return UseProvider(
            _("You sign in to this account with %(providers)s.")
            % {"providers": " or ".join(provider.label for provider in providers)},
            way_out=_("Sign in on the web page, and set up what the program needs there."),
            details={"error": UseProvider.code, "providers": [str(provider) for provider in providers]},
        )
    if user is None:
        return InvalidCredentials(
            _("That address and password do not belong together."), way_out=_("Check both, then try again.")
        )
    if not await needs_second_step(session, user_id=user.id):
        return Proven(user.id, frozenset({"password"}))
    factor = ""
    if given.code:
        factor = await use_code(
            session,
            world.tokens,
            world.secrets,
            user_id=user.id,
            code=given.code,
            address=client.address,
            now=now,
        )
    if factor:
        return Proven(user.id, frozenset({"password", factor}))
    return SecondFactorRequired(
        _("That code is wrong, or was used before.") if given.code else _("A code is asked for as well."),
        way_out=_("Send `code`: what your authenticator app shows now, or a recovery code."),
    )


@router.post("/refresh", dependencies=PUBLIC, responses=REFUSED)
async def refresh(world: CurrentWorld, given: Refresh) -> Tokens:
    """Exchange a refresh token for the next pair. Sent again within thirty seconds it gives the same refresh token;
    later, it ends the session."""
    async with world.database.system() as session:
        issued = await exchange_refresh_token(session, world.settings, token=given.refresh_token, now=world.clock.now())
    return _answer(
        issued or InvalidRefreshToken(_("This refresh token opens no session."), way_out=_("Sign in again."))
    )


@router.post("/logout", dependencies=SIGNED_IN, status_code=HTTPStatus.NO_CONTENT)
async def logout(world: CurrentWorld, who: Who) -> None:
    """End the session: neither of its tokens opens anything any more."""
    async with world.database.system() as session:
        await sign_out(session, session_id=who.session_id)


@router.get("/me", dependencies=SIGNED_IN)
async def me(world: CurrentWorld, who: Who) -> Me:
    """Who is asking, in which account and role, and how they can sign in."""
    async with world.database.system() as session:
        methods = await sign_in_methods(session, user_id=who.user_id)
    return Me(
        id=who.user_id,
        name=who.name,
        email=who.email,
        email_verified=who.email_verified,
        created_at=who.user_created_at,
        account=Account(id=who.account_id, name=who.account_name, role=who.role),
        has_password=methods.password,
        second_factor=methods.totp,
        passkeys=methods.passkeys,
        providers=list(methods.providers),
    )


def _answer(issued: ApiTokens | UserError) -> Tokens:
    if isinstance(issued, UserError):
        raise issued
    return Tokens(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        refresh_token=issued.refresh_token,
        refresh_expires_at=issued.refresh_expires_at,
    )
