"""Rolling-origin backtest of the sales forecast: what it would have said on past days, against what was sold.

At each origin a method sees the days before it and nothing else, and forecasts the sum of the 30, 60 and 90 days after
it; the day of the origin itself, half over when a forecast is made, is neither seen nor summed.
Each method says a whole distribution, as an ensemble: the peers get bands of their own past errors, so that the
forecast is not praised for having bands at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from payflux.monitor.projections.rules import accuracy
from payflux.monitor.projections.rules.forecast import KNOWN_DAYS, forecast_sales
from payflux.monitor.risk.rules.statistics import Z80

STEP = 7
FIRST = 56
HORIZONS = (30, 60, 90)
YEAR = 364
"""52 weeks: the same weekdays a year before."""

MEMBERS = tuple(NormalDist().inv_cdf((place + 0.5) / 10) for place in range(10))
"""Where the members of our ensemble lie, in standard deviations: the middles of ten equally likely parts."""

LEAST_ERRORS = 4
"""A peer takes its band from its errors at a horizon when it has at least so many."""


class SumForecast(NamedTuple):
    """A forecast of one sum in minor units: the expected value, its 80 % interval and equally likely members."""

    expected: int
    low: int
    high: int
    members: tuple[int, ...]


class VolumeScore(NamedTuple):
    """How good one method was at one horizon.

    Shares of the actual sum: `bias` above 0 is too high, `mape` is the mean absolute percentage error, `crps` and
    `winkler` are means over the mean actual sum. `coverage` is the share of actual sums inside the 80 % interval.
    """

    method: str
    horizon: int
    origins: int
    bias: float
    mape: float
    coverage: float
    crps: float
    winkler: float


Method = Callable[[np.ndarray, Sequence[int]], list[SumForecast]]


def ours(sold: np.ndarray, horizons: Sequence[int]) -> list[SumForecast]:
    """The product's forecast; between and beyond its bounds the band is taken for two halves of lognormal ones."""
    forecast = forecast_sales(sold, max(horizons))
    result = []
    for horizon in horizons:
        expected = int(forecast.daily[:horizon].sum())
        low, high = forecast.band(horizon)
        members = tuple(round(expected * (low if z < 0 else high) ** (abs(z) / Z80)) for z in MEMBERS)
        result.append(SumForecast(expected, round(expected * low), round(expected * high), members))
    return result


def last_day(sold: np.ndarray, horizons: Sequence[int]) -> list[SumForecast]:
    """Naive: each day like yesterday."""
    return _with_own_errors(sold, horizons, 1)


def last_week(sold: np.ndarray, horizons: Sequence[int]) -> list[SumForecast]:
    """Seasonal naive of the week: each day like the same weekday of the last week."""
    return _with_own_errors(sold, horizons, 7)


def last_year(sold: np.ndarray, horizons: Sequence[int]) -> list[SumForecast]:
    """Seasonal naive of the year: each day like the day 52 weeks before, or like the last week when that is unknown."""
    return _with_own_errors(sold, horizons, YEAR if len(sold) >= YEAR else 7)


METHODS: dict[str, Method] = {"ours": ours, "last day": last_day, "last week": last_week, "last year": last_year}


def backtest(
    sold: np.ndarray,
    *,
    horizons: Sequence[int] = HORIZONS,
    first: int = FIRST,
    known_days: int = KNOWN_DAYS,
    methods: Mapping[str, Method] = METHODS,
) -> tuple[VolumeScore, ...]:
    """The scores of `methods` on one daily series, at weekly origins.

    `sold` are int64 minor units of consecutive days, oldest first. The first origin knows `first` days, none knows more
    than `known_days`; the last one leaves the longest horizon to be scored. Raises ValueError for a series too short
    for one origin.
    """
    origins = range(first, len(sold) - max(horizons), STEP)
    if not origins:
        raise ValueError(f"a backtest takes at least {first + 1 + max(horizons)} days")
    total = [0, *np.cumsum(sold, dtype=np.int64).tolist()]
    scores = []
    for name, method in methods.items():
        said = [method(sold[max(0, origin - known_days) : origin], horizons) for origin in origins]
        for place, horizon in enumerate(horizons):
            actual = [total[origin + 1 + horizon] - total[origin + 1] for origin in origins]
            scores.append(_score(name, horizon, actual, [forecasts[place] for forecasts in said]))
    return tuple(scores)


def pooled(series: Mapping[str, Sequence[VolumeScore]]) -> tuple[VolumeScore, ...]:
    """The mean score of each method and horizon over `series`, each counting the same; `origins` are summed."""
    groups: dict[tuple[str, int], list[VolumeScore]] = {}
    for scores in series.values():
        for score in scores:
            groups.setdefault((score.method, score.horizon), []).append(score)
    return tuple(
        VolumeScore(
            method,
            horizon,
            sum(score.origins for score in scores),
            *(accuracy.mean_score(column) for column in list(zip(*scores, strict=True))[3:]),
        )
        for (method, horizon), scores in groups.items()
    )


def _score(method: str, horizon: int, actual: list[int], said: list[SumForecast]) -> VolumeScore:
    low, high = [one.low for one in said], [one.high for one in said]
    expected = [one.expected for one in said]
    pairs = list(zip(actual, said, strict=True))
    mean = max(1.0, sum(actual) / len(actual))
    return VolumeScore(
        method=method,
        horizon=horizon,
        origins=len(actual),
        bias=accuracy.bias(actual, expected),
        mape=accuracy.mape(actual, expected),
        coverage=accuracy.coverage(actual, low, high),
        crps=accuracy.mean_score([accuracy.crps_of_ensemble(came, one.members) / mean for came, one in pairs]),
        winkler=accuracy.mean_score([accuracy.winkler(came, one.low, one.high) / mean for came, one in pairs]),
    )


def _with_own_errors(sold: np.ndarray, horizons: Sequence[int], season: int) -> list[SumForecast]:
    """The last `season` days repeated, times each ratio that the same method missed by at its own past origins.

    The ratios are of the same horizon at weekly origins, or of the longest shorter one that has four; without any the
    forecast is a point.
    """
    total = [0, *np.cumsum(sold, dtype=np.int64).tolist()]
    result = []
    for horizon in horizons:
        expected = _repeated(total, len(sold), season, horizon)
        ratios: list[float] = []
        for shorter in range(horizon, 6, -1):
            origins = range(len(sold) - shorter - 1, season - 1, -STEP)
            said = [
                (_repeated(total, origin, season, shorter), total[origin + 1 + shorter] - total[origin + 1])
                for origin in origins
            ]
            ratios = sorted(came / forecast for forecast, came in said if forecast)
            if len(ratios) >= LEAST_ERRORS:
                break
        members = tuple(round(expected * ratio) for ratio in ratios) if len(ratios) >= LEAST_ERRORS else (expected,)
        low, high = members[len(members) // 10], members[-1 - len(members) // 10]
        result.append(SumForecast(expected, low, high, members))
    return result


def _repeated(total: list[int], origin: int, season: int, horizon: int) -> int:
    """The sum of `horizon` days after day `origin` if the `season` days before it came again and again."""
    start = origin - season

    def first(days: int) -> int:
        whole, rest = divmod(days, season)
        return whole * (total[origin] - total[start]) + total[start + rest] - total[start]

    return first(horizon + 1) - first(1)
