"""Open a further workspace, and say who is in it in which role. Verbs of an account's members, but for the opening,
which makes a tenant and so runs as the system role."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.models import Account, Membership
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import rules
from payflux.frontdoor.accounts.team.capabilities import Role, holders, manageable_roles, may, with_article
from payflux.frontdoor.accounts.team.members import NotYours, locked_pair, write_role
from payflux.frontdoor.accounts.workspaces.queries import FurtherWorkspace, find_workspace
from payflux.kit.audit import record_change
from payflux.kit.database import in_account
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail

MOST_WORKSPACES = 100
"""Further workspaces of one account: a bound against mistakes, not one of a plan."""


class TooManyWorkspaces(Conflict):
    code = "too_many_workspaces"


class InWorkspace(Conflict):
    code = "already_member"


async def add_workspace(session: AsyncSession, who: SignedIn, *, name: str, now: datetime) -> Account:
    """A further workspace of the caller's account: its owner is the account's, and the caller an admin where that is
    somebody else. As the system role. Raises InvalidInput, NotYours and TooManyWorkspaces."""
    if problem := rules.name_problem(name, longest=rules.ACCOUNT_NAME_MAX):
        raise InvalidInput({"name": problem})
    # held, so that whoever leaves the account or takes it over meanwhile is found in the new one too
    members = select(Membership.user_id, Membership.role).where(Membership.account_id == who.account_id)
    held = await session.execute(members.order_by(Membership.user_id).with_for_update(read=True))
    here = {user_id: Role(role) for user_id, role in held}
    if who.user_id not in here or not may(here[who.user_id], "workspaces.manage"):
        raise NotYours(
            _("You may not make a workspace in this account (any more)."),
            way_out=_("Ask %(holders)s of the account.") % {"holders": holders("workspaces.manage")},
        )
    # and this one, so that nobody passes the bound, and a change of what the account may do reaches the new one
    await session.execute(select(Account.id).where(Account.id == who.account_id).with_for_update())
    count = select(func.count()).select_from(Account).where(Account.parent_id == who.account_id)
    if (await session.execute(count)).scalar_one() >= MOST_WORKSPACES:
        raise TooManyWorkspaces(
            _("Your account has %(most)s further workspaces, and that is the most.") % {"most": MOST_WORKSPACES},
            way_out=_("Delete one that is no longer needed."),
        )
    added = Account(id=new_id(), parent_id=who.account_id, name=" ".join(name.split()), created_at=now)
    session.add(added)
    await session.flush()
    roles = {who.user_id: Role.ADMIN} | {user_id: role for user_id, role in here.items() if role is Role.OWNER}
    for user_id, role in roles.items():
        session.add(Membership(account_id=added.id, user_id=user_id, role=role, created_at=now))
    await session.flush()
    for account_id in (who.account_id, added.id):
        await record_change(
            session,
            account_id=account_id,
            actor_id=who.user_id,
            action="workspace.added",
            subject=str(added.id),
            at=now,
            after={"name": added.name},
        )
    return added


async def follow_role(session: AsyncSession, who: SignedIn, *, user_id: UUID, role: str, now: datetime) -> None:
    """Give a member of the caller's account the role that they have there in each further workspace that they are in,
    where the plan has one role for all of them."""
    for workspace in await workspaces_of(session, account_id=who.account_id):
        async with in_account(session, workspace.id):
            await write_role(session, replace(who, account_id=workspace.id), user_id=user_id, role=role, now=now)


async def add_to_workspace(
    session: AsyncSession, who: SignedIn, *, workspace_id: UUID, user_id: UUID, role: str, now: datetime
) -> FurtherWorkspace:
    """Put a member of the caller's account into one of its further workspaces too. What is changed after that is
    changed in the workspace.

    Raises NotFound, InvalidInput, NotYours for a role that the caller may not give and for the caller themselves, and
    InWorkspace.
    """
    found = await find_workspace(session, account_id=who.account_id, workspace_id=workspace_id)
    acting, member = await locked_pair(session, who, user_id)
    allowed = manageable_roles(acting)
    if role not in tuple(Role):
        raise InvalidInput({"role": _("Choose one of %(role)s.") % {"role": ", ".join(allowed)}})
    if user_id == who.user_id or role not in allowed:
        raise NotYours(
            _("Your role may not make %(name)s %(role)s.")
            % {"name": _("yourself") if user_id == who.user_id else member.name, "role": with_article(role)},
            way_out=_("Ask the owner of the account."),
        )
    async with in_account(session, found.id):
        place = {"account_id": found.id, "user_id": user_id, "role": role, "created_at": now}
        added = insert(Membership).values(place).on_conflict_do_nothing().returning(Membership.user_id)
        if (await session.execute(added)).scalar_one_or_none() is None:
            raise InWorkspace(
                _("%(name)s is in this workspace already.") % {"name": member.name},
                way_out=_("Switch to it, and change their role under Team."),
            )
        await record_change(
            session,
            account_id=found.id,
            actor_id=who.user_id,
            action="member.added",
            subject=str(user_id),
            at=now,
            after={"role": role},
        )
    await enqueue_mail(session, "added_to_workspace", found.id, user_id, added_by=str(who.user_id))
    return found
