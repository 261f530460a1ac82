"""Single sign-on and the directory where they meet the plan and the team."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import seat_allowance
from payflux.activation.workspaces import ROLE_FEATURE
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso.arriving import arrive
from payflux.frontdoor.accounts.sso.directory import Room
from payflux.frontdoor.accounts.sso.groups import given_to_member
from payflux.frontdoor.accounts.sso.models import SsoConnection
from payflux.frontdoor.accounts.sso.rules import Asserted
from payflux.frontdoor.accounts.team.members import change_role
from payflux.frontdoor.accounts.team.queries import Member, find_member
from payflux.frontdoor.accounts.workspaces.queries import addresses_in
from payflux.frontdoor.accounts.workspaces.service import follow_role
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.database import in_account
from payflux.kit.errors import Conflict
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World

SSO = "sso"


class RoleOfDirectory(Conflict):
    """A group of the account's directory says what the member's role is."""

    code = "role_of_directory"


class RoleOfAccount(Conflict):
    """The plan has one role for all workspaces, and the member has theirs in the account."""

    code = "role_of_account"


async def give_role(session: AsyncSession, world: World, who: SignedIn, *, user_id: UUID, role: str) -> Member:
    """Give a member another role, unless the directory gives them one; in the account's further workspaces too, where
    its plan has one role for all of them. Raises RoleOfDirectory, RoleOfAccount, and what
    :func:`payflux.frontdoor.accounts.team.members.change_role` does."""
    if await given_to_member(session, account_id=who.account_id, user_id=user_id) is not None:
        raise RoleOfDirectory(
            _("This member's role comes from a group of your company's directory."),
            way_out=_("Move them to another group there, or choose another role for the group under Single sign-on."),
        )
    now = world.clock.now()
    one_for_all = not (await entitlements_of(session, world, account_id=who.account_id)).granted[ROLE_FEATURE]
    if one_for_all and who.parent_id is not None:
        async with in_account(session, who.parent_id):
            of_account = await find_member(session, account_id=who.parent_id, user_id=user_id)
        if of_account is not None:
            raise RoleOfAccount(
                _("Your plan has one role for all workspaces of an account."),
                way_out=_("Switch to the account, and change it under Team there."),
            )
    member = await change_role(session, who, user_id=user_id, role=role, now=now)
    if one_for_all:
        await follow_role(session, who, user_id=user_id, role=role, now=now)
    return member


async def member_for(session: AsyncSession, world: World, connection: SsoConnection, person: Asserted) -> UUID:
    """The member that `person` is. As the system role.

    Who is a member signs in whatever the plan is: a payment that failed keeps nobody out, and opens no other way in.
    New ones need it. Raises what :func:`payflux.frontdoor.accounts.sso.arriving.arrive` does.
    """
    room = await room_for(session, world, account_id=connection.account_id, joining=person.email)
    return await arrive(
        session,
        world.tokens,
        connection,
        person,
        seat_limit=room.seats,
        takes_members=room.takes_members,
        now=world.clock.now(),
    )


async def room_for(session: AsyncSession, world: World, *, account_id: UUID, joining: str = "") -> Room:
    """What the account's plan allows of new members by its provider or its directory; read anew, for it decides. Seats
    that people of its other workspaces take are not among them, but for that of who is `joining`."""
    held = await entitlements_of(session, world, account_id=account_id, fresh=True)
    allowance = await seat_allowance(session, world, account_id=account_id)
    present, _invited = await addresses_in(session, [account_id], now=world.clock.now())
    elsewhere = len(allowance.members_elsewhere - present - {normalize_email(joining)})
    seats = None if allowance.limit is None else max(0, allowance.limit - elsewhere)
    return Room(seats=seats, takes_members=held.features.get(SSO, False))
