"""A shop is compared with others of its size, and never with so few that one could be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.benchmarks.rules import LEAST_SHOPS, SIZES, Quartiles, Standing, size_of, standing_of, told

RATES = st.floats(0, 1)


@given(st.integers(0, 10**7))
def test_every_shop_with_enough_payments_has_one_size(payments: int) -> None:
    held = [size for size in SIZES if payments >= size.least and (size.below is None or payments < size.below)]
    assert held == ([] if payments < SIZES[0].least else [size_of(payments)])


@given(st.lists(RATES, min_size=3, max_size=3).map(sorted), RATES, RATES)
def test_a_higher_rate_never_stands_better(quartiles: list[float], one: float, other: float) -> None:
    others = Quartiles(LEAST_SHOPS, *quartiles)
    order = list(Standing)
    low, high = sorted((one, other))
    assert order.index(standing_of(low, others)) <= order.index(standing_of(high, others))


@given(RATES)
def test_what_is_told_of_others_has_two_digits(rate: float) -> None:
    assert float(f"{rate:.1e}") == pytest.approx(told(rate), rel=1e-9)


def test_figures_of_fewer_shops_or_out_of_order_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="20 shops"):
        Quartiles(LEAST_SHOPS - 1, 0.1, 0.2, 0.3)
    with pytest.raises(ValueError, match="rise"):
        Quartiles(LEAST_SHOPS, 0.3, 0.2, 0.1)
