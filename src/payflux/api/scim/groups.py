"""Groups of the account's directory, by a key with the scope scim:write."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.api.scim.group_protocol import (
    ScimGroup,
    group,
    group_location,
    group_version,
    patched_group,
    read_group_filter,
    shows_members,
)
from payflux.api.scim.protocol import Patch, ScimRoute, is_known, listed, refuse_other_version, scim
from payflux.api.scim.users import ADD, MOST, PATH, TELL
from payflux.frontdoor.accounts.sso import groups
from payflux.frontdoor.accounts.sso.models import DirectoryGroup
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.web.guards import CurrentWorld, Who
from payflux.world.bootstrap import World

# RFC 7643 and 7644 describe it
router = APIRouter(prefix="/scim/v2/Groups", route_class=ScimRoute, include_in_schema=False)

Attributes = Annotated[str, Query(max_length=400)]
Excluded = Annotated[str, Query(alias="excludedAttributes", max_length=400)]


@router.get("", dependencies=TELL)
async def list_groups(
    who: Who,
    world: CurrentWorld,
    asked: Annotated[str, Query(alias="filter", max_length=400)] = "",
    attributes: Attributes = "",
    excluded: Excluded = "",
    start: Annotated[int, Query(alias="startIndex", le=2**31)] = 1,
    count: Annotated[int, Query(le=2**31)] = 100,
) -> Response:
    """Groups of the directory, all or the one with a name."""
    name, start = read_group_filter(asked), max(start, 1)
    async with world.database.system() as session:
        total, rows = await groups.list_groups(
            session, account_id=who.account_id, name=name, start=start, count=min(max(count, 0), MOST)
        )
        members = await groups.members_of(session, account_id=who.account_id, groups=[row.id for row in rows])
    with_members = shows_members(attributes, excluded)
    shown = [group(_base(world), row, members[row.id] if with_members else None) for row in rows]
    return scim(listed(total, start, shown))


@router.get("/{directory_group_id}", dependencies=TELL)
async def get_group(
    request: Request,
    who: Who,
    world: CurrentWorld,
    directory_group_id: UUID,
    attributes: Attributes = "",
    excluded: Excluded = "",
) -> Response:
    async with world.database.system() as session:
        row = await groups.get_group(session, account_id=who.account_id, group_id=directory_group_id)
        if is_known(request, group_version(row)):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": group_version(row)})
        return await _shown(session, world, row, with_members=shows_members(attributes, excluded))


@router.post("", dependencies=ADD)
async def add_group(who: Who, world: CurrentWorld, told: ScimGroup) -> Response:
    """Take a group up. It gives no role before its owner chooses one."""
    async with world.database.system() as session:
        row = await groups.add_group(session, who, told.told(), now=world.clock.now())
        answer = await _shown(session, world, row, status=HTTPStatus.CREATED)
    answer.headers["Location"] = group_location(_base(world), row)
    return answer


@router.put("/{directory_group_id}", dependencies=TELL)
async def replace_group(
    request: Request, who: Who, world: CurrentWorld, directory_group_id: UUID, told: ScimGroup
) -> Response:
    """Make a group what is told, whole."""
    async with world.database.system() as session:
        row = await _taken(session, request, who, directory_group_id)
        row = await groups.change_group(session, who, told.told(), group=row, now=world.clock.now())
        return await _shown(session, world, row)


@router.patch("/{directory_group_id}", dependencies=TELL)
async def patch_group(
    request: Request, who: Who, world: CurrentWorld, directory_group_id: UUID, patch: Patch
) -> Response:
    """Change what is told, without an answer in which everybody stands."""
    async with world.database.system() as session:
        row = await _taken(session, request, who, directory_group_id)
        members = await groups.members_of(session, account_id=who.account_id, groups=[row.id])
        before = groups.Group(row.display_name, row.external_id, frozenset(members[row.id]))
        row = await groups.change_group(session, who, patched_group(before, patch), group=row, now=world.clock.now())
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"ETag": group_version(row)})


@router.delete("/{directory_group_id}", dependencies=TELL)
async def remove_group(request: Request, who: Who, world: CurrentWorld, directory_group_id: UUID) -> Response:
    """Forget a group, with the role that it gave."""
    async with world.database.system() as session:
        row = await _taken(session, request, who, directory_group_id)
        await groups.remove_group(session, who, group=row, now=world.clock.now())
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _taken(session: AsyncSession, request: Request, who: Who, group_id: UUID) -> DirectoryGroup:
    """The group in the version that the caller means, for this transaction alone to change."""
    await hold_seats(session, account_id=who.account_id)
    row = await groups.get_group(session, account_id=who.account_id, group_id=group_id, lock=True)
    refuse_other_version(request, group_version(row))
    return row


async def _shown(
    session: AsyncSession,
    world: World,
    row: DirectoryGroup,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    with_members: bool = True,
) -> Response:
    found = await groups.members_of(session, account_id=row.account_id, groups=[row.id]) if with_members else {}
    return scim(group(_base(world), row, found.get(row.id)), status, {"ETag": group_version(row)})


def _base(world: World) -> str:
    return f"{world.settings.url}{PATH}"
