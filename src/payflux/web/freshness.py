"""The line that says how fresh the figures of a page are, and, where they are not, why and what to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.live.freshness import Freshness, Staleness
from payflux.monitor.processors.live.queries import freshness_of
from payflux.monitor.processors.models import Connection
from payflux.web.formatting import NBSP
from payflux.world.bootstrap import World

_WORDS = {
    Staleness.NONE: ("", ""),
    Staleness.ENDED_HERE: ("This account was disconnected.", "Connect it again to go on where it stopped."),
    Staleness.ENDED_THERE: (
        "Stripe has taken PayFlux's access away: the key was rolled or deleted, or the app removed.",
        "Connect the account again to go on where it stopped.",
    ),
    Staleness.WAITING: (
        "Stripe has sent news that could not be looked up there yet.",
        "Nothing is lost and PayFlux tries again by itself.",
    ),
    Staleness.SILENT: (
        "Stripe could not be read since.",
        "PayFlux tries again by itself and reads what it has missed. If this stays, see whether the key still works.",
    ),
    Staleness.QUIET: (
        "Your processor has posted nothing since.",
        "If there was something to tell, look at the last deliveries on the Connection page.",
    ),
}


class FreshnessLine(NamedTuple):
    """`through` is None before the first pull is done. `reason` and `way_out` are empty while all is well; `connect`
    says that only connecting again helps."""

    through: datetime | None
    age: str
    reason: str
    way_out: str
    connect: bool


async def freshness_line(
    session: AsyncSession, world: World, connection: Connection, *, figures_as_of: datetime | None = None
) -> FreshnessLine:
    """The line for a page on `connection`; where its figures were computed earlier, as of `figures_as_of`."""
    now = world.clock.now()
    return line_of(await freshness_of(session, world.settings, connection, now), now, figures_as_of)


def line_of(fresh: Freshness, now: datetime, figures_as_of: datetime | None = None) -> FreshnessLine:
    reason, way_out = _WORDS[fresh.why]
    ended = fresh.why in (Staleness.ENDED_HERE, Staleness.ENDED_THERE)
    through = fresh.through
    if through is not None and figures_as_of is not None:
        through = min(through, figures_as_of)
    return FreshnessLine(through, ago(now - through) if through else "", reason, way_out, ended)


def ago(age: timedelta) -> str:
    """How long ago, in the largest whole unit: ``12 minutes ago``."""
    seconds = age.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number}{NBSP}{unit}{'s' if number > 1 else ''} ago"
    return "just now"
