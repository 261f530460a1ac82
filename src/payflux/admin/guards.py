"""Who of the staff is asking. Their cookie is sent to the console alone, and a customer's opens nothing here."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from payflux.frontdoor.staff import rules
from payflux.frontdoor.staff.signing_in import Staff, StaffNotSignedIn, authenticate, prove
from payflux.frontdoor.staff.visits import end_visit
from payflux.kit.errors import InvalidInput
from payflux.web.browsers import kept
from payflux.web.errors import present
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, Guard, Policy
from payflux.world.bootstrap import World

PATH = "/admin"
SIGN_IN = f"{PATH}/sign-in"
Answer = TypeVar("Answer", bound=Response)


async def staff_signed_in(request: Request, world: CurrentWorld) -> Staff:
    """Who of the staff is asking. Raises StaffNotSignedIn for anybody else."""
    async with world.database.system() as session:
        token = request.cookies.get(cookie_name(world), "")
        return await authenticate(session, world.tokens, token=token, now=world.clock.now())


CurrentStaff = Annotated[Staff, Depends(staff_signed_in)]


async def staff_proven(staff: CurrentStaff, world: CurrentWorld, code: Text = "") -> Staff:
    """The same, for a form that carries a fresh code of their authenticator app. Raises InvalidInput for another."""
    async with world.database.system() as session:
        proven = await prove(session, world.tokens, world.secrets, staff, code=code, now=world.clock.now())
    if not proven:
        raise InvalidInput(
            {"code": "This is not a fresh code."},
            message="This is not the code that your app shows now, or it was used already. Nothing was changed.",
        )
    return staff


async def visit_ended(request: Request, world: CurrentWorld) -> UUID:
    """End the visit whose session this browser holds; the account it was to. Its holder is proven by it, also when the
    console has signed them out by now. Raises StaffNotSignedIn for anybody else."""
    token = kept(request, world, "session")
    async with world.database.system() as session:
        account_id = await end_visit(session, world.tokens, token=token, now=world.clock.now())
    if account_id is None:
        raise StaffNotSignedIn("There is no visit to end.", way_out=f"Sign in at {SIGN_IN}.")
    return account_id


EndedVisit = Annotated[UUID, Depends(visit_ended)]

STAFF = [Guard(policy=Policy(Audience.STAFF), dependency=staff_signed_in)]
STEPPED_UP = [Guard(policy=Policy(Audience.STAFF, step_up=True), dependency=staff_proven)]
"""For a form that carries a fresh code."""
VISITING = [Guard(policy=Policy(Audience.STAFF), dependency=visit_ended)]
"""For the one way out of a visit."""


def cookie_name(world: World) -> str:
    """The name of the staff's cookie. Its prefix ties it to HTTPS; the one that ties it to the host too is for cookies
    of the whole site alone."""
    return "__Secure-payflux_staff" if world.settings.url.startswith("https://") else "payflux_staff"


def with_staff_session(response: Answer, world: World, token: str) -> Answer:
    """`response` with the cookie of the console; an empty `token` deletes it."""
    response.set_cookie(
        cookie_name(world),
        token,
        path=PATH,
        httponly=True,
        samesite="strict",
        secure=world.settings.url.startswith("https://"),
        max_age=int(rules.SESSION_ABSOLUTE.total_seconds()) if token else 0,
    )
    return response


async def to_sign_in(request: Request, error: Exception) -> Response:
    """What somebody is answered who is not signed in to the console."""
    assert isinstance(error, StaffNotSignedIn)
    wants_page = "text/html" in request.headers.get("Accept", "")
    return RedirectResponse(SIGN_IN, 303) if wants_page else present(request, error)
