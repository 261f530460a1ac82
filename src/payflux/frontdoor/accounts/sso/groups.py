"""The groups of the account's directory, and the roles they give to whoever is in them.

A member who is in groups with a role has the highest of these; who leaves the last of them falls back to the role that
new members get. Whoever was in none keeps the role they have, and a directory never changes the owner.

Source: RFC 7643 section 4.2 and RFC 7644 section 3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso.models import (
    DirectoryGroup,
    DirectoryGroupMember,
    DirectoryUser,
    SsoConnection,
)
from payflux.frontdoor.accounts.sso.rules import DEFAULT_ROLES, highest_role
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.frontdoor.accounts.team.members import write_role
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _

MOST_GROUPS = 1000
NAME_MAX = 255


class GroupExists(Conflict):
    code = "uniqueness"


@dataclass(frozen=True)
class Group:
    """What a directory tells of a group; `members` are ids of people in the directory."""

    display_name: str
    external_id: str = ""
    members: frozenset[UUID] = frozenset()


async def list_groups(
    session: AsyncSession, *, account_id: UUID, name: str | None = None, start: int = 1, count: int = MOST_GROUPS
) -> tuple[int, list[DirectoryGroup]]:
    """How many there are, and `count` of them from the `start`th (the first is 1) on, by when they came."""
    where = [DirectoryGroup.account_id == account_id]
    if name is not None:
        where.append(func.lower(DirectoryGroup.display_name) == name.lower())
    total = (await session.execute(select(func.count()).select_from(DirectoryGroup).where(*where))).scalar_one()
    query = select(DirectoryGroup).where(*where).order_by(DirectoryGroup.id).offset(start - 1).limit(count)
    return total, list((await session.execute(query)).scalars())


async def get_group(session: AsyncSession, *, account_id: UUID, group_id: UUID, lock: bool = False) -> DirectoryGroup:
    """Raises NotFound."""
    query = select(DirectoryGroup).where(DirectoryGroup.account_id == account_id, DirectoryGroup.id == group_id)
    found = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if found is None:
        raise NotFound(_("The directory has no such group."), way_out=_("List them, and use the id of one."))
    return found


async def members_of(
    session: AsyncSession, *, account_id: UUID, groups: Collection[UUID]
) -> Mapping[UUID, dict[UUID, str]]:
    """Who is in each of `groups`: by group, the people's ids with their addresses."""
    person = DirectoryUser
    query = (
        select(DirectoryGroupMember.group_id, person.id, person.user_name)
        .join(
            person,
            (person.account_id == DirectoryGroupMember.account_id) & (person.id == DirectoryGroupMember.person_id),
        )
        .where(DirectoryGroupMember.account_id == account_id, DirectoryGroupMember.group_id.in_(groups))
        .order_by(person.id)
    )
    found: dict[UUID, dict[UUID, str]] = {group_id: {} for group_id in groups}
    for group_id, person_id, address in await session.execute(query):
        found[group_id][person_id] = address
    return found


async def add_group(session: AsyncSession, who: SignedIn, told: Group, *, now: datetime) -> DirectoryGroup:
    """Take a group up, which gives no role until one is chosen. Raises InvalidInput and GroupExists."""
    await hold_seats(session, account_id=who.account_id)
    total, _some = await list_groups(session, account_id=who.account_id, count=0)
    if total >= MOST_GROUPS:
        raise InvalidInput({"displayName": _("An account can have %(most)s groups.") % {"most": MOST_GROUPS}})
    group = DirectoryGroup(
        account_id=who.account_id,
        id=new_id(),
        display_name=await _free_name(session, who.account_id, told.display_name),
        external_id=told.external_id[:NAME_MAX],
        role=None,
        version=1,
        created_at=now,
        changed_at=now,
    )
    session.add(group)
    await session.flush()
    await _set_members(session, group, told.members)
    return group


async def change_group(
    session: AsyncSession, who: SignedIn, told: Group, *, group: DirectoryGroup, now: datetime
) -> DirectoryGroup:
    """Make a group, which the caller has locked, what the directory tells now; roles follow. Raises InvalidInput and
    GroupExists."""
    before = await given_roles(session, account_id=who.account_id)
    if told.display_name.lower() != group.display_name.lower():
        await _free_name(session, who.account_id, told.display_name)
    name, external_id = _read_name(told.display_name), told.external_id[:NAME_MAX]
    changed = await _set_members(session, group, told.members)
    if changed or (name, external_id) != (group.display_name, group.external_id):
        group.display_name, group.external_id = name, external_id
        group.version, group.changed_at = group.version + 1, now
    await session.flush()
    await _follow(session, who, before, now=now)
    return group


async def remove_group(session: AsyncSession, who: SignedIn, *, group: DirectoryGroup, now: datetime) -> None:
    """Forget a group, and the role that it gave."""
    before = await given_roles(session, account_id=who.account_id)
    await session.delete(group)
    await session.flush()
    await _follow(session, who, before, now=now)


