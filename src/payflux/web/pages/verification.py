"""Prove an address: the page that asks for the mailed code, the wall once the grace has ended, and the mailed link."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from math import ceil
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.verification import proving
from payflux.frontdoor.accounts.verification.challenges import newest_challenge, next_mail_at
from payflux.frontdoor.accounts.verification.proving import AlreadyVerified, CodeAnswer, OpenedLink
from payflux.frontdoor.accounts.verification.rules import LinkState, Purpose
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import kept_address, local_path, with_resend_at
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
PROVEN = [guard(verified=False, step_up=True)]

CODE_PROBLEMS = {
    CodeAnswer.WRONG: mark("This is not the code of the newest mail. Check the digits."),
    CodeAnswer.CLOSED: mark(
        "This code is not valid any more: it holds for 10 minutes and five tries. Have a new one sent."
    ),
    CodeAnswer.TAKEN: mark("This address has an account of its own meanwhile. Use another one."),
}


@router.get("/verify-email", dependencies=PUBLIC)
async def verify_page(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    token: str = "",
    next: str = "",  # noqa: A002 -- the field's name
    sent: str = "",
) -> Response:
    """With a token, what the mailed link is worth, and a button; without, where the code is typed."""
    if token:
        async with world.database.system() as session:
            opened = await proving.open_link(
                session, world.tokens, token=token, signed_in=_id(who), now=world.clock.now()
            )
        return _link_page(request, opened, token)
    return await _code_page(request, who, world, next=next, notice=_("A new mail is on its way.") if sent else "")


@router.post("/verify-email", dependencies=PUBLIC)
async def use_link(request: Request, who: Visitor, world: CurrentWorld, token: Text = "") -> Response:
    async with world.database.system() as session:
        opened = await proving.use_link(session, world.tokens, token=token, signed_in=_id(who), now=world.clock.now())
    if opened.state is LinkState.OPEN:
        return render(request, "verify_link.html", state="done", email=opened.email, token="")
    return _link_page(request, opened, token)


@router.post("/verify-email/code", dependencies=PUBLIC)
async def use_code(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    code: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    answer = CodeAnswer.WRONG
    if who is not None and who.must_prove_address:
        async with world.database.system() as session:
            answer = await proving.use_code(
                session, world.tokens, user_id=who.user_id, purpose=Purpose.VERIFY, code=code, now=world.clock.now()
            )
    if answer is CodeAnswer.RIGHT or (who is not None and not who.must_prove_address):
        return see_other(local_path(next) or "/start")
    return await _code_page(request, who, world, next=next, errors={"code": _(CODE_PROBLEMS[answer])})


@router.post("/verify-email/resend", dependencies=PUBLIC)
async def resend(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    address, now = kept_address(request, world), world.clock.now()
    try:
        async with world.database.system() as session:
            if who is not None:
                await proving.send_verification(session, await session.get_one(User, who.user_id), now)
            elif address:
                await proving.tell_owner(session, email=address, now=now)
    except AlreadyVerified:
        return see_other(local_path(next) or "/start")
    except TooManyRequests as error:
        problem = {"": f"{error.message} {error.way_out}"}
        return await _code_page(request, who, world, next=next, errors=problem, status=error.status)
    return see_other(f"/verify-email?{urlencode({'sent': '1', 'next': local_path(next)})}")


@router.post("/verify-email/address", dependencies=PUBLIC)
async def correct_address(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    email: Text = "",
    next: Text = "",  # noqa: A002 -- the field's name
) -> Response:
    if who is None:
        return see_other("/register")
    try:
        async with world.database.system() as session:
            user = await session.get_one(User, who.user_id)
            await proving.correct_address(session, user, email=email, now=world.clock.now())
    except AlreadyVerified:
        return see_other("/account/email")
    except InvalidInput as error:
        return await _code_page(request, who, world, next=next, errors=error.fields)
    except TooManyRequests as error:
        problem = {"": f"{error.message} {error.way_out}"}
        return await _code_page(request, who, world, next=next, errors=problem, status=error.status)
    return see_other(f"/verify-email?{urlencode({'sent': '1', 'next': local_path(next)})}")


@router.get("/account/email", dependencies=PROVEN)
async def change_form(request: Request, who: Who) -> Response:
    return render(request, "change_email.html", form={"email": ""}, errors={}, sent_to="")


@router.post("/account/email", dependencies=PROVEN)
async def change(request: Request, who: Who, world: CurrentWorld, email: Text = "") -> Response:
    """Mail a link to the address that shall take the place of the caller's."""
    try:
        async with world.database.system() as session:
            user = await session.get_one(User, who.user_id)
            await proving.request_change(session, user, email=email, now=world.clock.now())
    except (InvalidInput, TooManyRequests) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"": f"{error.message} {error.way_out}"}
        return render(request, "change_email.html", error.status, form={"email": email}, errors=errors, sent_to="")
    return render(request, "change_email.html", form={"email": ""}, errors={}, sent_to=email.strip())


async def _code_page(
    request: Request,
    who: SignedIn | None,
    world: World,
    *,
    next: str,  # noqa: A002 -- the field's name
    notice: str = "",
    errors: dict[str, str] | None = None,
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    """Where the code is typed; for a stranger who has just registered an address, as for the user they would be."""
    address, resend_at, now = kept_address(request, world), None, world.clock.now()
    if who is None and not address:
        return see_other(f"/login?{urlencode({'next': '/verify-email'})}")
    if who is not None and not who.must_prove_address:
        return render(request, "verify_link.html", state=LinkState.USED, email=who.email, token="")
    if who is not None:
        async with world.database.system() as session:
            address, resend_at = await _under_way(session, who, now=now)
    walled = who is not None and not who.email_verified and now >= who.grace_ends_at
    page = render(
        request,
        "verify_email.html",
        HTTPStatus(status if errors else HTTPStatus.FORBIDDEN if walled else HTTPStatus.OK),
        address=address,
        wait_seconds=max(0, ceil((resend_at - now).total_seconds())) if resend_at else 0,
        walled=walled,
        notice=notice,
        errors=errors or {},
        next=local_path(next),
    )
    return with_resend_at(page, world, resend_at) if resend_at else page


async def _under_way(session: AsyncSession, who: SignedIn, *, now: datetime) -> tuple[str, datetime | None]:
    """Which address the newest mail went to, and when the next may be sent."""
    newest = None
    if not who.email_verified:
        newest = await newest_challenge(session, user_id=who.user_id, purpose=Purpose.VERIFY)
    wait_until = await next_mail_at(session, user_id=who.user_id, purpose=Purpose.VERIFY, now=now)
    return newest.email if newest is not None else who.email, wait_until


def _link_page(request: Request, opened: OpenedLink, token: str) -> Response:
    usable = opened.state in (LinkState.OPEN, LinkState.USED, LinkState.OTHER_USER)
    status = HTTPStatus.OK if usable else HTTPStatus.NOT_FOUND if opened.state is LinkState.UNKNOWN else HTTPStatus.GONE
    return render(request, "verify_link.html", status, state=opened.state, email=opened.email, token=token)


def _id(who: SignedIn | None) -> UUID | None:
    return who.user_id if who is not None else None
