"""Asking to talk to sales: a form that everybody may send, without a puzzle."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.frontdoor.funnel.rules import visitor_key
from payflux.frontdoor.sales import rules
from payflux.frontdoor.sales.rules import TEAM_SIZES, Inquiry
from payflux.frontdoor.sales.service import source_of, take_lead
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.web.browsers import client_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Visitor
from payflux.web.launch import SelfServe
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other

router = APIRouter()

CONTACT = "/contact-sales"
PUBLIC = [guard(Audience.PUBLIC)]


@router.get(CONTACT, dependencies=PUBLIC)
async def contact_form(
    request: Request, who: Visitor, world: CurrentWorld, open_to_all: SelfServe, source: str = ""
) -> Response:
    """The form; a member finds their name and address in it."""
    form = {"name": "", "email": "", "company": "", "team_size": "", "message": "", "source": str(source_of(source))}
    if who is not None:
        form |= {"name": who.name, "email": who.email, "company": who.account_name}
    return _form(request, form, {}, shown=_stamp(world.tokens, world.clock.now()))


@router.post(CONTACT, dependencies=PUBLIC)
async def contact(
    request: Request,
    world: CurrentWorld,
    open_to_all: SelfServe,
    name: Text = "",
    email: Text = "",
    company: Text = "",
    team_size: Text = "",
    message: Text = "",
    source: Text = "",
    website: Text = "",
    shown: Text = "",
) -> Response:
    """Keep what they ask. `website` is a field that no person sees, and `shown` says when they were shown the form."""
    now, client = world.clock.now(), client_of(request)
    shown_at = _read_stamp(world.tokens, shown)
    inquiry = Inquiry(name, email, company, team_size, message, website)
    try:
        if problem := rules.pace_problem(shown_at, now):
            raise InvalidInput({"": problem})
        async with world.database.system() as session:
            await take_lead(
                session,
                world.tokens,
                inquiry,
                source=source_of(source),
                address=client.address,
                visitor=visitor_key(world.tokens, address=client.address, user_agent=client.user_agent, at=now),
                now=now,
            )
    except (InvalidInput, TooManyRequests) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"": f"{error.message} {error.way_out}"}
        form = {"name": name, "email": email, "company": company, "team_size": team_size, "message": message}
        too_old = shown_at is None or now - shown_at > rules.OLDEST
        again = _stamp(world.tokens, now) if too_old else shown
        return _form(request, form | {"source": str(source_of(source))}, errors, shown=again, status=error.status)
    return see_other(f"{CONTACT}/thanks")


@router.get(f"{CONTACT}/thanks", dependencies=PUBLIC)
async def thanks(request: Request, world: CurrentWorld, open_to_all: SelfServe) -> Response:
    """What happens next, and the way to pick a time at once."""
    return render(request, "contact_sales_thanks.html", scheduling_url=world.settings.scheduling_url)


def _form(
    request: Request, form: dict[str, str], errors: dict[str, str], *, shown: str, status: int = HTTPStatus.OK
) -> Response:
    return render(request, "contact_sales.html", status, form=form, errors=errors, shown=shown, team_sizes=TEAM_SIZES)


def _stamp(tokens: TokenHasher, now: datetime) -> str:
    """When a form was shown, signed, so that only forms of ours come back with one."""
    seconds = str(int(now.timestamp()))
    return f"{seconds}.{tokens.digest(f'sales form shown {seconds}').hex()}"


def _read_stamp(tokens: TokenHasher, stamp: str) -> datetime | None:
    seconds, _, digest = stamp.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12 and digest.isascii()):
        return None
    if not tokens.matches(digest, f"sales form shown {seconds}"):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)
