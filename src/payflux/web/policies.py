"""What each route asks of its caller: declared on the route, enforced there, and listed from there.

Every route carries exactly one :func:`guard`; :func:`require_policies` refuses to build an app in which one does not.
A guard asks in this order: who it is, whether they came in the way that their account asks for, whether their address
is proven, what their role may do, whether it is done where they are, what the plan allows, and how long ago they proved
who they are. So 401 comes before 403, and 403 before 402: no plan buys a role. What the plan does not allow by what
was found out before is found out anew, before anybody is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from fastapi import FastAPI, Request, params
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from payflux.frontdoor.accounts.keys.rules import SCOPES
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.kit.errors import PaymentRequired
from payflux.web import refusals
from payflux.web.call_limits import count_call
from payflux.web.guards import CurrentWorld, Tenant, Who, visitor
from payflux.world.bootstrap import World

API_ACCESS = "api_access"


class Audience(StrEnum):
    """Who may call a route at all. SIGNED_BODY: whoever proves it by a signature, as the senders of webhooks do.
    COLLECTOR: what gathers this process' metrics."""

    PUBLIC = "public"
    SIGNED_BODY = "signed body"
    SIGNED_IN = "signed in"
    STAFF = "staff"
    COLLECTOR = "collector"


@dataclass(frozen=True)
class Policy:
    """What a route asks of its caller beyond its audience.

    `verified`: a proven address once the grace after registration has ended; without `grace`, from the start.
    `capability`: what the caller's role must be able to do. `entitled`: a running trial or subscription. `feature`:
    one that the account has while such a one runs; with `history`, whoever reads may also where it has ended, for a
    while (:func:`payflux.frontdoor.billing.rules.may_read_history`). `metered`: of a program, that the account has API
    access and calls left today. `scope`: what a key has to allow; without one the route is closed to every key.
    `of_account`: it is about the account as a whole, and so refused in a further workspace of one.
    `step_up`: a recent proof of who they are. `any_way_in`: open also to who should have come by single sign-on, and
    did not.
    """

    audience: Audience
    verified: bool = False
    grace: bool = True
    capability: str | None = None
    entitled: bool = False
    feature: str | None = None
    step_up: bool = False
    history: bool = False
    metered: bool = False
    scope: str | None = None
    any_way_in: bool = False
    of_account: bool = False

    @property
    def asks_plan(self) -> bool:
        return self.entitled or self.feature is not None

    def __str__(self) -> str:
        asked = [str(self.audience)]
        if self.verified:
            asked.append("verified after grace" if self.grace else "verified")
        if self.capability:
            asked.append(f"may {self.capability}")
        if self.entitled:
            asked.append("entitled")
        if self.feature:
            asked.append(f"plan has {self.feature}")
        if self.history:
            asked.append("or reads history")
        if self.metered:
            asked.append("metered for programs")
        if self.scope:
            asked.append(f"keys: {self.scope}")
        if self.step_up:
            asked.append("stepped up")
        if self.any_way_in:
            asked.append("however they came in")
        if self.of_account:
            asked.append("not in a further workspace")
        return ", ".join(asked)


@dataclass(frozen=True, kw_only=True)
class Guard(params.Depends):
    """The dependency that enforces `policy`, and by which the policy of a route is found.

    A surface with an audience of its own, such as the staff console, makes its guards from its own dependency.
    """

    policy: Policy


class UndeclaredPolicy(Exception):
    """Routes do not say who may call them. The message names each of them."""


def guard(
    audience: Audience = Audience.SIGNED_IN,
    *,
    verified: bool = True,
    grace: bool = True,
    entitled: bool = False,
    capability: str | None = None,
    feature: str | None = None,
    step_up: bool = False,
    history: bool = False,
    metered: bool = False,
    scope: str | None = None,
    any_way_in: bool = False,
    of_account: bool = False,
) -> Guard:
    """The one guard of a route: `dependencies=[guard(...)]`. See :class:`Policy` for what is asked.

    Raises ValueError for a capability, feature or scope that there is none of, for history of what needs no plan, and
    for an audience with guards of its own.
    """
    if audience is Audience.PUBLIC:
        return Guard(policy=Policy(audience), dependency=_anybody)
    if audience is not Audience.SIGNED_IN:
        raise ValueError(f"{audience} is guarded by its own surface")
    if capability is not None and capability not in CAPABILITIES:
        raise ValueError(f"no capability is called {capability}")
    if feature is not None and feature not in read_catalogue().features:
        raise ValueError(f"the catalogue has no feature {feature}")
    if scope is not None and scope not in SCOPES:
        raise ValueError(f"no scope is called {scope}")
    policy = Policy(
        audience,
        verified,
        grace,
        capability,
        entitled,
        feature,
        step_up,
        history,
        metered,
        scope,
        any_way_in,
        of_account,
    )
    if history and not policy.asks_plan:
        raise ValueError("what needs no plan is open without its history too")
    # scope="function": it shares the transaction of the route, which ends before the answer is sent
    return Guard(policy=policy, dependency=_asking(policy), scope="function")


async def _anybody(request: Request) -> None:
    """Lets everybody pass; but where something may change, not staff who look at an account as its member."""
    if request.method not in refusals.SAFE_METHODS:
        await visitor(request)


