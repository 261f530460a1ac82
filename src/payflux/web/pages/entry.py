"""Registration, and which page a visitor belongs on."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from payflux.activation.onboarding import SignUp, open_account
from payflux.activation.routing import Page, home
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts import rules, sessions
from payflux.frontdoor.accounts.registering import EmailTaken, check_registration, register_user
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.throttling import Budget, require_budget, spend
from payflux.frontdoor.accounts.verification.proving import send_verification, tell_owner
from payflux.frontdoor.billing.launch import may_register
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import standing_of, state_of
from payflux.frontdoor.funnel.events import RegisterStarted, SignUpMethod
from payflux.frontdoor.onboarding.milestones import milestones_of
from payflux.frontdoor.onboarding.wizard import get_told, is_due
from payflux.kit.errors import InvalidInput, TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.web.billing_words import PREVIEW
from payflux.web.browsers import (
    client_of,
    keep_address,
    last_method,
    local_path,
    session_held,
    with_last_method,
    with_session,
)
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Tenant, Visitor, Who
from payflux.web.launch import SelfServe, not_open
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.web.visits import record_view, visitor_of

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
NO_TRIAL = "/account/no-trial"


@router.get("/start", dependencies=PUBLIC)
async def start(who: Visitor, world: CurrentWorld, welcome: str = "") -> Response:
    """The page the visitor belongs on: a stranger's is the landing page, a new owner's the wizard, until they have
    answered it or connected something, and any other member's depends on the activation."""
    if who is None:
        return see_other("/")
    async with world.database.tenant(who.account_id) as session:
        workspace = await get_workspace(session, account_id=who.account_id)
        subscription = await newest_subscription(session, account_id=who.account_id)
        told, reached = await get_told(session, who), await milestones_of(session, account_id=who.account_id)
    if subscription is None:
        return see_other(NO_TRIAL)
    if state_of(standing_of(subscription), world.clock.now()) == "free":
        return see_other(PREVIEW)
    page = home(workspace, world.clock.now())
    if page is Page.ACTIVATE and not reached and is_due(who, told.progress):
        return see_other("/welcome")
    greeting = "?welcome=teammate" if welcome == "teammate" else ""
    return see_other(f"{page}{greeting}")


@router.get(NO_TRIAL, dependencies=[guard(verified=False)])
async def no_trial(request: Request, session: Tenant, who: Who, world: CurrentWorld) -> Response:
    """Why an account that was just opened has no trial, and the ways to go on."""
    if await newest_subscription(session, account_id=who.account_id) is not None:
        return see_other("/start")
    manages = may(who.role, "billing.manage")
    return render(request, "no_trial.html", manages=manages, sales_email=world.settings.sales_email)


@router.get("/register", dependencies=PUBLIC)
async def register_form(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    open_to_all: SelfServe,
    next: str = "",  # noqa: A002 -- the field's name
    plan: str = "",
    invite: str = "",
    source: Annotated[str, Query(alias="from")] = "",
    scan: str = "",
) -> Response:
    if invite:
        return see_other(f"/accept-invite?{urlencode({'code': invite})}")
    if who is not None:
        return see_other("/start")
    await record_view(request, RegisterStarted(), None)
    form = {"name": "", "email": "", "plan": plan[:50], "source": source[:50], "scan": scan[:100]}
    return render(
        request,
        "register.html",
        form=form,
        errors={},
        next=local_path(next),
        last_method=last_method(request, world),
        by_invitation=not open_to_all,
    )


@router.post("/register", dependencies=PUBLIC)
async def register(
    request: Request,
    who: Visitor,
    world: CurrentWorld,
    name: Text = "",
    email: Text = "",
    password: Text = "",
    plan: Text = "",
    source: Annotated[str, Form(alias="from")] = "",
    next: Text = "",  # noqa: A002 -- the field's name
    scan: Text = "",
) -> Response:
    """Create the account with its workspace and trial, and sign its owner in. For an address that somebody has, the
    answer is the same, with a session that opens nothing; that somebody is told by mail.

    While not everybody may register, an address that is not listed is refused before it is looked up. The `invite_code`
    of old links is ignored, like every field that the form does not have."""
    now, client = world.clock.now(), client_of(request)
    try:
        if problems := await check_registration(world, name=name, email=email, password=password):
            raise InvalidInput(problems)
        async with world.database.system() as session:
            budget = Budget(f"register from {client.address}", rules.REGISTRATIONS_PER_CLIENT)
            await require_budget(
                session, world.tokens, budget, refusal=_("Too many registrations from your network."), now=now
            )
            await spend(session, world.tokens, budget.key, now=now)
            if not await may_register(session, world.settings, email=email):
                return not_open(request)
            held = session_held(who)
            try:
                user = await register_user(session, name=name, email=email, password=password, now=now)
            except EmailTaken:
                await tell_owner(session, email=email, now=now)
                token = world.tokens.new_token()
                if held is not None:
                    await sessions.sign_out(session, session_id=held)
            else:
                sign_up = SignUp(SignUpMethod.PASSWORD, visitor_of(request))
                await open_account(
                    session, world.tokens, user, now, sign_up=sign_up, plan=plan, source=source, scan=scan
                )
                await send_verification(session, user, now)
                token = await sessions.start_session(
                    session,
                    world.tokens,
                    user_id=user.id,
                    client=client,
                    factors=["password"],
                    now=now,
                    replacing=held,
                )
    except (InvalidInput, TooManyRequests) as error:
        errors = error.fields if isinstance(error, InvalidInput) else {"": f"{error.message} {error.way_out}"}
        return render(
            request,
            "register.html",
            error.status,
            form={"name": name, "email": email, "plan": plan[:50], "source": source[:50], "scan": scan[:100]},
            errors=errors,
            next=local_path(next),
            last_method=last_method(request, world),
        )
    onward = urlencode({"next": local_path(next)}) if local_path(next) else ""
    answer = with_session(see_other(f"/verify-email?{onward}".rstrip("?")), world, token)
    return with_last_method(keep_address(answer, world, email.strip()), world, "password")
