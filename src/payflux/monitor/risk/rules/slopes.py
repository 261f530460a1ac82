"""The slope of a series and its interval, from the slopes between all pairs of its values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from payflux.monitor.risk.rules.statistics import Z80, median


class Slope(NamedTuple):
    """Change per step: the median of the pairs' slopes, and the bounds of its central interval."""

    middle: float
    low: float
    high: float


def sen_slope(values: Sequence[float | None], *, season: int = 1, z: float = Z80, spare: int = 0) -> Slope | None:
    """Theil and Sen's slope with Sen's interval (JASA 63, 1968); None without any pair. None among values is unknown.

    With a `season` only values of the same phase are paired, so that a weekly pattern is no slope (Hirsch, Slack and
    Smith, Water Resources Research 18, 1982). The bounds are the ordered slopes of rank (N − C)/2 and (N + C)/2 + 1,
    C = z·√(Σ n(n − 1)(2n + 5)/18) over the phases (Gilbert, Statistical Methods for Environmental Pollution Monitoring,
    1987, section 16.4); ties are not credited, which only widens it. `spare` more slopes on each side are left out:
    n − 1 of them make it hold even if any one value were wrong.
    """
    phases = [
        [(at, value) for at, value in enumerate(values) if value is not None and at % season == phase]
        for phase in range(season)
    ]
    slopes = sorted(
        (value - before) / (at - earlier)
        for known in phases
        for place, (at, value) in enumerate(known)
        for earlier, before in known[:place]
    )
    if not slopes:
        return None
    variance = sum(len(known) * (len(known) - 1) * (2 * len(known) + 5) for known in phases) / 18
    out = max(0, math.floor((len(slopes) - z * math.sqrt(variance)) / 2) - 1 - spare)
    return Slope(median(slopes), slopes[out], slopes[-1 - out])
