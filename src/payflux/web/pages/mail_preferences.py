"""Which mails a member gets, and the link by which one mail is unsubscribed from without signing in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from payflux.activation.mail_preferences import (
    MailKind,
    Unsubscribing,
    read_unsubscribe_code,
    set_unwanted,
    unwanted_kinds,
)
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.team.queries import find_member
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import Audience, guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter()
one_click = APIRouter()
"""What mail programs post to, which were never shown a form of ours (RFC 8058)."""

PAGE = "/settings/mail"
UNSUBSCRIBE = "/mail/unsubscribe/{code}"

KINDS = {
    MailKind.WEEKLY_SUMMARY: (
        mark("Weekly summary"),
        mark("On Monday morning: your risk tier, what is trapped now and what was a week ago, and the week's alerts."),
    ),
    MailKind.ALERTS: (
        mark("Alerts"),
        mark("When a rule raises an alert that you are to be told of. Without these mails you see alerts here alone."),
    ),
    MailKind.REMINDERS: (
        mark("Reminders"),
        mark("One day and three days after you begin, while no payment processor is connected."),
    ),
    MailKind.REPORTS: (
        mark("Reports of evidence"),
        mark("Each week or month, where a member chose you for one under Evidence."),
    ),
    MailKind.CHECKPOINTS: (
        mark("Signed checkpoints"),
        mark(
            "Each day, where you ask for it here: the signed tree over all ledgers. Whoever keeps one would notice if "
            "something that was said before were changed."
        ),
    ),
}
"""Each kind of mail with its name, and when it comes."""


@router.get(PAGE, dependencies=[guard(verified=False)])
async def show(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The mails that come by themselves, each with whether it does."""
    return render(
        request,
        "mail_preferences.html",
        kinds=KINDS,
        unwanted=await unwanted_kinds(session, account_id=who.account_id, user_id=who.user_id),
        saved="saved" in request.query_params,
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )


@router.post(PAGE, dependencies=[guard(verified=False)])
async def choose(
    who: Who, session: Tenant, world: CurrentWorld, wanted: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Get those kinds of mail that are `wanted`, and no other."""
    for kind in MailKind:
        whose = Unsubscribing(who.account_id, who.user_id, kind)
        await set_unwanted(session, whose, unwanted=kind not in (wanted or []), now=world.clock.now())
    return see_other(f"{PAGE}?saved=yes")


@router.get(UNSUBSCRIBE, dependencies=[guard(Audience.PUBLIC)])
async def ask(request: Request, world: CurrentWorld, code: str) -> Response:
    """Ask whoever opens the link of a mail: programs that look at links for safety unsubscribe nobody."""
    whose = _whose(world.tokens, code)
    return render(request, "unsubscribe.html", kind=KINDS[whose.kind][0], code=code, done=False)


@one_click.post(UNSUBSCRIBE, dependencies=[guard(Audience.PUBLIC)])
async def unsubscribe(request: Request, world: CurrentWorld, code: str) -> Response:
    """Send no more mails of the kind. The same a second time."""
    whose = _whose(world.tokens, code)
    async with world.database.tenant(whose.account_id) as session:
        if await find_member(session, account_id=whose.account_id, user_id=whose.user_id):
            await set_unwanted(session, whose, unwanted=True, now=world.clock.now())
    return render(request, "unsubscribe.html", kind=KINDS[whose.kind][0], code=code, done=True)


def _whose(tokens: TokenHasher, code: str) -> Unsubscribing:
    whose = read_unsubscribe_code(tokens, code)
    if whose is None:
        raise NotFound(
            _("This link is not one of ours; perhaps it was cut off where it was copied. Nothing was changed."),
            way_out=_("Sign in and choose your mails under Settings."),
        )
    return whose
