"""Answer a what-if for a history that is stored. Nothing of it is kept."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.processors.codes import Status
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import history_at
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.projections.terms import settings_of
from payflux.monitor.risk.rules import History, prepare
from payflux.monitor.risk.rules.history import count
from payflux.monitor.whatif.answers import Answer, answer
from payflux.monitor.whatif.changes import Changes


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The fraud warnings that could be refunded now, with their amount in minor units of `currency`, and the answer to
    what was asked; None when nothing was."""

    currency: str
    open_warnings: int
    open_amount: int
    answer: Answer | None


async def answer_at(session: AsyncSession, connection: Connection, *, as_of: datetime, changes: Changes) -> Reply:
    """What `changes` would make of the stored history of `connection` as of an instant, on the workspace's own
    terms."""
    known = await history_at(session, connection, as_of=as_of)
    settings = await settings_of(session, account_id=connection.account_id, workspace_id=connection.workspace_id)

    def work() -> Reply:
        history = prepare(
            known.events,
            as_of=known.as_of,
            account=known.account,
            balance=known.balance,
            reads_declines=known.reads_declines,
        )
        return reply(history, changes, settings)

    # scoring a long history takes a good part of a second, in which other requests are served
    return await asyncio.to_thread(work)


def reply(history: History, changes: Changes, settings: ProjectionSettings | None = None) -> Reply:
    """What can be asked of `history`, and the answer to `changes`."""
    waiting = history.warnings[history.warnings["status"] == Status.ACTIONABLE]
    return Reply(
        currency=history.currency_code,
        open_warnings=count(waiting),
        open_amount=history.volume(waiting),
        answer=answer(history, changes, settings) if changes else None,
    )
