"""Backtest of the dispute rates: what they would have said on past days, against all disputes that came in the end.

At each valuation day the method sees the payments and disputes up to that day, of the last 400 days, and says how many
of the last 13 weeks' payments will have been disputed in the end. That is known once the longest lag has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.rules import accuracy
from payflux.monitor.risk.rules.lag import Lags, cape_cod, careful_rate, reporting

KNOWN_DAYS = 400
WINDOW_DAYS = 91


class DisputeRecord(NamedTuple):
    """All payments and disputes of one merchant, by day: int64, any origin of days."""

    first_day: int
    payments: np.ndarray  # of each day from `first_day` on
    charge_days: np.ndarray  # of each dispute: the day of its payment
    dispute_days: np.ndarray  # and its own


class Replayed(NamedTuple):
    """One valuation: what was known then, what was said and what came. Counts of disputes."""

    day: int
    actual: int
    seen: int
    expected: float
    low: float
    high: float
    overstated: bool  # the careful lower bound of the rate was above the rate that came


class DisputeScore(NamedTuple):
    """How good the estimates were, as shares of what came: ours and the naive count of disputes seen so far.

    `bias` above 0 is too high, `mape` the mean absolute percentage error where disputes came, `p90` the 90th percentile
    of those errors. `coverage` is the share of counts inside the 80 % interval, `overstated` that of valuations
    whose careful lower bound was too high: 10 % are expected when the reference curve is the merchant's own.
    """

    valuations: int
    events_a_week: float
    bias: float
    mape: float
    p90: float
    coverage: float
    overstated: float
    naive_bias: float
    naive_mape: float


def replay(record: DisputeRecord, day: int, *, window_days: int = WINDOW_DAYS) -> Replayed:
    """What would have been said at the end of `day`. Raises ValueError for a day without a known payment day."""
    oldest = max(record.first_day, day - KNOWN_DAYS + 1)
    if not oldest <= day < record.first_day + len(record.payments):
        raise ValueError(f"day {day} is not one of the record's days")
    exposure = record.payments[oldest - record.first_day : day - record.first_day + 1][::-1]
    known = (record.dispute_days <= day) & (record.charge_days >= oldest)
    charged, disputed = record.charge_days[known], record.dispute_days[known]
    lags = Lags(day - charged, disputed - charged, np.ones(len(charged), np.int64))
    ultimate = cape_cod(exposure, lags, reporting(lags, len(exposure)), window_days)
    in_window = (record.charge_days > day - window_days) & (record.charge_days <= day)
    actual = int(np.count_nonzero(in_window & (record.charge_days >= oldest)))
    careful = careful_rate(exposure, lags, window_days).estimate.low
    return Replayed(day, actual, ultimate.seen, *ultimate.in_the_end, careful * ultimate.payments > actual)


def score(replays: Sequence[Replayed], *, window_days: int = WINDOW_DAYS) -> DisputeScore:
    """The scores of `replays`, of one merchant or of many alike. Raises ValueError without any."""
    if not replays:
        raise ValueError("there is nothing to score")
    actual, seen = [one.actual for one in replays], [one.seen for one in replays]
    expected = [round(one.expected) for one in replays]
    errors = sorted(abs(one.expected - one.actual) / one.actual for one in replays if one.actual)
    return DisputeScore(
        valuations=len(replays),
        events_a_week=accuracy.mean_score(actual) * 7 / window_days,
        bias=accuracy.bias(actual, expected),
        mape=accuracy.mean_score(errors),
        p90=errors[min(len(errors) - 1, int(0.9 * len(errors)))] if errors else 0.0,
        coverage=accuracy.coverage(actual, [round(one.low) for one in replays], [round(one.high) for one in replays]),
        overstated=accuracy.mean_score([one.overstated for one in replays]),
        naive_bias=accuracy.bias(actual, seen),
        naive_mape=accuracy.mape(actual, seen),
    )


def backtest(records: Iterable[DisputeRecord], days: Sequence[int], *, window_days: int = WINDOW_DAYS) -> DisputeScore:
    """The score of all `records` at the valuation `days`; for each the longest lag must have passed."""
    return score([replay(record, day, window_days=window_days) for record in records for day in days])
