"""One's own name, the account's name, the accounts one is in, and the ends of an account: export and deletion."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response, StreamingResponse

from payflux.activation.deletion import delete_account, deletion_blockers
from payflux.activation.service import get_workspace
from payflux.activation.workspaces import rename_here
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import members, queries
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.exporting import account_document
from payflux.kit.errors import InvalidInput, UserError
from payflux.web.browsers import with_session
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter(prefix="/account")

PROFILE = "/account/profile"
AFTER_SWITCH = ("/account/billing", "/account/delete", "/account/team", "/workspaces")
OWN = [guard(verified=False)]
# the ways out stay open: neither a plan nor an unproven address stands before them
EXPORT = [guard(verified=False, capability="account.export", step_up=True)]
DELETE = [guard(verified=False, capability="account.delete", step_up=True)]


@router.get("/profile", dependencies=OWN)
async def profile_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    return await _page(request, who, world, session, subscription)


@router.post("/profile", dependencies=OWN)
async def rename(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    name: Text = "",
) -> Response:
    """Change one's own name."""
    try:
        async with world.database.system() as system_session:
            await members.rename_user(system_session, user_id=who.user_id, name=name, now=world.clock.now())
    except InvalidInput as wrong:
        form = {"name": name, "account_name": who.account_name}
        return await _page(request, who, world, session, subscription, errors=wrong.fields, form=form)
    return see_other(PROFILE)


@router.post("/profile/account", dependencies=[guard(capability="account.update")])
async def rename_account(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    account_name: Text = "",
) -> Response:
    try:
        await rename_here(session, who, name=account_name, now=world.clock.now())
    except InvalidInput as wrong:
        form = {"name": who.name, "account_name": account_name}
        errors = {"account_name": wrong.fields["name"]}
        return await _page(request, who, world, session, subscription, errors=errors, form=form)
    return see_other(PROFILE)


@router.post("/switch", dependencies=[guard(verified=False, any_way_in=True)])
async def switch_account(
    who: Who, world: CurrentWorld, account_id: Annotated[UUID, Form()], then: Text = ""
) -> Response:
    """Act in another of one's accounts or workspaces, and go on to a page that every one of them has."""
    async with world.database.system() as session:
        await members.act_in(session, session_id=who.session_id, user_id=who.user_id, account_id=account_id)
    return see_other(then if then in AFTER_SWITCH else "/start")


@router.get("/export", dependencies=EXPORT)
async def export(who: Who, world: CurrentWorld) -> Response:
    """Everything that is held of the account, as one JSON document."""
    name = f"payflux-{who.account_id}-{world.clock.now():%Y-%m-%d}.json"
    return StreamingResponse(
        account_document(world.database, account_id=who.account_id, now=world.clock.now()),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/delete", dependencies=DELETE)
async def delete_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """What is deleted, what stands in the way, and the field for the name."""
    return await _delete_page(request, who, world, session, subscription)


@router.post("/delete", dependencies=DELETE)
async def delete(request: Request, who: Who, world: CurrentWorld, name: Text = "") -> Response:
    """Delete the account, and sign out; after a further workspace, act in the account again."""
    try:
        receipt = await delete_account(world, who, typed_name=name)
    except UserError as refusal:
        errors = refusal.fields if isinstance(refusal, InvalidInput) else {"": f"{refusal.message} {refusal.way_out}"}
        async with world.database.tenant(who.account_id) as session:
            return await _delete_page(request, who, world, session, None, errors=errors, status=refusal.status)
    if who.parent_id is not None:
        async with world.database.system() as session:
            mine = {"session_id": who.session_id, "user_id": who.user_id}
            await members.act_in(session, **mine, account_id=who.parent_id)
        return render(request, "account_deleted.html", receipt=receipt, email=who.email, further=True)
    request.state.who = None
    page = render(request, "account_deleted.html", receipt=receipt, email=who.email, further=False)
    return with_session(page, world, "")


async def _page(
    request: Request,
    who: SignedIn,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    *,
    errors: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
) -> Response:
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "profile.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        who=who,
        own_places=who.places,
        may_update=may(who.role, "account.update"),
        may_export=may(who.role, "account.export"),
        may_delete=may(who.role, "account.delete"),
        form=form or {"name": who.name, "account_name": who.account_name},
        errors=errors or {},
        **product_context(world, workspace, subscription),
    )


async def _delete_page(
    request: Request,
    who: SignedIn,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    *,
    errors: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> Response:
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "account_delete.html",
        status,
        who=who,
        members=await queries.members(session, account_id=who.account_id),
        blockers=await deletion_blockers(session, account_id=who.account_id, now=world.clock.now()),
        errors=errors or {},
        **product_context(world, workspace, subscription),
    )
