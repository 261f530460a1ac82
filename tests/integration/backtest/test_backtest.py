"""`payflux backtest` as a user runs it, and the tables over simulated merchants in their short form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from payflux.cli.backtest.merchants import Past, past_of_events, past_of_simulated, real_purchases
from payflux.cli.backtest.replaying import SIMULATED_DAYS, Backtest, replay_pasts
from payflux.cli.commands import app
from payflux.monitor.processors.codes import Kind
from payflux.sandbox.simulator import MODELS, simulate


def past(name: str, seed: int = 0) -> Past:
    return past_of_simulated(name, simulate(MODELS[name], seed, days=SIMULATED_DAYS), SIMULATED_DAYS)


@pytest.fixture(scope="module")
def found() -> Backtest:
    pasts = [past("steady-large"), *(past("steady-small", seed) for seed in range(4)), real_purchases()]
    return replay_pasts(pasts, lambda _: None)


def test_disputes_in_the_end_are_told_well_before_they_arrive(found: Backtest) -> None:
    large, small = found.disputes["steady-large"], found.disputes["steady-small"]
    assert 45 < large.events_a_week < 55
    assert large.mape <= 0.08 < large.naive_mape
    assert 1.5 < small.events_a_week < 2.5
    assert small.mape <= 0.25 < small.naive_mape


def test_the_real_shop_has_sales_to_replay_and_no_disputes(found: Backtest) -> None:
    names = {row.name for row in found.sales}
    assert names == {"steady-large", "steady-small", "real shop 1997/98", "all"}
    assert "real shop 1997/98" not in found.disputes
    assert {row.ours.horizon for row in found.sales} == {30, 60, 90}


def test_the_chance_of_a_higher_tier_beats_the_base_rate_over_all(found: Backtest) -> None:
    score = found.escalations["all"]
    assert score.valuations == sum(one.valuations for name, one in found.escalations.items() if name != "all")
    assert 0 <= score.brier <= score.brier_of_base_rate


def test_simulated_events_keep_every_payment_and_dispute() -> None:
    simulated = simulate(MODELS["tiny"], 3, days=100)
    events = past_of_simulated("tiny", simulated, 100).events
    assert (np.diff(events["at"]) >= 0).all()
    assert len(np.unique(events["source"])) == len(events)
    assert np.count_nonzero(events["kind"] == Kind.DISPUTE) == len(simulated.disputes)
    assert int(events["settled"][events["kind"] == Kind.CHARGE].sum()) == int(simulated.charges["amount"].sum())


def test_a_merchants_own_past_leaves_out_the_day_that_is_not_over() -> None:
    whole = past("tiny")
    own = past_of_events("mine", whole.events)
    assert own.first_day >= whole.first_day
    assert own.days < SIMULATED_DAYS
    assert own.sold.sum() < whole.sold.sum()


def write_plain(path: Path, days: int) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["kind", "source_id", "occurred_at", "status", "amount", "currency"])
        for day in range(days):
            at = np.datetime64("2025-01-01T12:00:00") + np.timedelta64(day, "D")
            rows.writerow(["charge", f"ch_{day}", f"{at}Z", "succeeded", 1_000, "usd"])


def test_own_files_are_replayed(tmp_path: Path) -> None:
    write_plain(tmp_path / "events.csv", 200)
    result = CliRunner().invoke(app, ["backtest", str(tmp_path / "events.csv"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [row["ours"]["horizon"] for row in told["sales"]] == [30, 60, 90]
    assert told["disputes"] == {}


def test_a_short_history_is_said_to_be_short(tmp_path: Path) -> None:
    write_plain(tmp_path / "events.csv", 20)
    result = CliRunner().invoke(app, ["backtest", str(tmp_path / "events.csv")])
    assert result.exit_code == 1
    assert "five months of sales" in result.stderr.replace("\n", " ")
