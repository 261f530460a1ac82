"""What an account has and has used, against what its plan allows: the front door knows the limits, and here they are
counted."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import family_of, has_family, parent_of
from payflux.frontdoor.accounts.team import queries as team
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.frontdoor.accounts.team.rules import SeatAllowance
from payflux.frontdoor.accounts.workspaces.queries import addresses_in
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.entitlements.rules import SEATS
from payflux.frontdoor.entitlements.usage import Usage, require_room, used, window_of
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.queries import count_connected
from payflux.monitor.projections.queries import count_projections
from payflux.world.bootstrap import World

PROCESSORS = "processors"
PROJECTIONS = "projections_per_day"
KEPT = "retention_days"
"""A limit that nothing is used of: how long history is kept."""


class UnknownLimit(NotFound):
    code = "unknown_limit"


async def seat_allowance(session: AsyncSession, world: World, *, account_id: UUID) -> SeatAllowance:
    """How many seats the account has, and who takes one in another of its workspaces; read anew, for it decides. Where
    there are several, nobody else takes a seat in any of them until the transaction ends."""
    limit = (await entitlements_of(session, world, account_id=account_id, fresh=True)).limits[SEATS]
    if limit is None or not await has_family(session, account_id=account_id):
        return SeatAllowance(limit)
    paying = await parent_of(session, account_id=account_id) or account_id
    await hold_seats(session, account_id=paying)
    async with world.database.system() as everywhere:
        others = set(await family_of(everywhere, account_id=account_id)) - {account_id}
        return SeatAllowance(limit, *await addresses_in(everywhere, others, now=world.clock.now()))


async def usage_of(session: AsyncSession, world: World, *, account_id: UUID, key: str, fresh: bool = False) -> Usage:
    """How much of a limit the account, with its workspaces, uses now; `fresh` reads the limit anew.

    Raises UnknownLimit.
    """
    held = await entitlements_of(session, world, account_id=account_id, fresh=fresh)
    if key not in held.limits or key == KEPT:
        known = ", ".join(each for each in held.limits if each != KEPT)
        raise UnknownLimit(
            _("No limit that is used up is called %(key)s.") % {"key": key[:50]},
            way_out=_("Ask for one of %(known)s.") % {"known": known},
        )
    now = world.clock.now()
    window = window_of(key, now)
    match key, window:
        case ("seats", _):
            allowance = await seat_allowance(session, world, account_id=account_id)
            seats = await team.seats(session, account_id=account_id, allowance=allowance, now=now)
            count = seats.members + seats.invites + seats.elsewhere
        case ("processors", _):
            count = await _in_family(session, world, account_id, held.limits[key], count_connected)
        case ("projections_per_day", (start, _)):
            made = partial(count_projections, since=start)
            count = await _in_family(session, world, account_id, held.limits[key], made)
        case _:
            count = await used(session, account_id=account_id, key=key, now=now)
    return Usage(key, count, held.limits[key], window[1] if window else None)


async def usages_of(session: AsyncSession, world: World, *, account_id: UUID) -> list[Usage]:
    """How much the account uses now of each limit that is used up, in the order of the catalogue."""
    held = await entitlements_of(session, world, account_id=account_id)
    return [await usage_of(session, world, account_id=account_id, key=key) for key in held.limits if key != KEPT]


async def projections_elsewhere(world: World, *, account_id: UUID, since: datetime) -> int:
    """How many projections the account's other workspaces have made at `since` or after, where all share a limit; else
    0. Each workspace is read in a transaction of its own, so that none should be open meanwhile."""
    async with world.database.tenant(account_id) as session:
        held = await entitlements_of(session, world, account_id=account_id)
        if held.limits[PROJECTIONS] is None or not await has_family(session, account_id=account_id):
            return 0
    return await _elsewhere(world, account_id, partial(count_projections, since=since))


async def require_within_limit(
    session: AsyncSession, world: World, *, account_id: UUID, key: str, adding: int = 1
) -> None:
    """Raises LimitReached where `adding` more of `key` would pass the account's limit, going by rows that are read
    anew. Whoever asks holds the lock under which it is added; with 0, what this transaction has added is judged."""
    require_room(await usage_of(session, world, account_id=account_id, key=key, fresh=True), adding)


class _Count(Protocol):
    def __call__(self, session: AsyncSession, *, account_id: UUID) -> Awaitable[int]: ...


async def _in_family(session: AsyncSession, world: World, account_id: UUID, limit: int | None, count: _Count) -> int:
    """What is counted of the account and, where a limit is shared, of its other workspaces, each as its own tenant."""
    total = await count(session, account_id=account_id)
    if limit is None or not await has_family(session, account_id=account_id):
        return total
    return total + await _elsewhere(world, account_id, count)


async def _elsewhere(world: World, account_id: UUID, count: _Count) -> int:
    async with world.database.system() as everywhere:
        family = await family_of(everywhere, account_id=account_id)
    total = 0
    for other in set(family) - {account_id}:
        async with world.database.tenant(other) as there:
            total += await count(there, account_id=other)
    return total
