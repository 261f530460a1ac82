"""A history's payments and disputes as the lag estimates take them: by age."""

from __future__ import annotations

import numpy as np

from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.lag import Lags
from payflux.monitor.risk.rules.summary import HISTORY_DAYS


def by_age(history: History, rows: np.ndarray, column: str = "count") -> np.ndarray:
    """`rows` of GROUP_DTYPE by age in days, today's first: int64, as many days as the history may hold."""
    ages = np.zeros(HISTORY_DAYS, np.int64)
    np.add.at(ages, history.today - rows["day"], rows[column])
    return ages


def dispute_lags(history: History, disputes: np.ndarray) -> Lags:
    """The age of the charge and the lag of each of `disputes` (of GROUP_DTYPE); those of an unknown charge left out."""
    known = disputes[disputes["charge_day"] > 0]
    charged, disputed = (known[name].astype(np.int64) for name in ("charge_day", "day"))
    return Lags(history.today - charged, disputed - charged, known["count"])
