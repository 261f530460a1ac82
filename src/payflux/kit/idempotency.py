"""Requests that come again: the answer to the first is kept, in the transaction of what it did, and given once more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.kit.errors import Conflict

KEPT_FOR = timedelta(hours=24)
KEY_MAX = 255


class KeptAnswer(Base):
    """The answer to a request that named an `Idempotency-Key`."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_at", "at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_MAX), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: bytes


class KeyUsed(Conflict):
    """The key came with another request before."""

    code = "idempotency_key_used"


async def answer_before(
    session: AsyncSession, *, account_id: UUID, key: str, request: bytes, now: datetime
) -> Answer | None:
    """What the same request was answered with within :data:`KEPT_FOR`; None where it is the first.

    From here to the end of the transaction, another request of the account with this key waits. `request` is all that
    makes the request what it is. Raises KeyUsed where the key came with another one.
    """
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{account_id} {key}"}
    )
    kept = await session.get(KeptAnswer, (account_id, key), populate_existing=True)
    if kept is None:
        return None
    if now - kept.at >= KEPT_FOR:
        await session.delete(kept)
        await session.flush()
        return None
    if kept.request_hash != hashlib.sha256(request).digest():
        raise KeyUsed(
            "This Idempotency-Key came with another request before.",
            way_out="Send each new request under a key of its own, and only a repeated one under the same.",
        )
    return Answer(kept.status, kept.body)


async def keep_answer(
    session: AsyncSession, *, account_id: UUID, key: str, request: bytes, answer: Answer, now: datetime
) -> None:
    """Keep the answer to `request`, after :func:`answer_before` found none."""
    digest = hashlib.sha256(request).digest()
    session.add(
        KeptAnswer(account_id=account_id, key=key, request_hash=digest, status=answer.status, body=answer.body, at=now)
    )
    await session.flush()


async def forget_answers(session: AsyncSession, *, now: datetime) -> None:
    """Remove the answers that are kept no longer. Runs as the system role."""
    await session.execute(delete(KeptAnswer).where(KeptAnswer.at <= now - KEPT_FOR))
