"""The scores of forecasts against figures worked out by hand, and their propriety."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.projections.rules import accuracy

amounts = st.integers(-(10**9), 10**9)


def test_bias_tells_too_high_from_too_low() -> None:
    assert accuracy.bias([100, 300], [150, 350]) == 0.25
    assert accuracy.bias([100, 300], [50, 250]) == -0.25
    assert accuracy.bias([100, 300], [300, 100]) == 0


def test_percentage_errors_by_hand() -> None:
    assert accuracy.mape([100, 200], [110, 160]) == pytest.approx(0.15)
    assert accuracy.wape([100, 200], [110, 160]) == pytest.approx(50 / 300)


def test_a_month_without_sales_is_left_out_of_mape_and_counts_in_wape() -> None:
    assert accuracy.mape([0, 100], [50, 100]) == 0
    assert accuracy.wape([0, 100], [50, 100]) == 0.5
    assert accuracy.wape([0], [50]) == accuracy.bias([0], [50]) == inf
    assert accuracy.wape([0], [0]) == accuracy.bias([], []) == 0


def test_an_end_of_an_interval_is_inside() -> None:
    assert accuracy.coverage([1, 2, 3, 4], [1, 0, 4, 0], [5, 2, 9, 3]) == 0.5
    assert accuracy.coverage([], [], []) == 0


def test_the_quantile_loss_weighs_both_sides_by_the_level() -> None:
    assert accuracy.pinball(110, 100, 0.9) == pytest.approx(9)
    assert accuracy.pinball(90, 100, 0.9) == pytest.approx(1)


def test_the_interval_score_is_its_width_and_ten_times_the_miss() -> None:
    assert accuracy.winkler(15, 10, 20) == 10
    assert accuracy.winkler(23, 10, 20) == pytest.approx(10 + 10 * 3)
    assert accuracy.winkler(8, 10, 20) == pytest.approx(10 + 10 * 2)
    assert accuracy.winkler(8, 10, 20, confidence=0.5) == pytest.approx(10 + 4 * 2)


@given(st.lists(amounts, min_size=1, max_size=20), amounts)
def test_the_interval_score_is_the_quantile_loss_of_its_ends(ends: list[int], actual: int) -> None:
    low, high = min(ends), max(ends)
    losses = accuracy.pinball(actual, low, 0.1) + accuracy.pinball(actual, high, 0.9)
    assert accuracy.winkler(actual, low, high) == pytest.approx(losses * 10, rel=1e-9, abs=1e-6)


def test_the_ranked_probability_score_by_hand() -> None:
    assert accuracy.crps_of_ensemble(7, [10]) == 3
    assert accuracy.crps_of_ensemble(0, [-1, 1]) == pytest.approx(0.5)  # 1 − ½·1


@given(st.lists(amounts, min_size=1, max_size=20), amounts)
def test_the_ensemble_score_is_the_double_sum_of_its_definition(members: list[int], actual: int) -> None:
    count = len(members)
    pairs = sum(abs(one - other) for one in members for other in members)
    expected = sum(abs(one - actual) for one in members) / count - pairs / (2 * count**2)
    assert accuracy.crps_of_ensemble(actual, members) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(st.lists(amounts, min_size=1, max_size=20), amounts)
def test_quantiles_at_the_middles_score_like_the_ensemble_of_them(members: list[int], actual: int) -> None:
    levels = [(place + 0.5) / len(members) for place in range(len(members))]
    by_quantiles = accuracy.crps_of_quantiles(actual, levels, sorted(members))
    assert by_quantiles == pytest.approx(accuracy.crps_of_ensemble(actual, members), rel=1e-6, abs=1e-3)


def test_saying_what_is_true_scores_best_in_the_mean() -> None:
    outcomes = range(1, 101)

    def scored(shift: int, width: float) -> float:
        members = [round(50.5 + shift + width * (outcome - 50.5)) for outcome in outcomes]
        return accuracy.mean_score([accuracy.crps_of_ensemble(outcome, members) for outcome in outcomes])

    honest = scored(0, 1)
    assert all(scored(shift, width) > honest for shift, width in ((10, 1), (-10, 1), (0, 0.5), (0, 2), (0, 0)))


def test_the_brier_score_of_certainty_and_of_doubt() -> None:
    assert accuracy.brier([1.0, 0.0], [True, False]) == 0
    assert accuracy.brier([0.5, 0.5], [True, False]) == 0.25
    assert accuracy.brier([0.9], [False]) == pytest.approx(0.81)
    assert accuracy.brier([], []) == 0


def test_scores_of_nothing_sensible_are_refused() -> None:
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            accuracy.pinball(1, 1, wrong)
        with pytest.raises(ValueError, match="between 0 and 1"):
            accuracy.winkler(1, 1, 1, confidence=wrong)
    with pytest.raises(ValueError, match="rise"):
        accuracy.crps_of_quantiles(1, [0.5, 0.1], [1, 2])
    with pytest.raises(ValueError, match="members"):
        accuracy.crps_of_ensemble(1, [])
    with pytest.raises(ValueError, match="zip"):
        accuracy.bias([1], [1, 2])
