"""What is kept of many shops together. It belongs to no account, and nothing in it leads to one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, String
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.monitor.benchmarks.rules import LEAST_SHOPS


class Benchmark(Base):
    """The quartiles of one rate among the shops of one size, as of the last sweep; see `rules.Metric` and
    `rules.Size`."""

    __tablename__ = "benchmarks"
    __table_args__ = (CheckConstraint(f"shops >= {LEAST_SHOPS}", name="shops"),)

    size: Mapped[str] = mapped_column(String(20), primary_key=True)
    metric: Mapped[str] = mapped_column(String(40), primary_key=True)
    shops: Mapped[int]
    lower: Mapped[float]
    median: Mapped[float]
    upper: Mapped[float]
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
