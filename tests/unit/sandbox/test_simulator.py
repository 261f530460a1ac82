"""Simulated merchants do what their model says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from payflux.monitor.processors.codes import Network
from payflux.sandbox.simulator import (
    MODELS,
    CardNetwork,
    Family,
    LagModel,
    MerchantModel,
    ProcessorPolicy,
    Spike,
    simulate,
    true_curve,
)

DAY = 86_400
PLAIN = MerchantModel(name="plain", story="", payments_a_day=300, noise=0.0)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "steady-large"])
def test_the_same_model_and_seed_give_the_same_events_and_another_seed_others(name: str) -> None:
    policy = ProcessorPolicy()
    first, again = simulate(MODELS[name], 7, policy=policy), simulate(MODELS[name], 7, policy=policy)
    for one, other in zip(first[:-1], again[:-1], strict=True):
        assert np.array_equal(one, other)
    assert first.truth.reserve == again.truth.reserve
    assert not np.array_equal(simulate(MODELS[name], 8).charges["at"], first.charges["at"])


@pytest.mark.parametrize("name", [name for name in MODELS if name != "steady-large"])
def test_all_that_follows_a_payment_comes_after_it_and_in_time_order(name: str) -> None:
    merchant = simulate(MODELS[name], 1)
    charged = merchant.charges["at"]
    assert (np.diff(charged) >= 0).all()
    for events in (merchant.disputes, merchant.refunds, merchant.warnings):
        assert (np.diff(events["at"]) >= 0).all()
        assert (events["at"] >= charged[events["charge"]]).all()
        assert len(np.unique(events["charge"])) == len(events)
    assert (merchant.disputes["at"] <= charged[merchant.disputes["charge"]] + 182 * DAY).all()
    assert (merchant.refunds["amount"] <= merchant.charges["amount"][merchant.refunds["charge"]]).all()
    assert not np.intersect1d(merchant.refunds["charge"], merchant.disputes["charge"]).size
    fraud = merchant.disputes["charge"][merchant.disputes["fraud"]]
    assert not merchant.charges["three_d_secure"][fraud].any()
    assert merchant.truth.disputes.sum() == len(merchant.disputes)


def test_networks_have_the_numbers_of_normalised_events() -> None:
    assert all(Network[network.name] == network for network in CardNetwork)


def test_disputes_come_at_the_true_rate_and_with_the_true_lags() -> None:
    model = replace(PLAIN, dispute_rate=((0, 0.02), (199, 0.02), (200, 0.05)), fraud_share=0.4, fraud_pace=0.5)
    merchant = simulate(model, 1)
    assert merchant.truth.rate[[0, 199, 200, 399]].tolist() == [0.02, 0.02, 0.05, 0.05]
    paid = np.bincount(merchant.charge_days, minlength=400)
    for days, rate in ((slice(0, 200), 0.02), (slice(200, 400), 0.05)):
        assert merchant.truth.disputes[days].sum() / paid[days].sum() == pytest.approx(rate, rel=0.06)
    lags = (merchant.disputes["at"] - merchant.charges["at"][merchant.disputes["charge"]]) / DAY
    for age in (7, 20, 45, 90):
        assert np.mean(lags <= age) == pytest.approx(merchant.truth.curve[age], abs=0.02)
    assert np.mean(merchant.disputes["fraud"]) == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize(
    "lag", [LagModel(median=20, spread=0.6), LagModel(median=40, spread=0.7, family=Family.WEIBULL)]
)
def test_a_lag_passes_its_median_with_one_half_and_ends_at_182_days(lag: LagModel) -> None:
    drawn = lag.draw(np.random.default_rng(1), np.ones(40_000))
    assert drawn.max() <= 182
    assert np.median(drawn) == pytest.approx(lag.median, rel=0.03)
    for days in (10.0, 30.0, 100.0):
        assert np.mean(drawn <= days) == pytest.approx(lag.cdf(days), abs=0.01)
    assert (lag.cdf(0), lag.cdf(182)) == (0, 1)
    assert lag.cdf(30, pace=0.5) > lag.cdf(30) > lag.cdf(30, pace=2)


def test_sales_follow_weekday_growth_launch_and_spike() -> None:
    weekday = (0.5, 0.5, 1.0, 1.0, 1.0, 1.5, 1.5)
    model = replace(
        PLAIN, weekday=weekday, growth=0.3, first_day=30, spikes=(Spike(first_day=100, days=5, factor=8.0),)
    )
    paid = np.bincount(simulate(model, 1, days=150, start=4).charge_days, minlength=150)  # day 4 of 1970: a Monday
    assert paid[:30].sum() == 0
    assert paid[30] > 0
    assert paid[100:105].sum() > 5 * paid[86:91].sum()
    weeks = paid[35:98].reshape(9, 7)
    assert weeks[-1].sum() / weeks[0].sum() == pytest.approx(1.3 ** (56 / 30), rel=0.1)
    assert weeks[:, 5].sum() / weeks[:, 0].sum() == pytest.approx(3, rel=0.15)


def test_a_policy_holds_back_while_disputes_are_high_and_lets_go_when_they_have_calmed() -> None:
    model = replace(PLAIN, dispute_rate=((0, 0.03), (99, 0.03), (100, 0.001)), lag=LagModel(median=5, spread=0.3))
    policy = ProcessorPolicy(reserve_rate=0.25, reserve_days=120, calm_days=14)
    merchant = simulate(model, 1, policy=policy)
    (reserve,) = merchant.truth.reserve
    assert reserve.first < 30
    assert reserve.end is not None
    assert 120 < reserve.end < 200
    assert len(merchant.holds) == reserve.end - reserve.first
    assert (merchant.holds["ends_at"] - merchant.holds["at"] == 120 * DAY).all()
    first = merchant.charges["amount"][merchant.charge_days == reserve.first].sum()
    assert merchant.holds["amount"][0] == round(int(first) * 0.25)


def test_a_calm_merchant_has_no_reserve_and_without_a_policy_nobody_has() -> None:
    assert simulate(replace(PLAIN, dispute_rate=((0, 0.002),)), 1, policy=ProcessorPolicy()).truth.reserve == ()
    assert simulate(replace(PLAIN, dispute_rate=((0, 0.05),)), 1).holds.size == 0


def test_the_cast_spans_fast_and_slow_lags_under_its_own_names() -> None:
    assert all(model.name == name for name, model in MODELS.items())
    shares = {name: float(true_curve(model)[30]) for name, model in MODELS.items()}
    assert shares["slow-lag"] < 0.25 < shares["steady-large"] < 0.75 < shares["fast-lag"]
