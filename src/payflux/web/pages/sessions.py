"""Sign in, sign out, and end sessions elsewhere."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.frontdoor.accounts import sessions
from payflux.frontdoor.accounts.devices import device_cookie, known_device
from payflux.frontdoor.accounts.providers.identities import providers_instead_of_password
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.signing_in import sign_in as check_password
from payflux.kit.errors import TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import (
    client_of,
    kept,
    last_method,
    local_path,
    with_device,
    with_last_method,
    with_session,
)
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.web.signing_in import answer_first_step

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
OWN = [guard(verified=False)]
OUT = [guard(verified=False, any_way_in=True)]

REFUSAL = mark(
    "That address and password do not belong together. Check both, or sign in the way you registered: an account "
    "made with Google or Microsoft has no password."
)


@router.get("/sign-in", dependencies=PUBLIC)
async def former_sign_in_form(next: str = "") -> Response:  # noqa: A002 -- the field's name
    """Where the page stood before."""
    return see_other(f"/login?{urlencode({'next': local_path(next)})}" if local_path(next) else "/login")


@router.get("/login", dependencies=PUBLIC)
async def sign_in_form(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    next: str = "",  # noqa: A002 -- the field's name
) -> Response:
    if who is not None:
        return see_other(local_path(next) or "/start")
    return render(
        request,
        "sign_in.html",
        form={"email": ""},
        errors={},
        next=local_path(next),
        last_method=last_method(request, world),
    )


@router.post("/login", dependencies=PUBLIC)
async def sign_in(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    email: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    """Open a session for whoever knows the password. Only a browser in which the address was signed in to before is
    told that it has none."""
    now, client = world.clock.now(), client_of(request)
    cookie, address = kept(request, world, "device"), normalize_email(email)
    problem, status, answer = _(REFUSAL), HTTPStatus.UNPROCESSABLE_ENTITY, None
    try:
        async with world.database.system() as session:
            user = await check_password(
                session,
                world.tokens,
                email=email,
                password=password,
                client=client.address,
                device_cookie=cookie,
                now=now,
            )
            if user is not None:
                answer = await answer_first_step(
                    request,
                    session,
                    who=who,
                    user_id=user.id,
                    factor="password",
                    next_page=local_path(next) or "/start",
                )
            elif known_device(world.tokens, cookie, address) and (
                providers := await providers_instead_of_password(session, email=address)
            ):
                names = " or ".join(provider.label for provider in providers)
                problem, status = (
                    _("You sign in to this account with %(names)s.") % {"names": names},
                    HTTPStatus.BAD_REQUEST,
                )
    except TooManyRequests as error:
        problem, status = f"{error.message} {error.way_out}", error.status
    if answer is None:
        return render(
            request,
            "sign_in.html",
            status,
            form={"email": email},
            errors={"": problem},
            next=local_path(next),
            last_method=last_method(request, world),
        )
    if not known_device(world.tokens, cookie, address):
        answer = with_device(answer, world, device_cookie(world.tokens, address))
    return with_last_method(answer, world, "password")


@router.post("/sign-out", dependencies=OUT)
async def sign_out(who: Who, world: CurrentWorld, next: Text = "") -> Response:  # noqa: A002 -- the field's name
    async with world.database.system() as session:
        await sessions.sign_out(session, session_id=who.session_id)
    return with_session(see_other(local_path(next) or "/"), world, "")


@router.post("/account/sessions/end", dependencies=OWN)
async def end_session(who: Who, world: CurrentWorld, session_id: Text = "") -> Response:
    """End one of the caller's sessions; without an id, all but this one. One that is not theirs stays."""
    async with world.database.system() as session:
        if not session_id:
            await sessions.end_sessions(session, user_id=who.user_id, except_id=who.session_id)
        else:
            await sessions.end_session(session, user_id=who.user_id, session_id=_uuid(session_id))
    return see_other("/account/security")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
