"""The second step of signing in, and signing in by a passkey, which takes both at once."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.passkeys import authentication_options, use_passkey
from payflux.frontdoor.accounts.factors.second_step import Proven, end_second_step, half_signed_in, prove_by_code
from payflux.kit.errors import TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import client_of, local_path, with_last_method
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor
from payflux.web.passkeys import browser_of, require_party
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.web.signing_in import answer_signed_in, second_step_token, without_second_step
from payflux.world.bootstrap import World
from payflux.world.outbox import enqueue_mail_to_user

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]

LATE = mark("That took too long, or too many codes were wrong. Sign in again.")
WRONG_CODE = mark("That code is wrong, or was used before. Type the one that your app shows now.")
NO_PASSKEY = mark("That passkey does not sign anybody in here. Try another, or use your password.")


@router.get("/login/second-step", dependencies=PUBLIC)
async def second_step_form(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    next: str = "",  # noqa: A002 -- the field's name
) -> Response:
    """Asks for a code of somebody whose first step is proven; anybody else starts over."""
    async with world.database.system() as session:
        proven = await _half(request, session, world)
    if proven is None:
        return see_other("/start" if who else "/login")
    return _page(request, next, {})


@router.post("/login/second-step", dependencies=PUBLIC)
async def take_second_step(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    code: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    """Open the session for a right code; a wrong one may be tried again a few times."""
    now, token = world.clock.now(), second_step_token(request, world)
    try:
        async with world.database.system() as session:
            proven = await prove_by_code(
                session,
                world.tokens,
                world.secrets,
                token=token,
                code=code[:64],
                address=client_of(request).address,
                now=now,
            )
            if proven is not None:
                if "recovery_code" in proven.factors:
                    await enqueue_mail_to_user(
                        session, "security_notice", proven.user_id, what="recovery_code_used", at=now.isoformat()
                    )
                return await _go_on(request, session, who=who, proven=proven, next_page=next)
            still = await half_signed_in(session, world.tokens, token=token, now=now)
    except TooManyRequests as error:
        return _page(request, next, {"code": f"{error.message} {error.way_out}"}, error.status)
    if still is None:
        return without_second_step(_start_over(request, _(LATE)), world)
    return _page(request, next, {"code": _(WRONG_CODE)}, HTTPStatus.UNPROCESSABLE_ENTITY)


@router.post("/login/second-step/passkey/options", dependencies=PUBLIC)
async def second_step_passkey_options(request: Request, world: CurrentWorld) -> Response:
    """What the browser needs to answer by one of the passkeys of whoever is half signed in."""
    async with world.database.system() as session:
        proven = await _half(request, session, world)
        return await _options(request, session, world, proven)


@router.post("/login/second-step/passkey", dependencies=PUBLIC)
async def second_step_by_passkey(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    credential: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    async with world.database.system() as session:
        half = await _half(request, session, world)
        if half is None:
            return without_second_step(_start_over(request, _(LATE)), world)
        if await _holder(request, session, world, credential, half) is None:
            problem = {"": _("That passkey is not one of yours here. Try another, or type a code.")}
            return _page(request, next, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        await end_second_step(session, world.tokens, token=second_step_token(request, world))
        proven = Proven(half.user_id, half.factors | {"passkey"}, half.sso_account_id)
        return await _go_on(request, session, who=who, proven=proven, next_page=next)


@router.post("/login/passkey/options", dependencies=PUBLIC)
async def passkey_options(request: Request, world: CurrentWorld) -> Response:
    """What the browser needs to answer by any passkey that it holds for us."""
    async with world.database.system() as session:
        return await _options(request, session, world, None)


@router.post("/login/passkey", dependencies=PUBLIC)
async def sign_in_by_passkey(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    credential: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    """Open a session for whoever holds a passkey and has shown so to their device."""
    async with world.database.system() as session:
        user_id = await _holder(request, session, world, credential, None)
        if user_id is None:
            return _start_over(request, _(NO_PASSKEY))
        proven = Proven(user_id, frozenset({"passkey"}))
        answer = await _go_on(request, session, who=who, proven=proven, next_page=next)
    return with_last_method(answer, world, "passkey")


async def _half(request: Request, session: AsyncSession, world: World) -> Proven | None:
    token = second_step_token(request, world)
    return await half_signed_in(session, world.tokens, token=token, now=world.clock.now()) if token else None


async def _options(request: Request, session: AsyncSession, world: World, half: Proven | None) -> Response:
    options = await authentication_options(
        session,
        world.tokens,
        require_party(request),
        user_id=half.user_id if half else None,
        browser=browser_of(request),
        purpose="second_step" if half else "sign_in",
        now=world.clock.now(),
    )
    return Response(options, media_type="application/json")


async def _holder(
    request: Request, session: AsyncSession, world: World, credential: str, half: Proven | None
) -> UUID | None:
    return await use_passkey(
        session,
        world.tokens,
        require_party(request),
        user_id=half.user_id if half else None,
        browser=browser_of(request),
        purpose="second_step" if half else "sign_in",
        credential=credential,
        now=world.clock.now(),
    )


async def _go_on(request: Request, session: AsyncSession, *, who: Visitor, proven: Proven, next_page: str) -> Response:
    return await answer_signed_in(
        request,
        session,
        who=who,
        user_id=proven.user_id,
        factors=proven.factors,
        sso_account_id=proven.sso_account_id,
        next_page=local_path(next_page) or "/start",
    )


def _page(request: Request, next_page: str, errors: dict[str, str], status: int = HTTPStatus.OK) -> Response:
    return render(
        request,
        "second_step.html",
        status,
        errors=errors,
        next=local_path(next_page),
    )


def _start_over(request: Request, problem: str) -> Response:
    """The sign-in page, saying why."""
    return render(
        request,
        "sign_in.html",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        form={"email": ""},
        errors={"": problem},
        next="",
        last_method="",
    )
