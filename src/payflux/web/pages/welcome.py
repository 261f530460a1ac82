"""The welcome wizard of a new owner: the business, the processor, the team; and the setup steps that follow it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import seat_allowance
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.bulk import Outcome, addresses_in, invite_many
from payflux.frontdoor.accounts.team.capabilities import Role, manageable_roles
from payflux.frontdoor.accounts.team.queries import seats
from payflux.frontdoor.accounts.team.rules import BULK_MAX
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.notices import SETUP_STEPS, dismiss, show_again
from payflux.frontdoor.onboarding.rules import STEPS, Answer, current_step, is_open
from payflux.frontdoor.onboarding.wizard import Given, Told, answer_step, get_told, is_due
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.pages.team import ROLE_WORDS
from payflux.web.policies import guard
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter(prefix="/welcome")

WELCOME, DASHBOARD = "/welcome", "/dashboard"
MEMBER = [guard(capability="monitor.read", entitled=True)]

Action = Literal["continue", "skip", "skip_rest", "connect", "more"]
"""What the buttons of a step do; `connect` continues and leads to where the chosen processor is connected, `more` asks
for room for more addresses, and answers nothing."""

ROWS, MORE_ROWS = 3, 3
InviteRow = tuple[str, str]
"""An address, and the role to invite it into."""


@router.get("", dependencies=MEMBER)
async def welcome(who: Who, session: Tenant) -> Response:
    """On to the first step that is not answered; to where they belong for everybody who has no wizard before them."""
    told = await get_told(session, who)
    return see_other(f"{WELCOME}/step-{current_step(told.progress)}" if is_due(who, told.progress) else "/start")


@router.get("/step-{step}", dependencies=MEMBER)
async def show(request: Request, who: Who, world: CurrentWorld, session: Tenant, step: int) -> Response:
    """A step that is open, with what it was answered before; any other leads to the one whose turn it is."""
    told = await get_told(session, who)
    if not is_due(who, told.progress) or not is_open(told.progress, step):
        return see_other(WELCOME)
    return await _page(request, who, world, session, told, step)


@router.post("/step-{step}", dependencies=MEMBER)
async def answer(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    step: int,
    action: Annotated[Action, Form()] = "continue",
    name: Text = "",
    team_size: Text = "",
    role: Text = "",
    processor: Text = "",
    email: Annotated[list[str] | None, Form()] = None,
    email_role: Annotated[list[str] | None, Form()] = None,
    pasted: Text = "",
    pasted_role: Text = Role.ANALYST,
) -> Response:
    """Store the answer and go on: to the next step, or to the dashboard after the last."""
    told = await get_told(session, who)
    if not is_due(who, told.progress) or not is_open(told.progress, step):
        return see_other(WELCOME)
    form = {"name": name, "team_size": team_size, "role": role, "processor": processor}
    form |= {"pasted": pasted, "pasted_role": pasted_role}
    rows = list(zip(email or [], email_role or [], strict=False))
    if action == "more":
        return await _page(request, who, world, session, told, step, form=form, rows=[*rows, *_empty(MORE_ROWS)])
    try:
        if step == STEPS and action == "continue":
            listed = [(address.strip(), of) for address, of in rows if address.strip()]
            wanted = {normalize_email(each): (each, of) for each, of in listed}
            wanted |= {normalize_email(each): (each, pasted_role) for each in addresses_in(pasted)}
            outcomes = await _invite(session, world, who, list(wanted.values()))
            refused = {outcome.email: outcome.message for outcome in outcomes if outcome.invite_id is None}
            if refused:
                left = [row for row in wanted.values() if row[0] in refused]
                return await _page(
                    request,
                    who,
                    world,
                    session,
                    told,
                    step,
                    form=form | {"pasted": ""},
                    rows=left,
                    errors={f"email-{place}": refused[address] for place, (address, _) in enumerate(left, start=1)},
                    invited=[outcome.email for outcome in outcomes if outcome.invite_id],
                )
        given = Given(name if step == 1 else None, team_size or None, role or None, processor or None)
        kind = Answer.CONTINUE if action == "connect" else Answer(action)
        progress = await answer_step(session, who, step=step, answer=kind, given=given, now=world.clock.now())
    except InvalidInput as wrong:
        return await _page(request, who, world, session, told, step, form=form, rows=rows, errors=wrong.fields)
    if action == "connect" and (chosen := read_catalogue().wizard.processors.get(processor)):
        return see_other(chosen.path)
    following = step + 1 if is_open(progress, step + 1) else None
    return see_other(f"{WELCOME}/step-{following}" if following else DASHBOARD)


@router.post("/steps/hide", dependencies=MEMBER)
async def hide_steps(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    """Take the setup steps off this member's dashboard; the settings bring them back."""
    await dismiss(session, who, SETUP_STEPS, now=world.clock.now())
    return see_other(DASHBOARD)


@router.post("/steps/show", dependencies=MEMBER)
async def show_steps(who: Who, session: Tenant) -> Response:
    await show_again(session, who, SETUP_STEPS)
    return see_other(f"{DASHBOARD}#setup")


async def _invite(session: AsyncSession, world: World, who: SignedIn, wanted: list[InviteRow]) -> list[Outcome]:
    """Invite each address into its role, as far as seats and caps last. Raises InvalidInput for too many at once."""
    if len(wanted) > BULK_MAX:
        raise InvalidInput({"pasted": _("Give at most %(most)s addresses at once.") % {"most": BULK_MAX}})
    if not wanted:
        return []
    outcomes = []
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    for role in dict.fromkeys(of for _address, of in wanted):
        emails = [email for email, of in wanted if of == role]
        outcomes += await invite_many(
            session, world.tokens, who, emails=emails, role=role, allowance=allowance, now=world.clock.now()
        )
    return outcomes


def _empty(count: int) -> list[InviteRow]:
    return [("", Role.ANALYST)] * count


async def _page(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    told: Told,
    step: int,
    *,
    form: dict[str, str] | None = None,
    rows: list[InviteRow] | None = None,
    errors: dict[str, str] | None = None,
    invited: list[str] | None = None,
) -> Response:
    stored = {
        "name": who.account_name,
        "team_size": told.team_size or "",
        "role": told.role or "",
        "processor": told.processor or "",
        "pasted": "",
        "pasted_role": Role.ANALYST,
    }
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    return render(
        request,
        f"welcome/step_{step}.html",
        422 if errors else 200,
        step=step,
        steps=STEPS,
        form=form or stored,
        errors=errors or {},
        wizard=read_catalogue().wizard,
        rows=rows or _empty(ROWS),
        roles=manageable_roles(who.role),
        role_words=ROLE_WORDS,
        seats=await seats(session, account_id=who.account_id, allowance=allowance, now=world.clock.now()),
        invited=invited or [],
    )
