"""The landing page, registration, sign-in and sign-out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from payflux.activation.onboarding import open_account
from payflux.activation.service import get_workspace
from payflux.activation.states import HOME, ActivationState
from payflux.frontdoor.accounts import registering, sessions
from payflux.frontdoor.accounts.signing_in import sign_in as check_password
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.web.browsers import client_of, local_path, session_held, with_session
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]

Text = Annotated[str, Form()]


@router.get("/", dependencies=PUBLIC)
async def landing(request: Request, who: Visitor) -> Response:
    """What PayFlux does, in one screen."""
    return render(request, "landing.html")


@router.get("/start", dependencies=PUBLIC)
async def start(who: Visitor, world: CurrentWorld) -> Response:
    """The page the visitor belongs on: a stranger's is the landing page, a member's depends on the activation."""
    if who is None:
        return _see("/")
    async with world.database.tenant(who.account_id) as session:
        workspace = await get_workspace(session, account_id=who.account_id)
    return _see(HOME[ActivationState(workspace.activation_state)])


@router.get("/register", dependencies=PUBLIC)
async def register_form(request: Request, who: Visitor, next: str = "") -> Response:  # noqa: A002 -- the field's name
    if who is not None:
        return _see("/start")
    return render(request, "register.html", form={"name": "", "email": ""}, errors={}, next=local_path(next))


@router.post("/register", dependencies=PUBLIC)
async def register(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    name: Text = "",
    email: Text = "",
    password: Text = "",
) -> Response:
    """Create the account with its workspace and trial, and sign its owner in."""
    now = world.clock.now()
    try:
        async with world.database.system() as session:
            user = await registering.register_user(session, name=name, email=email, password=password, now=now)
            await open_account(session, user, now)
            token = await sessions.start_session(
                session,
                world.tokens,
                user_id=user.id,
                client=client_of(request),
                factors=["password"],
                now=now,
                replacing=session_held(who),
            )
    except (InvalidInput, registering.EmailTaken) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"email": f"{error.message} {error.way_out}"}
        form = {"name": name, "email": email}
        return render(request, "register.html", error.status, form=form, errors=errors, next="")
    return with_session(_see("/activate"), world, token)


@router.get("/sign-in", dependencies=PUBLIC)
async def sign_in_form(request: Request, who: Visitor, next: str = "") -> Response:  # noqa: A002 -- the field's name
    if who is not None:
        return _see(local_path(next) or "/start")
    return render(request, "sign_in.html", form={"email": ""}, errors={}, next=local_path(next))


@router.post("/sign-in", dependencies=PUBLIC)
async def sign_in(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    email: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    now = world.clock.now()
    client = request.client.host if request.client else ""
    problem = "That address and password do not belong together. Check both, then try again."
    token, status = "", HTTPStatus.UNPROCESSABLE_ENTITY
    try:
        async with world.database.system() as session:
            user = await check_password(session, world.tokens, email=email, password=password, client=client, now=now)
            if user is not None:
                token = await sessions.start_session(
                    session,
                    world.tokens,
                    user_id=user.id,
                    client=client_of(request),
                    factors=["password"],
                    now=now,
                    replacing=session_held(who),
                )
    except TooManyRequests as error:
        problem, status = f"{error.message} {error.way_out}", error.status
    if not token:
        form, errors = {"email": email}, {"": problem}
        return render(request, "sign_in.html", status, form=form, errors=errors, next=local_path(next))
    return with_session(_see(local_path(next) or "/start"), world, token)


@router.post("/sign-out", dependencies=[guard(verified=False)])
async def sign_out(who: Who, world: CurrentWorld) -> Response:
    async with world.database.system() as session:
        await sessions.sign_out(session, session_id=who.session_id)
    return with_session(_see("/"), world, "")


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)
