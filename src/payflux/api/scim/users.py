"""People of the account's directory, by a key with the scope scim:write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.single_sign_on import SSO, room_for
from payflux.api.scim.protocol import (
    CONFIG,
    Patch,
    ScimRoute,
    ScimUser,
    is_known,
    listed,
    location,
    patched,
    person,
    person_version,
    read_filter,
    refuse_other_version,
    scim,
)
from payflux.frontdoor.accounts.sso import directory
from payflux.frontdoor.accounts.sso.models import DirectoryUser
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.web.guards import CurrentWorld, Who
from payflux.web.policies import guard
from payflux.world.bootstrap import World

# RFC 7643 and 7644 describe it
router = APIRouter(prefix="/scim/v2", route_class=ScimRoute, include_in_schema=False)

PATH = "/api/v1/scim/v2"
SCOPE, CAPABILITY = "scim:write", "sso.manage"
TELL = [guard(scope=SCOPE, capability=CAPABILITY, of_account=True)]
ADD = [guard(scope=SCOPE, capability=CAPABILITY, feature=SSO, of_account=True)]
MOST = 200


@router.get("/ServiceProviderConfig", dependencies=TELL)
async def config() -> Response:
    return scim(CONFIG)


@router.get("/Users", dependencies=TELL)
async def list_users(
    who: Who,
    world: CurrentWorld,
    asked: Annotated[str, Query(alias="filter", max_length=400)] = "",
    start: Annotated[int, Query(alias="startIndex", le=2**31)] = 1,
    count: Annotated[int, Query(le=2**31)] = 100,
) -> Response:
    """People in the directory, all or those with one user name."""
    user_name, external_id = read_filter(asked)
    start = max(start, 1)
    async with world.database.system() as session:
        total, rows = await directory.list_people(
            session,
            account_id=who.account_id,
            user_name=user_name,
            external_id=external_id,
            start=start,
            count=min(max(count, 0), MOST),
        )
    return scim(listed(total, start, [person(_base(world), row) for row in rows]))


@router.get("/Users/{directory_user_id}", dependencies=TELL)
async def get_user(request: Request, who: Who, world: CurrentWorld, directory_user_id: UUID) -> Response:
    async with world.database.system() as session:
        row = await directory.get_person(session, account_id=who.account_id, person_id=directory_user_id)
    if is_known(request, person_version(row)):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": person_version(row)})
    return _shown(world, row)


@router.post("/Users", dependencies=ADD)
async def add_user(who: Who, world: CurrentWorld, told: ScimUser) -> Response:
    """Take somebody up, and make them a member."""
    async with world.database.system() as session:
        row = await directory.add_person(
            session,
            world.tokens,
            who,
            told.told(),
            room=await room_for(session, world, account_id=who.account_id),
            now=world.clock.now(),
        )
    return _shown(world, row, HTTPStatus.CREATED, {"Location": location(_base(world), row)})


@router.put("/Users/{directory_user_id}", dependencies=TELL)
async def replace_user(
    request: Request, who: Who, world: CurrentWorld, directory_user_id: UUID, told: ScimUser
) -> Response:
    """Make somebody what is told, whole."""
    return await _change(request, who, world, directory_user_id, lambda _before: told.told())


@router.patch("/Users/{directory_user_id}", dependencies=TELL)
async def patch_user(
    request: Request, who: Who, world: CurrentWorld, directory_user_id: UUID, patch: Patch
) -> Response:
    """Change what is told. Inactive ends their place here, with their sessions and keys, at once."""
    return await _change(request, who, world, directory_user_id, lambda before: patched(before, patch))


@router.delete("/Users/{directory_user_id}", dependencies=TELL)
async def remove_user(request: Request, who: Who, world: CurrentWorld, directory_user_id: UUID) -> Response:
    """Forget somebody, whose place here ends."""
    async with world.database.system() as session:
        await _taken(session, request, who, directory_user_id)
        await directory.remove_person(session, world.tokens, who, person_id=directory_user_id, now=world.clock.now())
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _change(
    request: Request, who: Who, world: World, person_id: UUID, becomes: Callable[[directory.Person], directory.Person]
) -> Response:
    async with world.database.system() as session:
        before = await _taken(session, request, who, person_id)
        row = await directory.change_person(
            session,
            world.tokens,
            who,
            becomes(directory.told_of(before)),
            person_id=person_id,
            room=await room_for(session, world, account_id=who.account_id),
            now=world.clock.now(),
        )
    return _shown(world, row)


async def _taken(session: AsyncSession, request: Request, who: Who, person_id: UUID) -> DirectoryUser:
    """The person in the version that the caller means, for this transaction alone to change."""
    # first, as everybody does who changes the directory: two that lock in turns would wait for each other
    await hold_seats(session, account_id=who.account_id)
    row = await directory.get_person(session, account_id=who.account_id, person_id=person_id)
    refuse_other_version(request, person_version(row))
    return row


def _shown(
    world: World, row: DirectoryUser, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    return scim(person(_base(world), row), status, {**(headers or {}), "ETag": person_version(row)})


def _base(world: World) -> str:
    return f"{world.settings.url}{PATH}"
