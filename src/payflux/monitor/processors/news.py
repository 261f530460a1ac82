"""What follows when figures have changed: a job that reads the workspace again, one for however many changes."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.jobs import Payload, enqueue, release_key
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.store import lock_workspace

READ_WORKSPACE = "read_workspace"
"""The job, with the account's and the workspace's id, the reason, and whether it is urgent."""

SETTLED_AFTER = timedelta(seconds=5)
"""How long changes are waited for that come in one after the other."""

_ROUTINE = (Kind.CHARGE, Kind.REFUND)


class ReadingReason(StrEnum):
    """Why a workspace is read."""

    FIRST = "first"  # its history has just been pulled
    HISTORY = "history"  # older history, or a gap, has been read to its end
    EVENT = "event"  # something happened at the processor
    SWEEP = "sweep"  # it was time to
    ASKED = "asked"  # somebody asked
    TERMS = "terms"  # what the workspace tells of its reserve has changed


def is_urgent(events: np.ndarray) -> bool:
    """Whether changed events, of `EVENT_DTYPE`, hold more than everyday sales and refunds."""
    return bool(np.isin(events["kind"], _ROUTINE, invert=True).any())


async def enqueue_reading(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    reason: ReadingReason,
    urgent: bool,
    delay: timedelta | None = SETTLED_AFTER,
) -> None:
    """Have the workspace read again. Whoever has changed its events holds its lock, see :func:`take_reading`."""
    payload = {
        "account_id": str(account_id),
        "workspace_id": str(workspace_id),
        "reason": reason.value,
        "urgent": "yes" if urgent else "",
    }
    await enqueue(session, READ_WORKSPACE, payload, dedupe_key=_job_key(payload), delay=delay)


async def take_reading(session: AsyncSession, payload: Payload) -> None:
    """Begin the job: whoever changes events from now on adds another one. Waits for those who are changing them just
    now and rely on this one, so that it reads what they wrote. Takes the system's role."""
    await lock_workspace(session, UUID(payload["workspace_id"]))
    await release_key(session, _job_key(payload))


def _job_key(payload: Payload) -> str:
    return f"{READ_WORKSPACE} {payload['workspace_id']} {payload['urgent']}"
