"""What a workspace has told of its own reserve: its projections go by that instead of what its tier suggests."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.processors.news import ReadingReason, enqueue_reading
from payflux.monitor.projections.models import ProjectionTerms
from payflux.monitor.projections.settings import ProjectionSettings

STANDARD_HORIZONS = ProjectionSettings().horizons
"""Days that every projection looks ahead to: alerts, scores and records rest on them."""

FURTHEST = 180
"""The last day that a horizon may be added for: no processor's published reserve holds money for longer."""

MOST_ADDED = 3

_SHARE = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")


async def settings_of(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> ProjectionSettings:
    """What projections of the workspace go by; everything is left to the data where nothing is told."""
    row = await session.get(ProjectionTerms, (account_id, workspace_id), populate_existing=True)
    return ProjectionSettings() if row is None else _settings(row.horizons, row.rate, row.hold_days)


def read_terms(*, rate: str, hold_days: str, horizons: str) -> ProjectionSettings:
    """What was typed, each empty for what is left to the data: `rate` a percentage of sales, `hold_days` whole days,
    `horizons` further days to look ahead to. Raises InvalidInput on the fields that are wrong. Pure."""
    wrong: dict[str, str] = {}
    share = _read_rate(rate.strip().removesuffix("%").strip(), wrong)
    days = _read_hold(hold_days.strip(), share, wrong)
    added = _read_horizons(horizons, wrong)
    if wrong:
        raise InvalidInput(wrong)
    return _settings(added, share, days)


async def set_terms(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    rate: str,
    hold_days: str,
    horizons: str,
    actor_id: UUID,
    now: datetime,
) -> ProjectionSettings:
    """Keep what was typed, and have the workspace read again where it is something else than before.

    Raises InvalidInput as :func:`read_terms` does.
    """
    after = read_terms(rate=rate, hold_days=hold_days, horizons=horizons)
    before = await settings_of(session, account_id=account_id, workspace_id=workspace_id)
    if after == before:
        return after
    row = insert(ProjectionTerms).values(account_id=account_id, workspace_id=workspace_id, **_told(after))
    await session.execute(row.on_conflict_do_update(index_elements=["account_id", "workspace_id"], set_=_told(after)))
    await record_change(
        session,
        account_id=account_id,
        actor_id=actor_id,
        action="projection_terms.changed",
        subject=str(workspace_id),
        at=now,
        before=_told(before),
        after=_told(after),
    )
    await enqueue_reading(
        session,
        account_id=account_id,
        workspace_id=workspace_id,
        reason=ReadingReason.TERMS,
        urgent=True,
        delay=None,
    )
    return after


def added_horizons(settings: ProjectionSettings) -> list[int]:
    """The days beside those that every projection looks ahead to."""
    return [days for days in settings.horizons if days not in STANDARD_HORIZONS]


def _settings(added: list[int], rate: float | None, hold_days: int | None) -> ProjectionSettings:
    return ProjectionSettings(horizons=tuple(sorted({*STANDARD_HORIZONS, *added})), rate=rate, hold_days=hold_days)


def _told(settings: ProjectionSettings) -> dict[str, object]:
    return {"rate": settings.rate, "hold_days": settings.hold_days, "horizons": added_horizons(settings)}


def _read_rate(text: str, wrong: dict[str, str]) -> float | None:
    if not text:
        return None
    share = float(text.replace(",", ".")) if _SHARE.fullmatch(text) else None
    if share is None or share > 100:
        wrong["rate"] = _("Write a share of sales from 0 to 100 %, such as 10 or 7.5.")
        return None
    return round(share / 100, 4)


def _read_hold(text: str, rate: float | None, wrong: dict[str, str]) -> int | None:
    if not text:
        if rate:
            wrong["hold_days"] = _("Write for how many days each share is held; your processor's notice says so.")
        return None
    if not (text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= FURTHEST):
        wrong["hold_days"] = _("Write a number of whole days from 1 to %(most)s.") % {"most": FURTHEST}
        return None
    if rate is None and "rate" not in wrong:
        wrong["rate"] = _("Write what share of sales is held for so long.")
    return int(text)


def _read_horizons(text: str, wrong: dict[str, str]) -> list[int]:
    words = text.replace(",", " ").split()
    days = sorted({int(word) for word in words if word.isdecimal() and len(word) <= 3} - {*STANDARD_HORIZONS})
    whole = all(word.isdecimal() and len(word) <= 3 for word in words)
    if not whole or any(not 1 <= day <= FURTHEST for day in days) or len(days) > MOST_ADDED:
        wrong["horizons"] = _("Write up to %(count)s numbers of days from 1 to %(most)s, such as 14, 120.") % {
            "count": MOST_ADDED,
            "most": FURTHEST,
        }
    return days
