"""Open a further workspace of an account, and name one: its tenant, and what is monitored there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import PROCESSORS
from payflux.activation.models import Workspace
from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.members import rename_account
from payflux.frontdoor.accounts.workspaces.queries import find_workspace
from payflux.frontdoor.accounts.workspaces.service import add_workspace
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.entitlements.usage import Usage, require_room
from payflux.kit.database import in_account
from payflux.world.bootstrap import World

ROLE_FEATURE = "team_admin_full"
"""What a plan has that gives each workspace roles of its own."""


async def open_workspace(world: World, who: SignedIn, *, name: str) -> Account:
    """A further workspace of the caller's account, with nothing connected yet. Raises LimitReached where the plan
    watches no more processors, for each workspace has its own, and what
    :func:`payflux.frontdoor.accounts.workspaces.service.add_workspace` does."""
    now = world.clock.now()
    async with world.database.tenant(who.account_id) as session:
        most = (await entitlements_of(session, world, account_id=who.account_id, fresh=True)).limits[PROCESSORS]
    async with world.database.system() as session:
        added = await add_workspace(session, who, name=name, now=now)
        # as many as there were before: the further ones hold the new one, and the account's own is none of them
        held = len(await workspaces_of(session, account_id=who.account_id))
        require_room(Usage(PROCESSORS, held, most, None))
        await create_workspace(session, account_id=added.id, name=added.name, now=now)
    return added


async def rename_here(session: AsyncSession, who: SignedIn, *, name: str, now: datetime) -> None:
    """Rename the account or workspace that the caller acts in, also as mails call it. Raises InvalidInput."""
    await rename_account(session, who, name=name, now=now)
    of_account = Workspace.account_id == who.account_id
    await session.execute(update(Workspace).where(of_account).values(name=" ".join(name.split())))


async def rename_workspace(
    session: AsyncSession, who: SignedIn, *, workspace_id: UUID, name: str, now: datetime
) -> None:
    """Rename a further workspace of the caller's account. Raises NotFound and InvalidInput."""
    found = await find_workspace(session, account_id=who.account_id, workspace_id=workspace_id)
    async with in_account(session, found.id):
        await rename_here(session, replace(who, account_id=found.id, account_name=found.name), name=name, now=now)
