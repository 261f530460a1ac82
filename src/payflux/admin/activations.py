"""Every activation: where it stands, why, and the two ways to help it on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.keeping import go_on, release
from payflux.activation.models import Workspace
from payflux.activation.obstacles import is_obstacle
from payflux.activation.service import get_workspace
from payflux.activation.states import LIVE, ActivationState
from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.staff.acts import record_act, require_reason
from payflux.frontdoor.staff.signing_in import Staff
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other

router = APIRouter()

ACTIVATIONS = f"{PATH}/activations"
SHOWN = 200
"""Activations on the page, those that are held up the longest first."""
DONE = {
    "again": "It is tried again now.",
    "released": "It goes on as it is, past what held it up.",
}


@router.get(ACTIVATIONS, dependencies=STAFF)
async def activations_page(request: Request, staff: CurrentStaff, world: CurrentWorld, done: str = "") -> Response:
    """How many workspaces are in each state, and each that is connected and not live."""
    async with world.database.system() as session:
        counted = select(Workspace.activation_state, func.count().label("number")).group_by(Workspace.activation_state)
        counts = {row.activation_state: row.number for row in await session.execute(counted)}
        held_up = await _under_way(session)
    return render(
        request,
        "admin/activations.html",
        staff=staff,
        counts=[(state, counts.get(state, 0)) for state in ActivationState],
        held_up=[(workspace, name, is_obstacle(workspace.problem)) for workspace, name in held_up],
        shown=SHOWN,
        done=DONE.get(done, ""),
    )


@router.post(f"{ACTIVATIONS}/{{account_id}}/again", dependencies=STAFF)
async def run_again(staff: CurrentStaff, world: CurrentWorld, account_id: UUID) -> Response:
    """Try the step at which an activation stopped, or look at what it waits for, now."""
    async with world.database.tenant(account_id) as session:
        await _record(session, staff, account_id, "activation_run_again", now=world.clock.now())
    await go_on(world, account_id, at_once=True)
    return see_other(f"{ACTIVATIONS}?done=again")


@router.post(f"{ACTIVATIONS}/{{account_id}}/release", dependencies=STAFF)
async def release_account(staff: CurrentStaff, world: CurrentWorld, account_id: UUID, reason: Text = "") -> Response:
    """Let a workspace that waits go live with what there is."""
    why = require_reason(reason)
    async with world.database.tenant(account_id) as session:
        await release(session, account_id=account_id)
        await _record(session, staff, account_id, "activation_released", now=world.clock.now(), reason=why)
    return see_other(f"{ACTIVATIONS}?done=released")


async def _under_way(session: AsyncSession) -> list[tuple[Workspace, str]]:
    query = (
        select(Workspace, Account.name)
        .join(Account, Account.id == Workspace.account_id)
        .where(Workspace.connection_id.is_not(None), Workspace.activation_state.not_in(LIVE))
        .order_by(Workspace.failing_since.asc().nulls_last(), Workspace.connected_at)
        .limit(SHOWN)
    )
    return [(workspace, name) for workspace, name in await session.execute(query)]


async def _record(
    session: AsyncSession, staff: Staff, account_id: UUID, act: str, *, now: datetime, **after: object
) -> None:
    workspace = await get_workspace(session, account_id=account_id)
    await record_act(session, staff, account_id=account_id, act=act, subject=str(workspace.id), at=now, **after)
