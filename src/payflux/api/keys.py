"""The account's API keys, for people's own programs; and the place to report one that leaked."""

from __future__ import annotations

import math
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from payflux.activation.advancing import advance
from payflux.api.problems import TOO_MANY, Responses
from payflux.frontdoor.accounts.keys import rules
from payflux.frontdoor.accounts.keys.queries import list_keys
from payflux.frontdoor.accounts.keys.reporting import report_leak
from payflux.frontdoor.accounts.keys.rules import KeyState
from payflux.frontdoor.accounts.keys.service import MadeKey, create_key, revoke_key, rotate_key
from payflux.kit.errors import TooManyRequests
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import API_ACCESS, Audience, guard

router = APIRouter(prefix="/api-keys", tags=["API keys"])

READ = [guard(capability="keys.manage", feature=API_ACCESS, metered=True)]
MAKE = [guard(capability="keys.manage", feature=API_ACCESS, grace=False, step_up=True, metered=True)]
REVOKE = [guard(capability="keys.manage", verified=False, metered=True)]

GONE: Responses = {404: {"description": "not a key of your account"}}
CONFLICT: Responses = {409: {"description": "too many keys are in use, or this one has ended"}}
WRONG: Responses = {422: {"description": "a field is wrong"}}


class Key(BaseModel):
    """A key without its secret. `written` is how it begins and ends."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    written: str
    scopes: list[str]
    state: KeyState
    owner: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyList(BaseModel):
    data: list[Key]


class NewKey(BaseModel):
    """A key to be made. `scopes` are within what your role may do."""

    name: str = Field(max_length=rules.NAME_MAX, examples=["finance dashboard"])
    scopes: list[str] = Field(max_length=len(rules.SCOPES), examples=[["risk:read", "projections:read"]])
    days: int = Field(rules.DEFAULT_LIFETIME, description=f"one of {', '.join(map(str, rules.LIFETIMES))}")


class CreatedKey(BaseModel):
    """A new key. `key` is shown this once."""

    id: UUID
    name: str
    key: str
    scopes: list[str]
    expires_at: datetime


@router.get("", dependencies=READ)
async def keys(who: Who, session: Tenant, world: CurrentWorld) -> KeyList:
    """The account's keys, those in use first."""
    listed = await list_keys(session, account_id=who.account_id, now=world.clock.now())
    return KeyList(data=[Key.model_validate(each) for each in listed])


@router.post("", dependencies=MAKE, status_code=HTTPStatus.CREATED, responses={**CONFLICT, **WRONG})
async def make(who: Who, session: Tenant, world: CurrentWorld, asked: NewKey) -> CreatedKey:
    """Make a key. It needs a fresh proof of who you are, so a key makes no key."""
    made = await create_key(
        session,
        world.tokens,
        who,
        name=asked.name,
        scopes=asked.scopes,
        days=asked.days,
        environment=world.settings.key_environment,
        now=world.clock.now(),
    )
    await advance(session, account_id=who.account_id, now=world.clock.now(), actor_id=who.user_id)
    return _created(made)


@router.post(
    "/{key_id}/rotate", dependencies=MAKE, status_code=HTTPStatus.CREATED, responses={**GONE, **CONFLICT, **WRONG}
)
async def rotate(
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    key_id: UUID,
    overlap_hours: Annotated[int, Body(embed=True, description="one of 0, 1, 24, 168")] = rules.DEFAULT_OVERLAP,
) -> CreatedKey:
    """Make a key in the place of another, which opens `overlap_hours` longer."""
    made = await rotate_key(
        session, world.tokens, who, key_id=key_id, overlap_hours=overlap_hours, now=world.clock.now()
    )
    return _created(made)


@router.delete("/{key_id}", dependencies=REVOKE, status_code=HTTPStatus.NO_CONTENT, responses=GONE)
async def revoke(who: Who, session: Tenant, world: CurrentWorld, key_id: UUID) -> None:
    """End a key at once."""
    await revoke_key(session, who, key_id=key_id, now=world.clock.now())


@router.post("/leaked", dependencies=[guard(Audience.PUBLIC)], status_code=HTTPStatus.NO_CONTENT, responses=TOO_MANY)
async def leaked(request: Request, world: CurrentWorld, key: Annotated[str, Body(embed=True, max_length=200)]) -> None:
    """Report a key that you found where it should not be. It is revoked at once, and its owner is told by mail. The
    answer is the same whether or not there is such a key."""
    address = request.client.host if request.client else ""
    if wait := world.leak_reports.wait(address, world.clock.now()):
        raise TooManyRequests("Too many reports from one address.", way_out=f"Send it again in {math.ceil(wait)} s.")
    await report_leak(world, key.strip())


def _created(made: MadeKey) -> CreatedKey:
    row = made.row
    return CreatedKey(id=row.id, name=row.name, key=made.secret, scopes=row.scopes, expires_at=row.expires_at)
