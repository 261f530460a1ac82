"""The workspaces of an account: what they come to, a new one, and who is in each."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from markupsafe import Markup

from payflux.activation.service import get_workspace
from payflux.activation.workspaces import ROLE_FEATURE, open_workspace, rename_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import manageable_roles, may
from payflux.frontdoor.accounts.team.queries import find_member, members
from payflux.frontdoor.accounts.workspaces.queries import find_workspace
from payflux.frontdoor.accounts.workspaces.service import add_to_workspace
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.database import in_account
from payflux.kit.errors import InvalidInput, UserError
from payflux.web.charts import Exposed, exposure_chart
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.web.rollup import HORIZONS, WorkspaceLine, read_rollup, sums_of

router = APIRouter(prefix="/workspaces")

HERE = "/workspaces"
FEATURE = "multi_processor"
READ = [guard(capability="monitor.read", feature=FEATURE)]
MANAGE = [guard(capability="workspaces.manage", feature=FEATURE, grace=False, of_account=True)]


@router.get("", dependencies=READ)
async def rollup(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """Each workspace that the caller is in, and what they come to by currency."""
    lines = await read_rollup(world, who)
    sums = sums_of(lines)
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "workspaces/list.html",
        lines=lines,
        sums=sums,
        horizons=HORIZONS,
        charts=[_charts(lines, each.trapped.currency) for each in sums],
        may_manage=may(who.role, "workspaces.manage") and who.parent_id is None,
        account_name=who.parent_name or who.account_name,
        **product_context(world, workspace, subscription),
    )


@router.get("/new", dependencies=MANAGE)
async def new_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """What a further workspace is, and its name."""
    return await _new_page(request, who, world, session, subscription)


@router.post("", dependencies=MANAGE)
async def add(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    name: Text = "",
) -> Response:
    """A further workspace; its page follows, where members are put into it."""
    try:
        added = await open_workspace(world, who, name=name)
    except UserError as refusal:
        return await _new_page(request, who, world, session, subscription, name=name, refusal=refusal)
    return see_other(f"{HERE}/{added.id}")


@router.get("/{workspace_id}", dependencies=MANAGE)
async def manage(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    workspace_id: UUID,
) -> Response:
    """A further workspace: its name, who is in it, and who of the account can be put there."""
    return await _manage_page(request, who, world, session, subscription, workspace_id)


@router.post("/{workspace_id}/name", dependencies=MANAGE)
async def rename(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    workspace_id: UUID,
    name: Text = "",
) -> Response:
    try:
        await rename_workspace(session, who, workspace_id=workspace_id, name=name, now=world.clock.now())
    except InvalidInput as refusal:
        return await _manage_page(
            request, who, world, session, subscription, workspace_id, name=name, errors=refusal.fields
        )
    return see_other(f"{HERE}/{workspace_id}")


@router.post("/{workspace_id}/members", dependencies=MANAGE)
async def add_member(
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    workspace_id: UUID,
    user_id: Annotated[UUID, Form()],
    role: Text = "",
) -> Response:
    """Put a member of the account into the workspace, in the role they have in the account where the plan has one role
    for all workspaces."""
    now = world.clock.now()
    held = await entitlements_of(session, world, account_id=who.account_id)
    if not held.features[ROLE_FEATURE]:
        found = await find_member(session, account_id=who.account_id, user_id=user_id)
        role = found.role if found else role  # of somebody else it is refused below, whatever the role
    await add_to_workspace(session, who, workspace_id=workspace_id, user_id=user_id, role=role, now=now)
    return see_other(f"{HERE}/{workspace_id}")


def _charts(lines: Sequence[WorkspaceLine], currency: str) -> list[Markup]:
    """The last horizon of the workspaces with exposure in `currency`, for a wide and a narrow screen."""
    exposed = [
        Exposed(line.name, each.at[-1][0]) for line in lines for each in line.trapped if each.currency == currency
    ]
    return [exposure_chart(exposed, currency, HORIZONS[-1], width) for width in (720, 360)]


async def _new_page(
    request: Request,
    who: SignedIn,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    *,
    name: str = "",
    refusal: UserError | None = None,
) -> Response:
    errors = refusal.fields if isinstance(refusal, InvalidInput) else {}
    if refusal is not None and not errors:
        errors = {"": f"{refusal.message} {refusal.way_out}"}
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "workspaces/new.html",
        refusal.status if refusal else HTTPStatus.OK,
        name=name,
        errors=errors,
        **product_context(world, workspace, subscription),
    )


async def _manage_page(
    request: Request,
    who: SignedIn,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    workspace_id: UUID,
    *,
    name: str | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    found = await find_workspace(session, account_id=who.account_id, workspace_id=workspace_id)
    async with in_account(session, found.id):
        there = await members(session, account_id=found.id)
    present = {member.user_id for member in there}
    everybody = await members(session, account_id=who.account_id)
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "workspaces/manage.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        further=found,
        members=there,
        is_here=who.user_id in present,
        others=[each for each in everybody if each.user_id not in present and each.user_id != who.user_id],
        roles=manageable_roles(who.role),
        may_choose_role=(await entitlements_of(session, world, account_id=who.account_id)).features[ROLE_FEATURE],
        name=found.name if name is None else name,
        errors=errors or {},
        **product_context(world, workspace, subscription),
    )
