"""The few distributions the risk rules need: Wilson's interval, Gamma and negative binomial, and robust scale.

Only scalar IEEE arithmetic and `math` are used, and :func:`settle` cuts results to twelve significant digits, so that
the same input gives the same output on machines whose mathematical libraries differ in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

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
    scale = math.exp(_log_scale(x, shape))
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

    Newton's method from Wilson's and Hilferty's approximation (1931), by bisection where it would leave the bounds.
    """
    if not 0 < probability < 1:
        raise ValueError("a probability lies between 0 and 1")
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 10
    while gamma_cdf(high, shape) < probability:
        high *= 2
    ninth = 1 / (9 * shape)
    x = shape * max(0.0, 1 - ninth + NormalDist().inv_cdf(probability) * math.sqrt(ninth)) ** 3
    for _ in range(200):
        if not low < x < high:
            x = (low + high) / 2
        excess = gamma_cdf(x, shape) - probability
        low, high = (x, high) if excess < 0 else (low, x)
        step = excess * x / max(math.exp(_log_scale(x, shape)), 1e-300)
        if abs(step) <= 1e-14 * x or high - low <= 1e-14 * high:
            break
        x -= step
    return settle(x / rate)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b): the cdf of Beta(a, b); `a` and `b` are positive.

    Lentz's continued fraction (DLMF 8.17.22), on the side of the mean where it converges fast.
    """
    if a <= 0 or b <= 0:
        raise ValueError("the shapes of a Beta distribution are positive")
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for n in range(1, _MAX_TERMS):
        even = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n))
        d = 1 / _not_zero(1 + even * d)
        c = _not_zero(1 + even / c)
        fraction *= c * d
        odd = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1))
        d = 1 / _not_zero(1 + odd * d)
        c = _not_zero(1 + odd / c)
        fraction *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return min(1.0, front * fraction)


def negative_binomial_interval(confidence: float, shape: float, odds: float) -> tuple[int, int]:
    """The central interval of a Poisson count whose mean is Gamma(shape) · odds, with both ends; shape and odds > 0.

    The count's mean is shape · odds, and P(count ≤ k) = I_{1 / (1 + odds)}(shape, k + 1). By mid-P: a count on the edge
    is half in and half out, so that the interval holds `confidence` of all counts in the mean; an interval that holds
    at least as much is too wide for small counts (Lancaster, JASA 56, 1961). Raises ValueError when `confidence` is not
    in (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    chance = 1 / (1 + odds)

    constant = math.lgamma(shape) + shape * math.log1p(odds)

    def middle(k: int) -> float:
        """P(count < k) + P(count = k) / 2."""
        log_chance = math.lgamma(shape + k) - math.lgamma(k + 1) - k * math.log1p(1 / odds) - constant
        return beta_cdf(chance, shape, k + 1) - math.exp(log_chance) / 2

    def first(probability: float) -> int:
        """The smallest count whose mid-P is `probability` or more, by bisection from near the mean."""
        mean, spread = shape * odds, math.sqrt(shape * odds * (1 + odds))
        low, high = max(-1, math.floor(mean - 4 * spread)), math.ceil(mean + 4 * spread + 4)
        if low >= 0 and middle(low) >= probability:
            low = -1
        while middle(high) < probability:
            low, high = high, 2 * high
        while high - low > 1:
            half = (low + high) // 2
            low, high = (half, high) if middle(half) < probability else (low, half)
        return high

    tail = (1 - confidence) / 2
    low = first(tail)
    return low, max(low, first(1 - tail) - 1)


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


def _log_scale(x: float, shape: float) -> float:
    """log(x^shape·e^-x / Γ(shape)), by Stirling's series where the terms would cancel and leave few digits."""
    if shape < 100:
        return shape * math.log(x) - x - math.lgamma(shape)
    away = (x - shape) / shape
    series = 1 / (12 * shape) - 1 / (360 * shape**3) + 1 / (1260 * shape**5)
    return shape * (math.log1p(away) - away) + math.log(shape / (2 * math.pi)) / 2 - series


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
