"""Prove again who one is, before something dangerous: a new session, and back to where one was."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.changing_password import is_password_of
from payflux.frontdoor.accounts.factors.passkeys import authentication_options, use_passkey
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.second_step import use_code
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.verification.challenges import lock_user
from payflux.kit.errors import TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.web.browsers import client_of, local_path
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Who
from payflux.web.passkeys import browser_of, require_party
from payflux.web.policies import guard
from payflux.web.rendering import render, see_other
from payflux.web.signing_in import answer_signed_in
from payflux.world.bootstrap import World

router = APIRouter()

OWN = [guard(verified=False)]


@router.get("/account/confirm", dependencies=OWN)
async def confirm_form(
    request: Request,
    who: Who,
    world: CurrentWorld,
    next: str = "",  # noqa: A002 -- the field's name
) -> Response:
    """The ways in which this member can prove who they are; who came by single sign-on comes by it again."""
    if who.sso_account_id is not None:
        return see_other(f"/sso?{urlencode({'next': local_path(next)})}")
    async with world.database.system() as session:
        return await _page(request, session, who, next, {})


@router.post("/account/confirm", dependencies=OWN)
async def confirm(
    request: Request,
    who: Who,
    world: CurrentWorld,
    password: Text = "",
    code: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    """By the password and, where an authenticator app is set up, a code."""
    async with world.database.system() as session:
        errors, factors, status = await _prove(request, session, world, who, password, code)
        if errors:
            return await _page(request, session, who, next, errors, status)
        return await _confirmed(request, session, who, factors, next)


@router.post("/account/confirm/passkey/options", dependencies=OWN)
async def confirm_options(request: Request, who: Who, world: CurrentWorld) -> Response:
    async with world.database.system() as session:
        options = await authentication_options(
            session,
            world.tokens,
            require_party(request),
            user_id=who.user_id,
            browser=browser_of(request),
            purpose="confirm",
            now=world.clock.now(),
        )
    return Response(options, media_type="application/json")


@router.post("/account/confirm/passkey", dependencies=OWN)
async def confirm_by_passkey(
    request: Request,
    who: Who,
    world: CurrentWorld,
    credential: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    async with world.database.system() as session:
        holder = await use_passkey(
            session,
            world.tokens,
            require_party(request),
            user_id=who.user_id,
            browser=browser_of(request),
            purpose="confirm",
            credential=credential,
            now=world.clock.now(),
        )
        if holder is None:
            problem = {"": _("That passkey is not one of yours here. Try another way.")}
            return await _page(request, session, who, next, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        return await _confirmed(request, session, who, ["passkey"], next)


async def _prove(
    request: Request, session: AsyncSession, world: World, who: SignedIn, password: str, code: str
) -> tuple[dict[str, str], list[str], int]:
    """What is wrong, by field; else by what the member has proven who they are."""
    now, factors = world.clock.now(), ["password"]
    user = await lock_user(session, who.user_id)
    try:
        if not await is_password_of(session, world.tokens, user=user, password=password, now=now):
            return {"password": _("That is not your password.")}, [], HTTPStatus.UNPROCESSABLE_ENTITY
        if (await sign_in_methods(session, user_id=who.user_id)).totp:
            factor = await use_code(
                session,
                world.tokens,
                world.secrets,
                user_id=who.user_id,
                code=code[:64],
                address=client_of(request).address,
                now=now,
            )
            if not factor:
                return {"code": _("That code is wrong, or was used before.")}, [], HTTPStatus.UNPROCESSABLE_ENTITY
            factors.append(factor)
    except TooManyRequests as error:
        return {"": f"{error.message} {error.way_out}"}, [], error.status
    return {}, factors, HTTPStatus.OK


async def _confirmed(
    request: Request, session: AsyncSession, who: SignedIn, factors: list[str], next_page: str
) -> Response:
    to = local_path(next_page) or "/account/security"
    return await answer_signed_in(request, session, who=who, user_id=who.user_id, factors=factors, next_page=to)


async def _page(
    request: Request, session: AsyncSession, who: SignedIn, next_page: str, errors: dict[str, str], status: int = 200
) -> Response:
    return render(
        request,
        "confirm.html",
        status,
        methods=await sign_in_methods(session, user_id=who.user_id),
        next=local_path(next_page),
        errors=errors,
    )
