"""Count what an account uses of its limits, and refuse what would be too much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import paying_account
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES, holders
from payflux.frontdoor.entitlements.models import UsageCounter
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import PaymentRequired
from payflux.kit.figures import day_words
from payflux.kit.messages import gettext as _
from payflux.kit.messages import sentence_start
from payflux.world.bootstrap import World

UPGRADE_PATH = "/account/billing/select-plan"

DAILY = "_per_day"
MONTHLY = "_per_month"

# one statement, so that two calls at once cannot both take the last one; a row is only made where it fits
_TAKE = text("""
    INSERT INTO usage_counters AS counted (account_id, limit_key, window_start, used)
    SELECT coalesce((SELECT parent_id FROM accounts WHERE id = :account_id), :account_id), :limit_key,
        CAST(:window_start AS timestamptz), CAST(:amount AS integer)
    WHERE CAST(:amount AS integer) <= CAST(:most AS integer)
    ON CONFLICT (account_id, limit_key, window_start) DO UPDATE SET used = counted.used + EXCLUDED.used
    WHERE counted.used + EXCLUDED.used <= CAST(:most AS integer)
    RETURNING used
""")
_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Usage:
    """How much of a limit is used. A `limit` of None is none; `reset_at` is None for what is not counted by time, such
    as seats."""

    key: str
    used: int
    limit: int | None
    reset_at: datetime | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def _instant(at: datetime) -> dict[str, str]:
    return {"day": day_words(at, long=True), "time": f"{at:%H:%M}"}


class LimitReached(PaymentRequired):
    """What was asked for is more than the account's plan allows."""

    code = "limit_reached"

    def __init__(self, usage: Usage) -> None:
        resets = (
            " " + _("It begins anew on %(day)s at %(time)s UTC.") % _instant(usage.reset_at) if usage.reset_at else ""
        )
        super().__init__(
            _("Your plan allows %(limit)s of this (%(key)s), and %(used)s are used.%(resets)s")
            % {"limit": usage.limit, "key": usage.key, "used": usage.used, "resets": resets},
            way_out=_("%(who)s of the account can choose a larger plan.")
            % {"who": sentence_start(holders("billing.manage"))},
            details={
                "error": "limit_reached",
                "limit": usage.limit,
                "used": usage.used,
                "reset_at": usage.reset_at.isoformat() if usage.reset_at else None,
                "limit_key": usage.key,
                "upgrade_url": UPGRADE_PATH,
                "changed_by": sorted(CAPABILITIES["billing.manage"]),
            },
        )


def window_of(key: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The day or month, in UTC, that a use at `now` counts in: its start, and its end (excluded). None for a limit
    that is not counted by time."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if key.endswith(DAILY):
        return day, day + timedelta(days=1)
    if key.endswith(MONTHLY):
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    return None


def require_room(usage: Usage, adding: int = 1) -> None:
    """Raises LimitReached where `adding` more would pass the limit. Pure; whoever counts holds a lock."""
    if usage.limit is not None and usage.used + adding > usage.limit:
        raise LimitReached(usage)


async def used(session: AsyncSession, *, account_id: UUID, key: str, now: datetime) -> int:
    """How much the account, with its workspaces, used of a limit that is counted by time, in the window of `now`."""
    start, _ = _counted(key, now)
    counter = select(UsageCounter.used).where(
        UsageCounter.account_id == paying_account(account_id),
        UsageCounter.limit_key == key,
        UsageCounter.window_start == start,
    )
    return (await session.execute(counter)).scalar_one_or_none() or 0


async def use(session: AsyncSession, world: World, *, account_id: UUID, key: str, amount: int = 1) -> Usage:
    """Take `amount` of a limit that is counted by time, and for the account as a whole. The counter's row stays locked
    until the transaction ends.

    Raises LimitReached, and counts nothing, where the plan does not allow as much.
    """
    now = world.clock.now()
    start, end = _counted(key, now)
    for fresh in (False, True):  # what was found out before may be out of date where it refuses
        held = await entitlements_of(session, world, account_id=account_id, fresh=fresh)
        limit = held.limits[key]
        most = _NO_LIMIT if limit is None else limit
        row = {"account_id": account_id, "limit_key": key, "window_start": start, "amount": amount, "most": most}
        taken = (await session.execute(_TAKE, row)).scalar_one_or_none()
        if taken is not None:
            return Usage(key, taken, limit, end)
    raise LimitReached(Usage(key, await used(session, account_id=account_id, key=key, now=now), limit, end))


def _counted(key: str, now: datetime) -> tuple[datetime, datetime]:
    window = window_of(key, now)
    if window is None:
        raise ValueError(f"{key} is not counted by time")
    return window
