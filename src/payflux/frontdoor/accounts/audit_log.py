"""What an account's audit log shows its owners: entries newest first, by who did them, what it was, and when."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership, User
from payflux.kit.audit import AuditEntry
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _

SYSTEM = "system"
"""What the filter calls an actor who is nobody: a job, or the processor."""

MOST_EXPORTED = 50_000
"""How many entries one file holds, the newest."""


@dataclass(frozen=True)
class LogFilter:
    """Which entries to show: `actor` a user, SYSTEM or None for everyone; `action` a name or empty for all; whole
    days of UTC, each included, or None."""

    actor: UUID | str | None = None
    action: str = ""
    first_day: date | None = None
    last_day: date | None = None


def read_filter(*, actor: str, action: str, first_day: str, last_day: str) -> LogFilter:
    """The filter that a form asks for, as it was typed. Raises InvalidInput naming each wrong field."""
    problems: dict[str, str] = {}
    chosen: UUID | str | None = None
    if actor:
        try:
            chosen = SYSTEM if actor == SYSTEM else UUID(actor)
        except ValueError:
            problems["actor"] = _("Choose somebody from the list.")
    days: dict[str, date | None] = {}
    for name, typed in (("from", first_day), ("to", last_day)):
        try:
            days[name] = date.fromisoformat(typed) if typed else None
        except ValueError:
            problems[name] = _("Write the day as 2026-11-21.")
    if not problems and days["from"] and days["to"] and days["from"] > days["to"]:
        problems["to"] = _("The last day is before the first.")
    if problems:
        raise InvalidInput(problems)
    return LogFilter(chosen, action.strip().replace("\x00", ""), days["from"], days["to"])


async def find_entries(
    session: AsyncSession, chosen: LogFilter, *, account_id: UUID, limit: int, before: int | None = None
) -> Sequence[AuditEntry]:
    """Up to `limit` entries, newest first; with `before`, only those with a smaller number."""
    query = _matching(chosen, account_id)
    if before is not None:
        query = query.where(AuditEntry.sequence < before)
    return (await session.execute(query.order_by(AuditEntry.sequence.desc()).limit(limit))).scalars().all()


def _matching(chosen: LogFilter, account_id: UUID) -> Select[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.account_id == account_id)
    if chosen.actor is not None:
        actor = None if chosen.actor == SYSTEM else chosen.actor
        query = query.where(AuditEntry.actor_id.is_(None) if actor is None else AuditEntry.actor_id == actor)
    if chosen.action:
        query = query.where(AuditEntry.action == chosen.action)
    if chosen.first_day:
        query = query.where(AuditEntry.at >= _midnight(chosen.first_day))
    if chosen.last_day and chosen.last_day < date.max:
        query = query.where(AuditEntry.at < _midnight(chosen.last_day + timedelta(days=1)))
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def actions_of(session: AsyncSession, *, account_id: UUID) -> Sequence[str]:
    """Every kind of change that the log of the account holds."""
    kinds = select(AuditEntry.action).where(AuditEntry.account_id == account_id).distinct()
    return (await session.execute(kinds.order_by(AuditEntry.action))).scalars().all()


async def actors_of(session: AsyncSession, *, account_id: UUID) -> dict[UUID, str]:
    """The members' names by their ids; who has left has none any more."""
    members = select(User.id, User.name).join(Membership, Membership.user_id == User.id)
    rows = await session.execute(members.where(Membership.account_id == account_id).order_by(User.name))
    return {row.id: row.name for row in rows}


def actor_name(entry: AuditEntry, actors: dict[UUID, str]) -> str:
    """What whoever did this is called: a member, or one of our staff; empty for who has left."""
    staff = (entry.after or {}).get("staff", "") if entry.action.startswith("staff.") else ""
    return (actors.get(entry.actor_id, "") if entry.actor_id else "") or str(staff)


COLUMNS = ("number", "at", "actor_id", "actor", "action", "subject", "before", "after", "address", "browser", "hash")


def as_csv(entries: Sequence[AuditEntry], actors: dict[UUID, str]) -> str:
    """`entries` as RFC 4180 text with a head, times in ISO 8601 and UTC, before and after as JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        actor = actor_name(entry, actors) if entry.actor_id else SYSTEM
        cells = (entry.action, entry.subject, _json(entry.before), _json(entry.after), entry.address, entry.user_agent)
        row = (entry.sequence, entry.at.isoformat(), entry.actor_id or "", _cell(actor), *map(_cell, cells))
        writer.writerow((*row, entry.hash.hex()))
    return text.getvalue()


def _json(value: dict[str, object] | None) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _cell(text: str) -> str:
    # a spreadsheet would run what begins like a formula, and others choose names and user agents
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
