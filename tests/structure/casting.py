"""Puts each caller of the guard matrix into a real database, and calls a route as them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from payflux.activation.onboarding import open_account
from payflux.frontdoor.accounts.access_tokens import write_access_token
from payflux.frontdoor.accounts.keys.rules import new_key
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.accounts.sessions import Client, start_session
from payflux.kit.ids import new_id
from payflux.web.guard_matrix import Answer, Persona
from payflux.web.policies import GuardedRoute, guarded_routes
from payflux.web.security import CSRF_FIELD, cookie_name
from payflux.world.bootstrap import World

SEED = "s" * 43
"""What a browser's CSRF cookie holds; the tokens of its forms are made from it."""

REFUSALS = {
    "not_signed_in": Answer.SIGN_IN,
    "read_only": Answer.READ_ONLY,
    "email_not_verified": Answer.VERIFY,
    "scope": Answer.SCOPE,
    "role": Answer.ROLE,
    "subscription_inactive": Answer.PLAN,
    "no_subscription": Answer.PLAN,
    "feature_not_in_plan": Answer.PLAN,
    "step_up_required": Answer.CONFIRM,
}
"""What a refusal calls its rule, in `error` or, where there is none, in `code`."""


@dataclass(frozen=True)
class Member:
    """A caller as the database knows them. `owner_id` is somebody else where the caller owns nothing."""

    persona: Persona
    user_id: UUID
    owner_id: UUID
    account_id: UUID


async def cast_member(world: World, superuser: asyncpg.Connection, persona: Persona) -> Member:
    """A new account with `persona` in it."""
    name = re.sub(r"\W+", "-", persona.name)
    now = world.clock.now()
    async with world.database.system() as session:
        owner = await create_user(
            session, name="Alice", email=f"alice@{name}.example", password_hash=None, verified_at=now, now=now
        )
        account = await open_account(session, world.tokens, owner, now)
        caller = owner
        if persona.role != "owner":
            address = f"member-{name}@example.com"
            caller = await create_user(session, name="Bob", email=address, password_hash=None, verified_at=now, now=now)
    member = Member(persona, caller.id, owner.id, account.id)
    await put_in_place(world, superuser, member)
    return member


async def put_in_place(world: World, superuser: asyncpg.Connection, member: Member) -> None:
    """Bring the caller, and their account, into the state that their persona says, whatever the last call did."""
    persona, now = member.persona, world.clock.now()
    registered = now if persona.in_grace else now - timedelta(days=8)
    async with superuser.transaction():
        await superuser.execute("SET CONSTRAINTS ALL DEFERRED")
        await superuser.execute(
            "UPDATE users SET created_at = $2, email_verified_at = $3 WHERE id = $1",
            member.user_id,
            registered,
            now if persona.verified else None,
        )
        await superuser.execute("DELETE FROM memberships WHERE account_id = $1", member.account_id)
        for user_id, role in {member.owner_id: "owner", member.user_id: persona.role}.items():
            await superuser.execute(
                "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, $3)",
                member.account_id,
                user_id,
                role,
            )
        await superuser.execute("DELETE FROM subscriptions WHERE account_id = $1", member.account_id)
        if persona.status is not None:
            ended = {"expired": timedelta(hours=1), "long expired": timedelta(days=31)}.get(persona.status)
            await superuser.execute(
                "INSERT INTO subscriptions "
                "(id, account_id, plan, status, current_period_start, current_period_end, canceled_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                new_id(),
                member.account_id,
                persona.plan,
                "trialing" if ended else persona.status,
                now - timedelta(days=45),
                now - ended if ended else now + timedelta(days=6),
                now - timedelta(hours=1) if persona.status == "canceled" else None,
            )
        await superuser.execute(
            "UPDATE accounts SET entitlements_version = entitlements_version + 1 WHERE id = $1", member.account_id
        )


def doors(app: FastAPI) -> list[GuardedRoute]:
    """Every route of `app`, once for each of its methods."""
    return [route._replace(methods=(method,)) for route in guarded_routes(app) for method in route.methods]


