"""Find accounts and users, and see their state and history; and what every route asks of its caller."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.admin.reading import accounts_connected_to, monitored_record
from payflux.frontdoor.accounts.devices import device_name
from payflux.frontdoor.accounts.factors.second_step import needs_second_step
from payflux.frontdoor.accounts.providers.identities import providers_of
from payflux.frontdoor.accounts.rules import printable
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import feature_flags
from payflux.frontdoor.staff.acts import record_look
from payflux.frontdoor.staff.finding import Found, account_record, accounts_by_id, find, user_record
from payflux.frontdoor.staff.selling.overrides import overrides
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.policies import guarded_routes
from payflux.web.rendering import render

router = APIRouter()


@router.get(PATH, dependencies=STAFF)
async def search_form(request: Request, staff: CurrentStaff) -> Response:
    return render(request, "admin/search.html", staff=staff, typed="", found=None)


@router.post(PATH, dependencies=STAFF)
async def search(request: Request, staff: CurrentStaff, world: CurrentWorld, typed: Text = "") -> Response:
    """What the words lead to. They are sent in a form, because an address has no place in an address line."""
    words = printable(typed).strip()[:320]
    async with world.database.system() as session:
        found = await find(session, words)
        if words and (connected := await accounts_connected_to(session, words)):
            found = Found(await accounts_by_id(session, connected), found.users)
    return render(request, "admin/search.html", staff=staff, typed=words, found=found)


@router.get(f"{PATH}/accounts/{{account_id}}", dependencies=STAFF)
async def account_page(request: Request, staff: CurrentStaff, world: CurrentWorld, account_id: UUID) -> Response:
    """Everything about one account; that it was opened stands in its log."""
    now = world.clock.now()
    async with world.database.system() as session:
        await account_record(session, account_id=account_id, now=now)
        await record_look(session, staff, account_id=account_id, now=now)
        record = await account_record(session, account_id=account_id, now=now)
        monitored = await monitored_record(session, account_id=account_id)
        granted = await overrides(session, account_id=account_id)
        features = await feature_flags(session)
    return render(
        request,
        "admin/account.html",
        staff=staff,
        record=record,
        monitored=monitored,
        names={member.user_id: member.name for member in record.members},
        overrides=granted,
        feature_words=features,
        limit_words=read_catalogue().limits,
        now=now,
    )


@router.get(f"{PATH}/users/{{user_id}}", dependencies=STAFF)
async def user_page(
    request: Request, staff: CurrentStaff, world: CurrentWorld, user_id: UUID, done: str = ""
) -> Response:
    """Everything about one user; that it was opened stands in the log of each account of theirs."""
    now = world.clock.now()
    async with world.database.system() as session:
        record = await user_record(session, user_id=user_id, now=now)
        for place in record.places:
            await record_look(session, staff, account_id=place.account_id, now=now)
        providers = await providers_of(session, user_id=user_id)
        two_steps = await needs_second_step(session, user_id=user_id)
    return render(
        request,
        "admin/user.html",
        staff=staff,
        record=record,
        providers=[provider.label for provider in providers],
        two_steps=two_steps,
        devices={each.id: device_name(each.user_agent) for each in record.sessions},
        done=done if done in ("sent", "ended") else "",
    )


@router.get(f"{PATH}/guards", dependencies=STAFF)
async def guards_page(request: Request, staff: CurrentStaff) -> Response:
    """Every route with what it asks of its caller, and what the last check of the wall between accounts found."""
    routes, isolation = guarded_routes(request.app), request.app.state.isolation
    return render(request, "admin/guards.html", staff=staff, routes=routes, isolation=isolation)
