"""From a first step that is proven to a session, or to the second step."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.rules import SECOND_STEP_TIME
from payflux.frontdoor.accounts.factors.second_step import begin_second_step, needs_second_step
from payflux.frontdoor.accounts.sessions import SignedIn, start_session
from payflux.web.browsers import Answer, client_of, keep, kept, session_held, with_session
from payflux.web.rendering import see_other
from payflux.world.bootstrap import World

_COOKIE = "second_step"


async def answer_first_step(
    request: Request,
    session: AsyncSession,
    *,
    who: SignedIn | None,
    user_id: UUID,
    factor: str,
    next_page: str,
    sso_account_id: UUID | None = None,
) -> Response:
    """Sign in a user who has proven `factor` (password, a provider or, for `sso_account_id`, sso) and go on to
    `next_page`; where they have set up an authenticator app, go to the second step first, half signed in: that opens no
    other page."""
    world: World = request.app.state.world
    if not await needs_second_step(session, user_id=user_id):
        return await answer_signed_in(
            request,
            session,
            who=who,
            user_id=user_id,
            factors=[factor],
            sso_account_id=sso_account_id,
            next_page=next_page,
        )
    token = await begin_second_step(
        session,
        world.tokens,
        user_id=user_id,
        factors=frozenset({factor}),
        sso_account_id=sso_account_id,
        now=world.clock.now(),
    )
    answer = see_other(f"/login/second-step?{urlencode({'next': next_page})}")
    return keep(answer, world, _COOKIE, token, max_age=int(SECOND_STEP_TIME.total_seconds()))


async def answer_signed_in(
    request: Request,
    session: AsyncSession,
    *,
    who: SignedIn | None,
    user_id: UUID,
    factors: Iterable[str],
    next_page: str,
    sso_account_id: UUID | None = None,
) -> Response:
    """Go on to `next_page` in a new session of a user who has proven all they have to by `factors`."""
    world: World = request.app.state.world
    is_same = who is not None and who.user_id == user_id
    token = await start_session(
        session,
        world.tokens,
        user_id=user_id,
        account_id=who.account_id if who is not None and is_same else None,
        sso_account_id=sso_account_id,
        client=client_of(request),
        factors=factors,
        now=world.clock.now(),
        replacing=session_held(who),
    )
    return without_second_step(with_session(see_other(next_page), world, token), world)


def second_step_token(request: Request, world: World) -> str:
    """What a browser holds between the steps; empty where it is not."""
    return kept(request, world, _COOKIE)


def without_second_step(response: Answer, world: World) -> Answer:
    """`response` that forgets the sign-in under way."""
    return keep(response, world, _COOKIE, "", max_age=0)
