"""What an account has and has used, against what its plan allows: the front door knows the limits, and here they are
counted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.team import queries as team
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.entitlements.rules import SEATS
from payflux.frontdoor.entitlements.usage import Usage, require_room, used, window_of
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.queries import count_connected
from payflux.monitor.projections.queries import count_projections
from payflux.world.bootstrap import World

PROCESSORS = "processors"
KEPT = "retention_days"
"""A limit that nothing is used of: how long history is kept."""


class UnknownLimit(NotFound):
    code = "unknown_limit"


async def seat_limit(session: AsyncSession, world: World, *, account_id: UUID) -> int | None:
    """How many seats the account has, None without a limit; read anew, for it decides."""
    return (await entitlements_of(session, world, account_id=account_id, fresh=True)).limits[SEATS]


async def usage_of(session: AsyncSession, world: World, *, account_id: UUID, key: str, fresh: bool = False) -> Usage:
    """How much of a limit the account uses now; `fresh` reads the limit anew. Raises UnknownLimit."""
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
            seats = await team.seats(session, account_id=account_id, limit=held.limits[SEATS], now=now)
            count = seats.members + seats.invites
        case ("processors", _):
            count = await count_connected(session, account_id=account_id)
        case ("projections_per_day", (start, _)):
            count = await count_projections(session, account_id=account_id, since=start)
        case _:
            count = await used(session, account_id=account_id, key=key, now=now)
    return Usage(key, count, held.limits[key], window[1] if window else None)


async def usages_of(session: AsyncSession, world: World, *, account_id: UUID) -> list[Usage]:
    """How much the account uses now of each limit that is used up, in the order of the catalogue."""
    held = await entitlements_of(session, world, account_id=account_id)
    return [await usage_of(session, world, account_id=account_id, key=key) for key in held.limits if key != KEPT]


async def require_within_limit(
    session: AsyncSession, world: World, *, account_id: UUID, key: str, adding: int = 1
) -> None:
    """Raises LimitReached where `adding` more of `key` would pass the account's limit, going by rows that are read
    anew. Whoever asks holds the lock under which it is added; with 0, what this transaction has added is judged."""
    require_room(await usage_of(session, world, account_id=account_id, key=key, fresh=True), adding)
