"""A forgotten password, and a changed one."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.changing_password import (
    NoPassword,
    change_password,
    is_password_of,
    require_password,
)
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import leak_problem, password_problem
from payflux.frontdoor.accounts.resetting import open_reset_link, request_reset, reset_password
from payflux.frontdoor.accounts.throttling import Budget, require_budget, spend
from payflux.frontdoor.accounts.verification.rules import LinkState
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.web.browsers import client_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render
from payflux.world.bootstrap import World

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
OWN = [guard(verified=False)]

SAME_TIME = 0.25
"""Seconds that the answer to a forgotten password takes at least, so that its time does not tell who is registered."""


@router.get("/forgot", dependencies=PUBLIC)
async def forgot_form(request: Request) -> Response:
    return render(request, "forgot.html", form={"email": ""}, errors={}, asked_for="")


@router.post("/forgot", dependencies=PUBLIC)
async def forgot(request: Request, world: CurrentWorld, email: Text = "") -> Response:
    """Mail a link to set a new password; the answer is the same for every address."""
    floor = asyncio.create_task(asyncio.sleep(SAME_TIME))
    now, client = world.clock.now(), client_of(request)
    try:
        if not rules.is_email(rules.normalize_email(email)):
            raise InvalidInput({"email": _("Enter an e-mail address like you@company.com.")})
        async with world.database.system() as session:
            budget = Budget(f"forgot from {client.address}", rules.RESETS_PER_CLIENT)
            await require_budget(session, world.tokens, budget, refusal=_("Too many requests."), now=now)
            await spend(session, world.tokens, budget.key, now=now)
            await request_reset(session, email=email, now=now)
    except (InvalidInput, TooManyRequests) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"": f"{error.message} {error.way_out}"}
        return render(request, "forgot.html", error.status, form={"email": email}, errors=errors, asked_for="")
    finally:
        await floor
    return render(request, "forgot.html", form={"email": ""}, errors={}, asked_for=email.strip())


@router.get("/reset", dependencies=PUBLIC)
async def reset_form(request: Request, world: CurrentWorld, token: str = "") -> Response:
    """Where the new password is typed; opening it uses nothing up."""
    async with world.database.system() as session:
        state, user = await open_reset_link(session, world.tokens, token=token, now=world.clock.now())
    return _reset_page(request, state, token=token, email=user.email if user else "")


@router.post("/reset", dependencies=PUBLIC)
async def reset(request: Request, world: CurrentWorld, token: Text = "", password: Text = "") -> Response:
    now = world.clock.now()
    async with world.database.system() as session:
        state, user = await open_reset_link(session, world.tokens, token=token, now=now)
    email = user.email if user else ""
    if state is LinkState.OPEN and user is not None:
        if problem := await new_password_problem(world, password, user):
            return _reset_page(request, state, token=token, email=email, errors={"password": problem})
        async with world.database.system() as session:
            state = await reset_password(session, world.tokens, token=token, password=password, now=now)
        if state is LinkState.OPEN:
            return _reset_page(request, "done", token="", email=email)
    return _reset_page(request, state, token=token, email=email)


@router.get("/account/password", dependencies=OWN)
async def change_form(request: Request, who: Who, world: CurrentWorld) -> Response:
    async with world.database.system() as session:
        require_password(await session.get_one(User, who.user_id))
    return render(request, "change_password.html", errors={}, done=False)


@router.post("/account/password", dependencies=OWN)
async def change(
    request: Request, who: Who, world: CurrentWorld, old_password: Text = "", password: Text = ""
) -> Response:
    """Change the caller's password; their other sessions end."""
    now, errors = world.clock.now(), {}
    try:
        async with world.database.system() as session:
            user = await session.get_one(User, who.user_id)
            correct = user.password_hash is None or await is_password_of(
                session, world.tokens, user=user, password=old_password, now=now
            )
            if not correct:
                errors["old_password"] = _("This is not your password.")
            if problem := await new_password_problem(world, password, user):
                errors["password"] = problem
            if not errors:
                await change_password(session, user=user, session_id=who.session_id, password=password, now=now)
    except (TooManyRequests, NoPassword) as error:
        errors = {"": f"{error.message} {error.way_out}"}
        return render(request, "change_password.html", error.status, errors=errors, done=False)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "change_password.html", status, errors=errors, done=not errors)


async def new_password_problem(world: World, password: str, user: User) -> str:
    """Why `password` is not acceptable as the user's new one; an empty string where it is."""
    return password_problem(password, context=(user.name, user.email)) or await leak_problem(world, password)


def _reset_page(
    request: Request, state: str, *, token: str, email: str, errors: dict[str, str] | None = None
) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    if state == LinkState.UNKNOWN:
        status = HTTPStatus.NOT_FOUND
    elif state not in (LinkState.OPEN, "done"):
        status = HTTPStatus.GONE
    return render(request, "reset.html", status, state=state, token=token, email=email, errors=errors or {})
