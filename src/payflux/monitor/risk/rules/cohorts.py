"""A history's payments and disputes as the lag estimates take them: by age, as far back as payments are known."""

from __future__ import annotations

import numpy as np

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.lag import Lags


def known_days(history: History) -> int:
    """Days since the first payment that the history holds, with that day and today; 0 without any."""
    return history.today - int(history.payments["day"][0]) + 1 if history.payments.size else 0


def by_age(history: History, rows: np.ndarray) -> np.ndarray:
    """The number of events in `rows` (of GROUP_DTYPE) by age in days, today's first: int64, one for each known day."""
    ages: np.ndarray = np.zeros(known_days(history), np.int64)
    place = history.today - rows["day"]
    np.add.at(ages, place[place < len(ages)], rows["count"][place < len(ages)])
    return ages


def dispute_lags(history: History, disputes: np.ndarray) -> Lags:
    """The age of the charge and the lag of each of `disputes` (of GROUP_DTYPE).

    Those on charges from before the known days are left out: of them only late disputes were seen, and none of the
    payments that were never disputed.
    """
    known = disputes[disputes["charge_day"] > history.today - known_days(history)]
    charged, disputed = (known[name].astype(np.int64) for name in ("charge_day", "day"))
    return Lags(history.today - charged, disputed - charged, known["count"])