async def choose_role(session: AsyncSession, who: SignedIn, *, group_id: UUID, role: str, now: datetime) -> None:
    """Have a group give a role from now on, or none where it is empty. Raises NotFound and InvalidInput."""
    if role and role not in DEFAULT_ROLES:
        raise InvalidInput({"role": _("Choose viewer, analyst or admin.")})
    await hold_seats(session, account_id=who.account_id)
    group = await get_group(session, account_id=who.account_id, group_id=group_id, lock=True)
    was, becomes = group.role, role or None
    if was == becomes:
        return
    before = await given_roles(session, account_id=who.account_id)
    group.role = becomes
    await session.flush()
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="sso.group_role_chosen",
        subject=str(group_id),
        at=now,
        before={"group": group.display_name, "role": was},
        after={"group": group.display_name, "role": becomes},
    )
    await _follow(session, who, before, now=now)


async def given_roles(session: AsyncSession, *, account_id: UUID, person_id: UUID | None = None) -> dict[UUID, str]:
    """The role that groups give to each person of the directory, or to one; nobody else stands there."""
    member, group = DirectoryGroupMember, DirectoryGroup
    query = (
        select(member.person_id, group.role)
        .join(group, (group.account_id == member.account_id) & (group.id == member.group_id))
        .where(member.account_id == account_id, group.role.is_not(None))
    )
    if person_id is not None:
        query = query.where(member.person_id == person_id)
    given: dict[UUID, str] = {}
    for each, role in await session.execute(query):
        if role is not None and highest_role((given.get(each), role)) == role:
            given[each] = role
    return given


async def given_to_member(session: AsyncSession, *, account_id: UUID, user_id: UUID) -> str | None:
    """The role that groups give to a member of the account; None where no group does."""
    mine = select(DirectoryUser.id).where(DirectoryUser.account_id == account_id, DirectoryUser.user_id == user_id)
    person_id = (await session.execute(mine)).scalars().first()
    if person_id is None:
        return None
    return (await given_roles(session, account_id=account_id, person_id=person_id)).get(person_id)


async def default_role(session: AsyncSession, *, account_id: UUID) -> str:
    """What whoever no group gives a role becomes."""
    query = select(SsoConnection.default_role).where(SsoConnection.account_id == account_id)
    return (await session.execute(query)).scalar_one_or_none() or "viewer"


async def note_departure(session: AsyncSession, *, account_id: UUID, person_id: UUID, now: datetime) -> None:
    """Let the groups of somebody who is about to be forgotten say that they have changed."""
    theirs = select(DirectoryGroupMember.group_id).where(
        DirectoryGroupMember.account_id == account_id, DirectoryGroupMember.person_id == person_id
    )
    await session.execute(
        update(DirectoryGroup)
        .where(DirectoryGroup.account_id == account_id, DirectoryGroup.id.in_(theirs))
        .values(version=DirectoryGroup.version + 1, changed_at=now)
    )


async def set_role(session: AsyncSession, who: SignedIn, *, user_id: UUID, role: str, now: datetime) -> None:
    """Give a member, unless they are the owner, the role that the directory says; it holds from their next request."""
    await write_role(session, who, user_id=user_id, role=role, by="directory", now=now)


async def _follow(session: AsyncSession, who: SignedIn, before: Mapping[UUID, str], *, now: datetime) -> None:
    """Give everybody the role that follows from what groups give now, where that is not what they gave `before`."""
    after = await given_roles(session, account_id=who.account_id)
    moved = [person for person in before.keys() | after.keys() if before.get(person) != after.get(person)]
    if not moved:
        return
    fallback = await default_role(session, account_id=who.account_id)
    members = select(DirectoryUser.id, DirectoryUser.user_id).where(
        DirectoryUser.account_id == who.account_id, DirectoryUser.id.in_(moved)
    )
    for person_id, user_id in (await session.execute(members.order_by(DirectoryUser.user_id))).all():
        if user_id is not None:
            await set_role(session, who, user_id=user_id, role=after.get(person_id, fallback), now=now)


async def _set_members(session: AsyncSession, group: DirectoryGroup, wanted: frozenset[UUID]) -> bool:
    """Whether that changed anything. Raises InvalidInput for somebody whom the directory has not told of."""
    row, mine = (
        DirectoryGroupMember,
        (DirectoryGroupMember.account_id == group.account_id, DirectoryGroupMember.group_id == group.id),
    )
    present = set((await session.execute(select(row.person_id).where(*mine))).scalars())
    coming, going = wanted - present, present - wanted
    known = select(DirectoryUser.id).where(DirectoryUser.account_id == group.account_id, DirectoryUser.id.in_(coming))
    if unknown := coming - set((await session.execute(known)).scalars()):
        raise InvalidInput(
            {"members": _("The directory has not told of %(person)s. Add the person first.") % {"person": min(unknown)}}
        )
    if going:
        await session.execute(delete(row).where(*mine, row.person_id.in_(going)))
    if coming:
        values = [{"account_id": group.account_id, "group_id": group.id, "person_id": each} for each in sorted(coming)]
        await session.execute(insert(row).values(values))
    return bool(coming or going)


async def _free_name(session: AsyncSession, account_id: UUID, typed: str) -> str:
    name = _read_name(typed)
    total, _found = await list_groups(session, account_id=account_id, name=name, count=1)
    if total:
        raise GroupExists(_("The directory has a group of this name already."), way_out=_("Change that group."))
    return name


def _read_name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > NAME_MAX:
        raise InvalidInput({"displayName": _("Name the group, in %(most)s letters at most.") % {"most": NAME_MAX}})
    return name
