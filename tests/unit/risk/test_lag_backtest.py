"""The dispute rates replayed on simulated merchants whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from payflux.monitor.backtest.disputes import DisputeRecord, DisputeScore, Replayed, backtest, replay, score
from payflux.sandbox.simulator import MODELS, LagModel, MerchantModel, simulate

LAST = 399
REFERENCE = MODELS["steady-small"]


def record(model: MerchantModel, seed: int) -> DisputeRecord:
    merchant = simulate(model, seed)
    charged = merchant.charge_days
    payments = np.bincount(charged, minlength=LAST + 1)
    return DisputeRecord(0, payments, charged[merchant.disputes["charge"]], merchant.dispute_days)


@cache
def scored(name: str, seeds: int) -> DisputeScore:
    return backtest((record(MODELS[name], seed) for seed in range(seeds)), [LAST])


def of_events_a_week(events: float, lag: LagModel) -> MerchantModel:
    """A steady merchant; one payment in 33 is disputed, so that many disputes need few payments."""
    return replace(
        REFERENCE, payments_a_day=events / 7 / 0.03, dispute_rate=((0, 0.03),), lag=lag, name=f"{events} {lag.median}"
    )


@pytest.mark.parametrize("median", [30, 61])
@pytest.mark.parametrize(("events", "seeds", "goal"), [(50, 12, 0.08), (10, 50, 0.10), (2, 150, 0.25)])
def test_ultimate_counts_of_13_weeks_meet_the_goals(events: int, seeds: int, goal: float, median: int) -> None:
    model = of_events_a_week(events, LagModel(median=median))
    result = backtest((record(model, seed) for seed in range(seeds)), [LAST])
    assert result.events_a_week == pytest.approx(events, rel=0.1)
    assert result.mape < goal < result.naive_mape
    assert abs(result.bias) < 0.08


def test_eighty_percent_intervals_hold_77_to_85_percent_of_the_counts() -> None:
    replays: list[Replayed] = []
    for events, seeds in ((10, 75), (2, 175)):
        for median in (30, 61):
            model = of_events_a_week(events, LagModel(median=median))
            replays += [replay(record(model, seed), LAST) for seed in range(seeds)]
    assert 0.77 <= score(replays).coverage <= 0.85


@pytest.mark.parametrize(("name", "within"), [("fast-lag", 0.03), ("slow-lag", 0.05), ("memoryless-lag", 0.03)])
def test_merchants_far_from_the_reference_are_not_biased(name: str, within: float) -> None:
    assert abs(scored(name, 30).bias) < within  # the error of 30 means is about 1 %


@pytest.mark.parametrize("name", ["rising", "step-up", "improving", "fraud-burst"])
def test_a_rate_that_changed_costs_less_than_half_of_what_waiting_costs(name: str) -> None:
    result = scored(name, 12)
    assert result.mape < 0.12
    assert result.mape < result.naive_mape / 2


def test_a_replay_sees_nothing_of_later_days() -> None:
    whole = record(REFERENCE, 3)
    day = 250
    known = whole.dispute_days <= day
    cut = DisputeRecord(0, whole.payments[: day + 1], whole.charge_days[known], whole.dispute_days[known])
    assert replay(cut, day)[2:6] == replay(whole, day)[2:6]
    assert replay(cut, day).actual == replay(cut, day).seen < replay(whole, day).actual


def test_a_day_outside_the_record_and_an_empty_score_are_refused() -> None:
    with pytest.raises(ValueError, match="not one of the record's days"):
        replay(record(MODELS["tiny"], 1), LAST + 1)
    with pytest.raises(ValueError, match="nothing to score"):
        score([])


def test_scores_are_those_of_a_table_by_hand() -> None:
    replays = [
        Replayed(1, 10, 5, 12.0, 9.0, 13.0, overstated=False),
        Replayed(2, 20, 5, 15.0, 12.0, 18.0, overstated=True),
        Replayed(3, 0, 0, 0.0, 0.0, 1.0, overstated=False),
    ]
    result = score(replays)
    assert result.bias == pytest.approx(-3 / 30)
    assert result.mape == pytest.approx((0.2 + 0.25) / 2)
    assert result.p90 == pytest.approx(0.25)
    assert result.coverage == pytest.approx(2 / 3)
    assert result.overstated == pytest.approx(1 / 3)
    assert result.naive_mape == pytest.approx((0.5 + 0.75) / 2)
