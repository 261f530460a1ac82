"""The few distributions the risk rules need: Wilson's interval, the Gamma distribution and robust scale.

Only scalar IEEE arithmetic and `math` are used, and :func:`settle` cuts results to twelve significant digits, so that
the same input gives the same output on machines whose mathematical libraries differ in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Z80 = 1.2815515655446004
"""The standard normal quantile at 0.9: both sides of a central 80 % interval."""

_EPSILON = 1e-15
_MAX_TERMS = 100_000


def settle(value: float) -> float:
    """`value` with twelve significant digits."""
    return float(f"{value:.12g}")


def wilson_interval(events: int, trials: int, z: float = Z80) -> tuple[float, float]:
    """Wilson's score interval of a share of `trials`; (0, 1) without trials.

    `events` beyond `trials` counts as all of them. E. B. Wilson, JASA 22 (1927). 2 of 200 at z = 1.645 gives 0.33 to
    2.98 %.
    """
    if trials <= 0:
        return 0.0, 1.0
    share = min(events, trials) / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # at the ends of the scale the terms cancel but for rounding
    low = 0.0 if share == 0 else settle((centre - half) / scale)
    high = 1.0 if share == 1 else settle((centre + half) / scale)
    return low, high


def gamma_cdf(x: float, shape: float) -> float:
    """The regularised lower incomplete gamma function P(shape, x): the cdf of Gamma(shape, rate 1).

    Series below shape + 1, Lentz's continued fraction above (Abramowitz and Stegun 6.5.29 and 6.5.31).
    """
    if shape <= 0:
        raise ValueError("the shape of a Gamma distribution is positive")
    if x <= 0:
        return 0.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for n in range(1, _MAX_TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * _EPSILON:
                break
        return min(1.0, total * scale)
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    fraction = d
    for n in range(1, _MAX_TERMS):
        a = -n * (n - shape)
        b += 2
        d = 1 / _not_zero(a * d + b)
        c = _not_zero(b + a / c)
        fraction *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return max(0.0, 1 - fraction * scale)


def gamma_quantile(probability: float, shape: float, rate: float = 1.0) -> float:
    """The value that a Gamma(shape, rate) variable stays below with `probability`, which lies in (0, 1).

    Bisection between bounds widened from the mean: slower than Newton's method and never wrong.
    """
    if not 0 < probability < 1:
        raise ValueError("a probability lies between 0 and 1")
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 10
    while gamma_cdf(high, shape) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if high - low <= high * 1e-14 or not low < middle < high:
            break
        if gamma_cdf(middle, shape) < probability:
            low = middle
        else:
            high = middle
    return settle((low + high) / 2 / rate)


def median(values: Sequence[float]) -> float:
    """The middle of `values`, the mean of the two middle ones when even; 0 when empty."""
    if not values:
        return 0.0
    ordered = sorted(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def robust_scale(values: Sequence[float]) -> float:
    """1.4826 times the median absolute deviation: the standard deviation of normal data, blind to outliers."""
    centre = median(values)
    return 1.4826 * median([abs(value - centre) for value in values])


def entropy(counts: Sequence[int]) -> float:
    """Shannon's entropy of `counts` in nats; 0 when there is nothing or only one kind."""
    total = sum(counts)
    return settle(-math.fsum(n / total * math.log(n / total) for n in counts if n) + 0.0) if total else 0.0


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