def _asking(policy: Policy) -> Callable[..., object]:
    async def asked_of_person(who: Who, world: CurrentWorld) -> None:
        _ask_person(policy, who, world)
        _ask_proof(policy, who, world)

    async def asked_of_plan(request: Request, who: Who, world: CurrentWorld, session: Tenant) -> None:
        _ask_person(policy, who, world)
        await _ask_plan(policy, request, who, world, session)
        _ask_proof(policy, who, world)

    async def asked_of_call(request: Request, who: Who, world: CurrentWorld) -> None:
        _ask_person(policy, who, world)
        # over before the route's own transaction begins: calls wait neither for one another's count nor, holding one
        # connection, for a second
        async with world.database.tenant(who.account_id) as session:
            await _ask_plan(policy, request, who, world, session)
        _ask_proof(policy, who, world)

    if policy.metered:
        return asked_of_call
    return asked_of_plan if policy.asks_plan else asked_of_person


def _ask_person(policy: Policy, who: SignedIn, world: World) -> None:
    if who.kind == "key":
        refusals.refuse_scope(who, policy.scope)
    if not policy.any_way_in:
        refusals.refuse_other_ways_in(who)
    if policy.verified:
        refusals.refuse_unverified(who, grace=policy.grace, now=world.clock.now())
    if policy.capability:
        refusals.refuse_role(who, policy.capability)
    if policy.of_account:
        refusals.refuse_further_workspace(who)


def _ask_proof(policy: Policy, who: SignedIn, world: World) -> None:
    if policy.step_up:
        refusals.refuse_stale_proof(who, now=world.clock.now())


async def _ask_plan(policy: Policy, request: Request, who: SignedIn, world: World, session: AsyncSession) -> None:
    by_program, reads = policy.metered and who.kind != "browser", request.method in refusals.SAFE_METHODS
    try:
        held = await entitlements_of(session, world, account_id=who.account_id)
        request.state.paused = held.paused
        _refuse_beyond(policy, held, reads=reads, by_program=by_program)
    except PaymentRequired:
        held = await entitlements_of(session, world, account_id=who.account_id, fresh=True)
        request.state.paused = held.paused
        _refuse_beyond(policy, held, reads=reads, by_program=by_program)
    if by_program:
        await count_call(request, who, world, session)


def _refuse_beyond(policy: Policy, held: Entitlements, *, reads: bool, by_program: bool) -> None:
    if policy.asks_plan or by_program:
        refusals.refuse_unentitled(held, history=policy.history and reads)
    for feature in (policy.feature, API_ACCESS if by_program else None):
        if feature is not None:
            refusals.refuse_missing_feature(held, feature)


class GuardedRoute(NamedTuple):
    """One route with what it asks; `methods` without the HEAD that comes with a GET."""

    methods: tuple[str, ...]
    path: str
    policy: Policy


SENDERS = Policy(Audience.SIGNED_BODY)
MOUNTED = {"/hooks": SENDERS, "/api/v1/webhooks": SENDERS, "/static": Policy(Audience.PUBLIC)}
"""What is mounted beside the pages and guards itself: each sender of a webhook signs, files are for everybody."""


def guarded_routes(app: FastAPI) -> list[GuardedRoute]:
    """Every route of `app` with its policy, by path; mounted applications with their own routes.

    Raises UndeclaredPolicy naming each route that has no guard, or more than one.
    """
    found: list[GuardedRoute] = []
    wrong: list[str] = []
    for methods, path, guards in _declared(app.routes):
        if len(guards) == 1:
            found.append(GuardedRoute(methods, path, guards[0]))
        else:
            wrong.append(f"{'/'.join(methods)} {path} has {'several guards' if guards else 'no guard'}")
    if wrong:
        raise UndeclaredPolicy(f"{'; '.join(sorted(wrong))}. Give each route exactly one: dependencies=[guard(...)].")
    return sorted(found, key=lambda route: (route.path, route.methods))


def require_policies(app: FastAPI) -> None:
    """Raises UndeclaredPolicy unless every route of `app` says who may call it."""
    guarded_routes(app)


def _declared(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[tuple[str, ...], str, list[Policy]]]:
    for context in iter_route_contexts(routes):
        route, path = context.original_route, f"{prefix}{context.path}"
        if isinstance(route, Mount):
            by_mount = [MOUNTED[path]] if path in MOUNTED else []
            inner = list(_declared(_routes_in(route.app), path)) or [(("GET",), f"{path}/{{file}}", [])]
            yield from ((methods, deep, guards or by_mount) for methods, deep, guards in inner)
        else:
            guards = context.dependencies if isinstance(route, APIRoute) else []
            methods = tuple(sorted((context.methods or set()) - {"HEAD"}))
            yield methods, path, [each.policy for each in guards if isinstance(each, Guard)]


def _routes_in(mounted: ASGIApp) -> Sequence[BaseRoute]:
    """The routes of a mounted application, also through the middleware around it."""
    inner: object = mounted
    while inner is not None and not hasattr(inner, "routes"):
        inner = getattr(inner, "app", None)
    return getattr(inner, "routes", ())
