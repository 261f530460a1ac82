"""An invite as whoever opens its link sees it. Looking uses nothing up: a button does."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.joining import join, register_invited
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn, sign_out, start_session
from payflux.frontdoor.accounts.team.accepting import InviteUnusable, Offer, open_invite
from payflux.frontdoor.accounts.team.rules import InviteState
from payflux.kit.errors import InvalidInput, UserError
from payflux.web.browsers import client_of, session_held, with_last_method, with_session
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor, Who
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter(prefix="/accept-invite")

PUBLIC = [guard(Audience.PUBLIC)]
OWN = [guard(verified=False)]  # the verb asks for a verified address, and the page says where to prove it
WELCOME = "/?welcome=teammate"


@router.get("", dependencies=PUBLIC)
async def invite_page(request: Request, who: Visitor, world: CurrentWorld, code: str = "") -> Response:
    """What is offered, to whom, and what stands in the way of accepting it."""
    return await show_invite(request, world, who, code)


@router.post("", dependencies=OWN)
async def accept(request: Request, who: Who, world: CurrentWorld, code: Text = "") -> Response:
    """Join the account as who is signed in."""
    try:
        async with world.database.system() as session:
            await join(session, world, who, code=code)
    except UserError as refusal:
        return await show_invite(request, world, who, code, refusal)
    return see_other(WELCOME)


@router.post("/register", dependencies=PUBLIC)
async def register(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    code: Text = "",
    name: Text = "",
    email: Text = "",
    password: Text = "",
) -> Response:
    """Join it as somebody new, with a password."""
    try:
        async with world.database.system() as session:
            user, offer = await register_invited(session, world, code=code, name=name, email=email, password=password)
            token = await start_session(
                session,
                world.tokens,
                user_id=user.id,
                client=client_of(request),
                factors=["password"],
                now=world.clock.now(),
                replacing=session_held(who),
                account_id=offer.account_id,
            )
    except UserError as refusal:
        return await show_invite(request, world, who, code, refusal, name=name)
    return with_last_method(with_session(see_other(WELCOME), world, token), world, "password")


@router.post("/switch", dependencies=OWN)
async def switch(who: Who, world: CurrentWorld, code: Text = "") -> Response:
    """Sign out, and come back to the invite as somebody else."""
    async with world.database.system() as session:
        await sign_out(session, session_id=who.session_id)
    return with_session(see_other(f"/login?{urlencode({'next': _address(code)})}"), world, "")


async def show_invite(
    request: Request,
    world: World,
    who: SignedIn | None,
    code: str,
    refusal: UserError | None = None,
    *,
    name: str = "",
) -> Response:
    """The invite's page, with why it was refused; `name` is what was typed. Raises the refusal for a program."""
    if refusal is not None and "text/html" not in request.headers.get("Accept", ""):
        raise refusal  # whoever reads no page gets it as problem details
    offer: Offer | None = None
    async with world.database.system() as session:
        with suppress(InviteUnusable):
            offer = await open_invite(session, world.tokens, code=code, now=world.clock.now())
    view, status = _view(offer, who)
    errors = {} if refusal is None else _errors(refusal)
    return render(
        request,
        "accept_invite.html",
        status if refusal is None else max(status, refusal.status),
        view=view,
        offer=offer,
        code=code,
        back=_address(code),
        form={"name": name},
        errors=errors,
    )


def _view(offer: Offer | None, who: SignedIn | None) -> tuple[str, int]:
    """Which of the cases this is, by name, and its status."""
    if offer is None:
        return "unknown", HTTPStatus.NOT_FOUND
    if offer.state is InviteState.ACCEPTED and who is not None and who.user_id == offer.accepted_by:
        return "joined", HTTPStatus.OK
    if offer.state is not InviteState.OPEN:
        return str(offer.state), HTTPStatus.GONE
    if who is None:
        return "stranger", HTTPStatus.OK
    if normalize_email(who.email) != normalize_email(offer.email):
        return "mismatch", HTTPStatus.OK
    return "match" if who.email_verified else "unverified", HTTPStatus.OK


def _errors(refusal: UserError) -> dict[str, str]:
    match refusal:
        case InvalidInput():
            return refusal.fields
        case InviteUnusable():
            return {}  # the page itself says it
        case _:
            return {"": f"{refusal.message} {refusal.way_out}"}


def _address(code: str) -> str:
    return f"/accept-invite?{urlencode({'code': code})}"
