"""What workers failed at, counted in the database: a worker has no address that anybody could ask it at, and its own
memory ends with it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base

JOB, MAIL, ANALYTICS = "job", "mail", "analytics"
"""A job was given up; an attempt to send a mail failed; product events did not reach the analytics service."""


class FailureCount(Base):
    """How often something of a `kind` failed on a UTC day; `label` is the job's or the mail's name."""

    __tablename__ = "failure_counts"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    label: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


async def count_failure(session: AsyncSession, kind: str, label: str, *, at: datetime) -> None:
    """Count one more. As the system role."""
    row = {"kind": kind, "label": label[:100], "day": at.date(), "number": 1}
    key = ["kind", "label", "day"]
    one_more = insert(FailureCount).values(row)
    await session.execute(one_more.on_conflict_do_update(index_elements=key, set_={"number": FailureCount.number + 1}))
