"""Prove an address, and change a password, for programs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from payflux.frontdoor.accounts.changing_password import change_password, is_password_of
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import leak_problem, password_problem
from payflux.frontdoor.accounts.verification import proving
from payflux.frontdoor.accounts.verification.rules import LinkState
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.messages import gettext as _
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import Audience, guard

router = APIRouter(prefix="/auth", tags=["auth"])

OWN = [guard(verified=False)]
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"description": "There is nothing left to prove"},
    429: {"description": "Too many attempts; wait"},
}


class LinkNotUsable(Conflict):
    """A link proves nothing: it was used, superseded, is too old, or is not one of ours."""

    code = "link_not_usable"


class Link(BaseModel):
    """The token of a mailed link."""

    token: str = Field(max_length=200)


class PasswordChange(BaseModel):
    """The present password and the one that takes its place."""

    old_password: str = Field(max_length=512)
    password: str = Field(max_length=512)


class Verified(BaseModel):
    """The address that is proven, and since when."""

    email: str
    verified_at: datetime


@router.post("/email/send-verification", dependencies=OWN, status_code=HTTPStatus.ACCEPTED, responses=REFUSED)
async def send_verification(who: Who, world: CurrentWorld) -> None:
    """Mail a link and a code to the caller's address."""
    async with world.database.system() as session:
        await proving.send_verification(session, await session.get_one(User, who.user_id), world.clock.now())


@router.post("/email/verify", dependencies=[guard(Audience.PUBLIC)], responses=REFUSED)
async def verify(world: CurrentWorld, given: Link) -> Verified:
    """Prove an address by the token of the link that was mailed to it. Nobody is signed in by it."""
    now = world.clock.now()
    async with world.database.system() as session:
        opened = await proving.use_link(session, world.tokens, token=given.token, signed_in=None, now=now)
    if opened.state is not LinkState.OPEN:
        raise LinkNotUsable(
            _("This link proves nothing (%(state)s).") % {"state": opened.state},
            way_out=_("Use the newest mail, or have another one sent."),
            details={"error": LinkNotUsable.code, "state": opened.state},
        )
    return Verified(email=opened.email, verified_at=now)


@router.post("/password/change", dependencies=OWN, status_code=HTTPStatus.NO_CONTENT, responses=REFUSED)
async def change(who: Who, world: CurrentWorld, given: PasswordChange) -> None:
    """Change the caller's password; their other sessions end, and they are told by mail."""
    now = world.clock.now()
    async with world.database.system() as session:
        user = await session.get_one(User, who.user_id)
        context = (user.name, user.email)
        problem = password_problem(given.password, context=context) or await leak_problem(world, given.password)
        correct = user.password_hash is None or await is_password_of(
            session, world.tokens, user=user, password=given.old_password, now=now
        )
        if correct and not problem:
            await change_password(session, user=user, session_id=who.session_id, password=given.password, now=now)
    # refused after the transaction, so that a wrong password stays counted
    if not correct:
        raise InvalidInput({"old_password": _("This is not your password.")})
    if problem:
        raise InvalidInput({"password": problem})
