"""A short form of each measurement: that it runs and that both ways agree, which each checks itself. Never its time."""

from __future__ import annotations

from tests.bench import (
    activation_rows,
    api_rows,
    entitlement_rows,
    feature_rows,
    hook_rows,
    ledger_rows,
    pull_rows,
    reading_rows,
    score_rows,
    sweep_rows,
)
from tests.bench.measuring import Row


def assert_sound(*rows: Row) -> None:
    for row in rows:
        assert row.work
        assert row.peer_name
        assert row.ours > 0
        assert row.peer > 0


def test_the_features() -> None:
    rows = (feature_rows.in_memory, feature_rows.from_parquet, feature_rows.from_postgresql)
    assert_sound(*(measure(500, rounds=1) for measure in rows))


def test_whole_scores() -> None:
    assert_sound(score_rows.scored(300, rounds=1), *score_rows.large_score(5_000), *score_rows.large_file(5_000))


def test_rollups_and_the_sweep() -> None:
    assert_sound(sweep_rows.rollup_kept_up_to_date(500, changed=3), *sweep_rows.sweep_of_all(60))


def test_the_first_projection_reads_what_stripes_own_client_reads() -> None:
    assert_sound(*pull_rows.first_projections((3,), latency_ms=0, rate=100))


def test_a_workspace_goes_live() -> None:
    assert_sound(*activation_rows.connected_to_live((3,), latency_ms=0, rate=100))


def test_a_workspace_is_read_again_and_each_reading_is_kept() -> None:
    assert_sound(reading_rows.read_again(300, rounds=2))


def test_webhooks_are_read_as_stripes_own_client_reads_them_and_applied_once() -> None:
    assert_sound(hook_rows.verified(rounds=1, runs=2), *hook_rows.applied(batches=2, singles=5))


def test_entitlements_that_are_kept_are_those_that_are_read() -> None:
    assert_sound(entitlement_rows.kept(rounds=1))


def test_artifacts_are_recorded_and_what_was_exported_of_them_holds() -> None:
    assert_sound(*ledger_rows.recorded_and_verified(batches=1, verified=500))


def test_a_key_is_checked_and_every_event_is_streamed() -> None:
    assert_sound(*api_rows.keys_and_streams(2_000, calls=10))


def test_a_row_says_whether_its_goal_is_met() -> None:
    assert Row("", "", 1.0, 2.0, 0.5).met
    assert not Row("", "", 1.1, 2.0, 0.5).met
