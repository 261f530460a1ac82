"""Where the sweep's readings are kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base

Big = Annotated[int, mapped_column(BigInteger)]
Small = Annotated[int, mapped_column(SmallInteger)]


class SweepReading(Base):
    """A workspace's rates in one settlement currency as the last sweep read them; see `kernel.READING_DTYPE`.

    `day` is the day of UTC that was not over at `read_at`. A rate without anything below the line is NULL. `moved_at`
    is the last sweep that read other numbers than the one before; NULL while none has.
    """

    __tablename__ = "sweep_readings"
    __table_args__ = ({"postgresql_with": {"fillfactor": 40}},)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    moved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    growth: Mapped[float | None]
    payments_30: Mapped[Big]
    volume_30: Mapped[Big]
    dispute_activity_30: Mapped[float | None]
    fraud_warning_rate_30: Mapped[float | None]
    refund_rate_30: Mapped[float | None]
    decline_rate_30: Mapped[float | None]
    observed_reserve_30: Mapped[float | None]
    tier_30: Mapped[Small]
    payments_90: Mapped[Big]
    volume_90: Mapped[Big]
    dispute_activity_90: Mapped[float | None]
    fraud_warning_rate_90: Mapped[float | None]
    refund_rate_90: Mapped[float | None]
    decline_rate_90: Mapped[float | None]
    observed_reserve_90: Mapped[float | None]
    tier_90: Mapped[Small]


class Sweep(Base):
    """One sweep over all workspaces: there is one for each window of the day."""

    __tablename__ = "sweeps"

    window_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    workspaces: Mapped[int]
