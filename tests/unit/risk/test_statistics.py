import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payflux.monitor.risk.rules.statistics import (
    beta_cdf,
    entropy,
    gamma_cdf,
    gamma_quantile,
    median,
    negative_binomial_interval,
    robust_scale,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"), [(2, 200, 0.33, 2.98), (15, 1_000, 0.99, 2.28), (150, 10_000, 1.31, 1.71)]
)
def test_wilson_interval_gives_the_published_bounds(events: int, trials: int, low: float, high: float) -> None:
    lower, upper = wilson_interval(events, trials, z=1.6448536)
    assert (round(100 * lower, 2), round(100 * upper, 2)) == (low, high)


@given(st.integers(0, 5_000), st.integers(1, 5_000))
@example(0, 25)  # where the two terms of the lower bound cancel but for rounding
def test_wilson_interval_holds_the_share_and_never_falls_with_one_event_more(events: int, trials: int) -> None:
    low, high = wilson_interval(events, trials)
    assert 0 <= low <= min(1, events / trials) <= high + 1e-11 <= 1 + 1e-11
    assert wilson_interval(events + 1, trials)[0] >= low


@pytest.mark.parametrize(
    ("x", "shape", "probability"),
    [
        (1.0, 1.0, 1 - math.exp(-1)),
        (0.5, 0.5, math.erf(math.sqrt(0.5))),
        (3.0, 2.0, 1 - 4 * math.exp(-3)),
        (18.307038053275146 / 2, 5.0, 0.95),  # chi-square with 10 degrees of freedom
        (129.5611971858366 / 2, 50.0, 0.975),  # with 100
    ],
)
def test_gamma_cdf_agrees_with_closed_forms_and_chi_square_tables(x: float, shape: float, probability: float) -> None:
    assert gamma_cdf(x, shape) == pytest.approx(probability, abs=1e-12)


@given(st.floats(0.001, 0.999), st.floats(0.5, 50_000))
def test_gamma_quantile_inverts_the_cdf(probability: float, shape: float) -> None:
    assert gamma_cdf(gamma_quantile(probability, shape), shape) == pytest.approx(probability, abs=1e-7)


@given(st.floats(0.5, 5_000), st.floats(0.01, 50))
def test_gamma_quantile_never_falls_with_its_shape(shape: float, more: float) -> None:
    assert gamma_quantile(0.1, shape + more) >= gamma_quantile(0.1, shape)


def test_gamma_refuses_what_is_no_shape_or_probability() -> None:
    with pytest.raises(ValueError, match="shape"):
        gamma_cdf(1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        gamma_quantile(1, 2)


def test_entropy_is_zero_for_one_kind_and_the_logarithm_of_equal_kinds() -> None:
    assert (entropy([]), entropy([9])) == (0, 0)
    assert entropy([5, 5, 5]) == pytest.approx(math.log(3))


def test_median_and_robust_scale_do_not_see_a_spike() -> None:
    assert median([1, 2, 3, 4]) == 2.5
    assert robust_scale([10, 11, 9, 10, 1_000]) == pytest.approx(1.4826)


@pytest.mark.parametrize(("x", "a", "b"), [(0.3, 2, 5), (0.9, 2, 5), (0.02, 1, 30), (0.5, 40, 40), (0.97, 60, 3)])
def test_beta_cdf_of_whole_shapes_is_a_binomial_tail(x: float, a: int, b: int) -> None:
    n = a + b - 1
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_cdf(x, a, b) == pytest.approx(tail, rel=1e-10)


@given(st.floats(0.3, 80), st.floats(0.01, 6))
def test_negative_binomial_interval_leaves_a_tenth_on_each_side_by_mid_p(shape: float, odds: float) -> None:
    low, high = negative_binomial_interval(0.8, shape, odds)
    below = 0.0
    middles = []
    for k in range(high + 2):
        log_chance = math.lgamma(shape + k) - math.lgamma(shape) - math.lgamma(k + 1)
        chance = math.exp(log_chance + k * math.log(odds / (1 + odds)) - shape * math.log1p(odds))
        middles.append(below + chance / 2)
        below += chance
    assert middles[low] >= 0.1 - 1e-9
    assert low == 0 or middles[low - 1] < 0.1 + 1e-9
    assert middles[high + 1] >= 0.9 - 1e-9
    assert high == low or middles[high] < 0.9 + 1e-9


def test_negative_binomial_interval_of_many_events_is_nearly_normal() -> None:
    low, high = negative_binomial_interval(0.8, 1e6, 0.01)
    assert (low, high) == (pytest.approx(10_000 - 1.2816 * 100, abs=2), pytest.approx(10_000 + 1.2816 * 100, abs=2))


def test_beta_and_negative_binomial_refuse_what_is_no_shape_or_confidence() -> None:
    with pytest.raises(ValueError, match="shapes"):
        beta_cdf(0.5, 0, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        negative_binomial_interval(1, 2, 1)
