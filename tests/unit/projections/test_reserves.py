import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.projections.rules import SCENARIOS, rolling_reserve, stress_of


@pytest.mark.parametrize(
    ("rate", "hold_days", "held"),
    [
        (0.10, 90, {30: 3_000, 60: 6_000, 90: 9_000, 120: 9_000}),
        (0.25, 120, {30: 7_500, 60: 15_000, 90: 22_500, 120: 30_000}),
        (0.05, 30, {30: 1_500, 60: 1_500, 90: 1_500, 120: 1_500}),
        (0.0, 0, {30: 0, 120: 0}),
    ],
)
def test_a_rolling_reserve_on_a_thousand_a_day_holds_the_known_sums(
    rate: float, hold_days: int, held: dict[int, int]
) -> None:
    assert rolling_reserve(np.full(120, 1_000), rate, hold_days, tuple(held)) == tuple(held.values())


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.integers(0, 10_000), st.integers(0, 70))
def test_a_rolling_reserve_is_the_rate_of_the_held_days_to_the_cent(sales: list[int], bps: int, hold_days: int) -> None:
    day = len(sales)
    (held,) = rolling_reserve(np.array(sales), bps / 10_000, hold_days, [day])
    exact = sum(sales[max(0, day - hold_days) :]) * bps
    assert abs(10_000 * held - exact) <= 5_000


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=60), st.integers(0, 70))
def test_holding_more_or_longer_never_traps_less(sales: list[int], hold_days: int) -> None:
    days = range(len(sales) + 1)
    held = rolling_reserve(np.array(sales), 0.10, hold_days, days)
    assert all(a <= b for a, b in zip(held, rolling_reserve(np.array(sales), 0.25, hold_days, days), strict=True))
    assert all(a <= b for a, b in zip(held, rolling_reserve(np.array(sales), 0.10, hold_days + 5, days), strict=True))


def test_a_horizon_without_sales_or_a_rate_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match="daily sales"):
        rolling_reserve(np.ones(10, int), 0.1, 90, [11])
    with pytest.raises(ValueError, match="between 0 and 1"):
        rolling_reserve(np.ones(10, int), 1.1, 90, [1])


def test_every_tier_holds_at_least_what_the_tier_below_holds_and_is_stressed_by_the_next() -> None:
    assert [scenario.rate for scenario in SCENARIOS.values()] == [0, 0.05, 0.10, 0.25, 1.0]
    assert [getattr(stress_of(tier), "rate", None) for tier in SCENARIOS] == [0.05, 0.10, 0.25, 1.0, None]
