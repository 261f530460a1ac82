"""The keys of an account's programs: make, rotate and revoke them. A key is shown once, where it was made."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.advancing import advance
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.keys import rules
from payflux.frontdoor.accounts.keys.queries import list_keys
from payflux.frontdoor.accounts.keys.service import MadeKey, create_key, revoke_key, rotate_key
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import mark
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import API_ACCESS, guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter(prefix="/api-keys")

HERE = "/api-keys"
READ = [guard(capability="keys.manage", feature=API_ACCESS)]
MAKE = [guard(capability="keys.manage", feature=API_ACCESS, grace=False, step_up=True)]
REVOKE = [guard(capability="keys.manage", verified=False)]

REVOKED_FOR = {
    "asked": "",
    "leaked": mark("found where it should not be"),
    "member_gone": mark("its owner left the account"),
}
"""Why a key was revoked, where that is not plain."""


@router.get("", dependencies=READ)
async def keys_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """The account's keys, and the form for another."""
    return await _page(request, who, world, session, subscription)


@router.get("/new", dependencies=MAKE)
async def new_key_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """The form for a key, once it is certain who asks for it."""
    return await _form(request, who, world, session, subscription)


@router.post("", dependencies=MAKE)
async def make(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    name: Text = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    days: Annotated[int, Form()] = rules.DEFAULT_LIFETIME,
) -> Response:
    """Make a key and show it, this once."""
    try:
        made = await create_key(
            session,
            world.tokens,
            who,
            name=name,
            scopes=scopes or [],
            days=days,
            environment=world.settings.key_environment,
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        typed = {"name": name, "scopes": scopes or [], "days": days}
        return await _form(request, who, world, session, subscription, errors=wrong.fields, typed=typed)
    await advance(session, account_id=who.account_id, now=world.clock.now(), actor_id=who.user_id)
    return await _shown(request, who, world, session, subscription, made)


@router.post("/{key_id}/rotate", dependencies=MAKE)
async def rotate(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    key_id: UUID,
    overlap_hours: Annotated[int, Form()] = rules.DEFAULT_OVERLAP,
) -> Response:
    """Put a new key in the place of one, and show it, this once."""
    made = await rotate_key(
        session, world.tokens, who, key_id=key_id, overlap_hours=overlap_hours, now=world.clock.now()
    )
    return await _shown(request, who, world, session, subscription, made, overlap_hours)


@router.post("/{key_id}/revoke", dependencies=REVOKE)
async def revoke(who: Who, world: CurrentWorld, session: Tenant, key_id: UUID) -> Response:
    """End a key at once. Whoever may do it need not prove anew who they are: it is urgent."""
    await revoke_key(session, who, key_id=key_id, now=world.clock.now())
    return see_other(HERE)


async def _page(
    request: Request, who: SignedIn, world: World, session: AsyncSession, subscription: CurrentSubscription
) -> Response:
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "api_keys/list.html",
        keys=await list_keys(session, account_id=who.account_id, now=world.clock.now()),
        overlaps=rules.OVERLAPS,
        default_overlap=rules.DEFAULT_OVERLAP,
        scopes=rules.SCOPES,
        revoked_for=REVOKED_FOR,
        address=world.settings.url,
        **product_context(world, workspace, subscription),
    )


async def _form(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    subscription: CurrentSubscription,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, object] | None = None,
) -> Response:
    workspace = await get_workspace(session, account_id=who.account_id)
    offered = rules.scopes_within(who.role)
    chosen = [scope for scope in offered if scope.endswith(":read")]
    return render(
        request,
        "api_keys/new.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        offered={name: rules.SCOPES[name].words for name in offered},
        lifetimes=rules.LIFETIMES,
        typed=typed or {"name": "", "scopes": chosen, "days": rules.DEFAULT_LIFETIME},
        errors=errors or {},
        **product_context(world, workspace, subscription),
    )


async def _shown(
    request: Request,
    who: SignedIn,
    world: World,
    session: AsyncSession,
    subscription: CurrentSubscription,
    made: MadeKey,
    overlap_hours: int | None = None,
) -> Response:
    workspace = await get_workspace(session, account_id=who.account_id)
    response = render(
        request,
        "api_keys/made.html",
        made=made,
        overlap_hours=overlap_hours,
        address=world.settings.url,
        **product_context(world, workspace, subscription),
    )
    response.headers["Cache-Control"] = "no-store"
    return response
