"""The line that says how fresh the figures of a page are, and, where they are not, why and what to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark, ngettext
from payflux.monitor.processors.live.freshness import Freshness, Staleness
from payflux.monitor.processors.live.queries import freshness_of
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World

_WORDS = {
    Staleness.NONE: ("", ""),
    Staleness.ENDED_HERE: (mark("This account was disconnected."), mark("Connect it again to go on where it stopped.")),
    Staleness.ENDED_THERE: (
        mark("Stripe has taken PayFlux's access away: the key was rolled or deleted, or the app removed."),
        mark("Connect the account again to go on where it stopped."),
    ),
    Staleness.WAITING: (
        mark("Stripe has sent news that could not be looked up there yet."),
        mark("Nothing is lost and PayFlux tries again by itself."),
    ),
    Staleness.SILENT: (
        mark("Stripe could not be read since."),
        mark(
            "PayFlux tries again by itself and reads what it has missed. If this stays, see whether the key still "
            "works."
        ),
    ),
    Staleness.QUIET: (
        mark("Your processor has posted nothing since."),
        mark("If there was something to tell, look at the last deliveries on the Connection page."),
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
    return FreshnessLine(through, ago(now - through) if through else "", _(reason), _(way_out), ended)


def ago(age: timedelta) -> str:
    """How long ago, in the largest whole unit: ``12 minutes ago``."""
    seconds = max(0.0, age.total_seconds())  # of a clock that is a little ahead
    days, hours, minutes = (int(seconds // size) for size in (86_400, 3600, 60))
    if days:
        return ngettext("%(number)s\u00a0day ago", "%(number)s\u00a0days ago", days) % {"number": days}
    if hours:
        return ngettext("%(number)s\u00a0hour ago", "%(number)s\u00a0hours ago", hours) % {"number": hours}
    if minutes:
        return ngettext("%(number)s\u00a0minute ago", "%(number)s\u00a0minutes ago", minutes) % {"number": minutes}
    return _("just now")
