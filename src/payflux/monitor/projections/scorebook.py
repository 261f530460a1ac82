"""How good a stored projection was: what was said of a horizon beside what came."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec


class ProjectionScore(msgspec.Struct, frozen=True, kw_only=True):
    """One horizon of one projection, scored when it was over. Amounts are minor units of `currency`.

    `trapped` is what the stated scenario would have held given the real sales, with the holds that were known when the
    projection was made; `held` is what the processor really held,
    None where the connection may not read reserve movements. The intervals are those that were stated, 80 %.
    """

    currency: str
    sales_said: int
    sales_low: int | None  # None where the model version stated no interval
    sales_high: int | None
    sales: int
    trapped_said: int
    trapped_low: int
    trapped_high: int
    trapped: int
    held: int | None
    tier_said: int
    tier: int

    @property
    def sales_inside(self) -> bool | None:
        """Whether the sales came inside the stated interval, its ends included; None where none was stated."""
        if self.sales_low is None or self.sales_high is None:
            return None
        return self.sales_low <= self.sales <= self.sales_high

    @property
    def trapped_inside(self) -> bool:
        """Whether the scenario would have held an amount inside the stated interval, its ends included."""
        return self.trapped_low <= self.trapped <= self.trapped_high

    @property
    def sales_error(self) -> float | None:
        """(said − came) / came: above 0 was too high; None when nothing was sold."""
        return (self.sales_said - self.sales) / self.sales if self.sales else None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A horizon of a stored projection: its score, or why there is none (yet)."""

    as_of: datetime
    horizon_days: int
    due_at: datetime
    score: ProjectionScore | None
    why_not: str | None

    @property
    def last_day(self) -> date:
        """The UTC day that the horizon ends with."""
        return (self.due_at - timedelta(days=1)).date()


class Scorebook(msgspec.Struct, frozen=True, kw_only=True):
    """The newest due horizons of one connection, the latest first, and the next one that falls due."""

    due: tuple[Outcome, ...] = ()
    next: Outcome | None = None

    @property
    def scores(self) -> tuple[ProjectionScore, ...]:
        return tuple(outcome.score for outcome in self.due if outcome.score is not None)