@dataclass
class Caller:
    """`member`, or nobody, at the routes of `app`: at each call in the state of their persona, just signed in."""

    app: FastAPI
    world: World
    superuser: asyncpg.Connection
    member: Member | None = None
    _headers: dict[str, str] | None = None
    _cookies: dict[str, str] = field(default_factory=dict)

    async def call(self, route: GuardedRoute, path: str, fields: Mapping[str, object] | None = None) -> httpx.Response:
        """The answer of `route` at `path`, sending `fields`; a form has its right token."""
        if self._headers is None:
            await self._begin()
        response = await self._send(route.methods[0], path, fields or {})
        # who was refused, or only read, is still who they were
        if response.is_success or response.is_redirect:
            unchanged = route.methods[0] == "GET" and "set-cookie" not in response.headers
            self._headers = self._headers if unchanged else None
        return response

    async def _begin(self) -> None:
        self._headers, self._cookies = {}, {cookie_name(self.world.settings, "csrf"): SEED}
        if self.member is not None:
            await put_in_place(self.world, self.superuser, self.member)
            self._headers = await _credentials(self.world, self.superuser, self.member, self._cookies)

    async def _send(self, method: str, path: str, fields: Mapping[str, object]) -> httpx.Response:
        headers = {"Accept": "application/json", **(self._headers or {})}
        csrf = self.world.tokens.digest(f"csrf {SEED}").hex()
        transport = httpx.ASGITransport(self.app, client=("203.0.113.7", 50000))
        url, cookies = self.world.settings.url, self._cookies
        async with httpx.AsyncClient(transport=transport, base_url=url, cookies=cookies, headers=headers) as browser:
            if method == "GET":
                return await browser.get(path)
            if path.startswith("/api/v1/"):
                return await browser.request(method, path, json={**fields}, headers={"X-CSRF-Token": csrf})
            return await browser.request(method, path, data={CSRF_FIELD: csrf, **fields})


async def _credentials(
    world: World, superuser: asyncpg.Connection, member: Member, cookies: dict[str, str]
) -> dict[str, str]:
    persona, now = member.persona, world.clock.now()
    if persona.scopes is not None:
        return {"Authorization": f"Bearer {await _key(world, superuser, member, persona.scopes)}"}
    await superuser.execute("DELETE FROM sessions WHERE user_id = $1", member.user_id)
    async with world.database.system() as session:
        token = await start_session(
            session,
            world.tokens,
            user_id=member.user_id,
            client=Client("203.0.113.7", "tests"),
            factors={"password"},
            now=now,
            kind="api" if persona.by_token else "browser",
        )
    changed = "UPDATE sessions SET authenticated_at = $2, impersonated_by = $3, account_id = $4 WHERE user_id = $1"
    proven = now if persona.proven_recently else now - timedelta(hours=1)
    async with superuser.transaction():
        # who of the staff visits matters to nobody here
        await superuser.execute("SET LOCAL session_replication_role = replica")
        visitor = new_id() if persona.for_support else None
        session_id = await superuser.fetchval(
            f"{changed} RETURNING id", member.user_id, proven, visitor, member.account_id
        )
    if persona.by_token:
        access = write_access_token(world.settings, user_id=member.user_id, session_id=session_id, now=now)
        return {"Authorization": f"Bearer {access}"}
    cookies[cookie_name(world.settings, "session")] = token
    return {}


async def _key(world: World, superuser: asyncpg.Connection, member: Member, scopes: frozenset[str]) -> str:
    key, now = new_key(world.settings.key_environment), world.clock.now()
    await superuser.execute("DELETE FROM api_keys WHERE owner_id = $1", member.user_id)
    await superuser.execute(
        "INSERT INTO api_keys "
        "(id, account_id, owner_id, name, digest, environment, ending, scopes, created_at, expires_at, last_used_at) "
        "VALUES ($1, $2, $3, 'key', $4, $5, $6, $7, $8, $9, $8)",
        new_id(),
        member.account_id,
        member.user_id,
        world.tokens.digest(key),
        world.settings.key_environment,
        key[-4:],
        sorted(scopes),
        now - timedelta(hours=1),
        now + timedelta(days=90),
    )
    return key


def classify(response: httpx.Response) -> Answer:
    """What became of a call, told from its answer alone."""
    if response.status_code in (401, 402, 403) and "json" in response.headers.get("Content-Type", ""):
        body = response.json()
        return REFUSALS.get(body.get("error", body.get("code", "")), Answer.THROUGH)
    return Answer.THROUGH
