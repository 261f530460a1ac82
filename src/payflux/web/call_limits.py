"""How often a program may call: so many calls at once by key, and so many a day by plan, told on every answer.

Source of the headers: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.usage import use
from payflux.kit.errors import TooManyRequests
from payflux.world.bootstrap import World

API_CALLS = "api_calls_per_day"
DAY = 86_400  # seconds


@dataclass(frozen=True)
class CallLimit:
    """A limit as its headers tell it: `quota` calls in `window` seconds, of which `left` are left for `reset` seconds.
    Whoever has no limit is told none."""

    name: str
    quota: int
    window: int
    left: int
    reset: int


async def count_call(request: Request, who: SignedIn, world: World, session: AsyncSession) -> None:
    """Count a call of a program, and note how many are left; others of the account wait until `session`'s transaction
    ends. Raises TooManyRequests and LimitReached."""
    now, calls = world.clock.now(), world.calls
    wait = calls.wait(who.session_id, now)
    limits = [CallLimit("burst", calls.burst, calls.window, calls.left(who.session_id, now), max(1, math.ceil(wait)))]
    request.state.call_limits = limits
    if wait:
        seconds = math.ceil(wait)
        raise TooManyRequests(
            "Your calls come too often. This one was not taken.",
            way_out=f"Send it again after {seconds} s.",
            details={"retry_after": seconds},
        )
    used = await use(session, world, account_id=who.account_id, key=API_CALLS)
    if used.limit is not None and used.reset_at is not None and used.left is not None:
        reset = math.ceil((used.reset_at - now).total_seconds())
        limits.append(CallLimit("day", used.limit, DAY, used.left, reset))


def limit_headers(state: Mapping[str, object]) -> dict[str, str]:
    """The headers that tell what :func:`count_call` noted in a request's `state`."""
    limits = state.get("call_limits")
    if not isinstance(limits, list):
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{each.name}";q={each.quota};w={each.window}' for each in limits),
        "RateLimit": ", ".join(f'"{each.name}";r={each.left};t={each.reset}' for each in limits),
    }
