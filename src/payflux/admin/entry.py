"""Join the staff, sign in to the console, and sign out."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, SIGN_IN, STAFF, CurrentStaff, with_staff_session
from payflux.frontdoor.staff import joining, signing_in
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.web.browsers import client_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.pages.security import qr_code
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
REFUSAL = "Address, password and code do not belong together. A code works once: wait for the next."


@router.get(SIGN_IN, dependencies=PUBLIC)
async def sign_in_form(request: Request) -> Response:
    return render(request, "admin/sign_in.html", form={"email": ""}, errors={})


@router.post(SIGN_IN, dependencies=PUBLIC)
async def sign_in(
    request: Request, world: CurrentWorld, email: Text = "", password: Text = "", code: Text = ""
) -> Response:
    """Open the console for whoever has the password and the app of one of the staff."""
    problem, status, token = REFUSAL, HTTPStatus.UNPROCESSABLE_ENTITY, None
    try:
        async with world.database.system() as session:
            token = await signing_in.sign_in(
                session,
                world.tokens,
                world.secrets,
                email=email,
                password=password,
                code=code,
                client=client_of(request),
                now=world.clock.now(),
            )
    except TooManyRequests as error:
        problem, status = f"{error.message} {error.way_out}", error.status
    if token is None:
        return render(request, "admin/sign_in.html", status, form={"email": email}, errors={"": problem})
    return with_staff_session(see_other(PATH), world, token)


@router.post(f"{PATH}/sign-out", dependencies=STAFF)
async def sign_out(staff: CurrentStaff, world: CurrentWorld) -> Response:
    """End the session in the console, and the visit that goes with it."""
    async with world.database.system() as session:
        await signing_in.sign_out(session, staff)
    return with_staff_session(see_other(SIGN_IN), world, "")


@router.get(f"{PATH}/join", dependencies=PUBLIC)
async def join_form(request: Request, world: CurrentWorld, token: str = "") -> Response:
    """What the one-time link shows: the app's secret, and a form for the password and the first code."""
    return await _join_page(request, world, token, {})


@router.post(f"{PATH}/join", dependencies=PUBLIC)
async def join(
    request: Request, world: CurrentWorld, token: Text = "", password: Text = "", code: Text = ""
) -> Response:
    try:
        async with world.database.system() as session:
            await joining.join(
                session,
                world.tokens,
                world.secrets,
                token=token,
                password=password,
                code=code,
                now=world.clock.now(),
            )
    except InvalidInput as error:
        return await _join_page(request, world, token, error.fields)
    return see_other(SIGN_IN)


async def _join_page(request: Request, world: CurrentWorld, token: str, errors: dict[str, str]) -> Response:
    async with world.database.system() as session:
        shown = await joining.open_joining_link(
            session, world.tokens, world.secrets, token=token, now=world.clock.now()
        )
    return render(
        request,
        "admin/join.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        joining=shown,
        token=token,
        qr=qr_code(shown.uri),
        errors=errors,
    )
