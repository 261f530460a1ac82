from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.risk.rules.programmes import REGISTRY, Condition, Month, announced, in_force, programme

COUNTRIES = ("", "US", "FR", "GB", "DE", "CH", "LI", "AU", "IN", "JP", "CA", "AE", "ZA", "BR", "MX", "XX")
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2027, 12, 31)


def excessive(day: date, country: str) -> tuple[int, int, bool]:
    phase = programme("vamp", day, country)
    assert phase is not None
    ratio, count, *_ = phase.steps[-1].conditions
    return ratio.bound, count.bound, bool(phase.steps[-1].fees)


@pytest.mark.parametrize(
    ("day", "country", "expected"),
    [
        (date(2025, 6, 1), "US", (220, 1_500, False)),
        (date(2025, 9, 30), "US", (220, 1_500, False)),
        (date(2025, 10, 1), "US", (220, 1_500, True)),
        (date(2026, 3, 31), "FR", (220, 1_500, True)),
        (date(2026, 4, 1), "FR", (150, 1_500, True)),
        (date(2026, 4, 1), "AU", (150, 1_500, True)),
        (date(2026, 4, 1), "", (150, 1_500, True)),
        (date(2026, 4, 1), "AE", (220, 150, True)),
        (date(2025, 7, 1), "MX", (150, 1_500, False)),
    ],
)
def test_vamp_replays_the_limit_in_force_on_a_day_in_a_region(
    day: date, country: str, expected: tuple[int, int, bool]
) -> None:
    assert excessive(day, country) == expected


def test_vamp_begins_with_the_non_compliant_step_alone_on_the_day_that_the_older_programmes_end() -> None:
    before = {phase.key for phase in in_force(date(2025, 3, 31))}
    after = {phase.key for phase in in_force(date(2025, 4, 1))}
    assert {"vdmp", "vfmp"} <= before
    assert "vamp" not in before
    assert "vamp" in after
    assert not {"vdmp", "vfmp"} & after
    first = programme("vamp", date(2025, 4, 1))
    assert first is not None
    assert [step.name for step in first.steps] == ["non-compliant"]


@pytest.mark.parametrize("country", COUNTRIES)
def test_phases_of_one_programme_follow_each_other_without_gap_or_overlap(country: str) -> None:
    for key in {phase.key for phase in REGISTRY}:
        mine = sorted(
            (phase for phase in REGISTRY if phase.key == key and phase.scope.covers(country)),
            key=lambda phase: phase.valid_from,
        )
        for earlier, later in pairwise(mine):
            assert earlier.valid_to == later.valid_from, (key, country)


@given(st.dates(FIRST_DAY, LAST_DAY), st.sampled_from(COUNTRIES))
def test_at_most_one_phase_of_a_programme_is_in_force(day: date, country: str) -> None:
    keys = [phase.key for phase in in_force(day, country)]
    assert len(keys) == len(set(keys))
    assert {"vdmp", "vamp"} & set(keys)
    assert "ecm" in keys


def test_every_rule_names_its_source_and_what_it_counts_and_its_conditions_are_bounds_on_known_figures() -> None:
    known = {*Month._fields, "previous_payments", "net_payments", "net_disputes", "vamp_events"}
    for phase in REGISTRY:
        assert phase.source, phase.key
        assert phase.counts, phase.key
        assert {phase.counted, phase.base} <= known
        assert phase.valid_to is None or phase.valid_from < phase.valid_to
        for step in phase.steps:
            assert step.conditions
            for condition in step.conditions:
                assert isinstance(condition, Condition)
                assert condition.bound > 0
                assert {condition.quantity, condition.of or "payments"} <= known
            assert list(step.fines) == sorted(step.fines)


def test_what_is_announced_or_reported_or_unseen_or_about_the_acquirer_never_sets_a_tier() -> None:
    setting = {phase.key for phase in REGISTRY if phase.sets_tier}
    assert setting == {"vdmp", "vfmp", "vamp", "visa_secure", "ecm", "efm", "auspaynet"}
    assert {phase.key: phase.confidence for phase in REGISTRY if not phase.steps} == {
        "gmap": "secondary",
        "merp": "unconfirmed",
    }
    assert all(phase.confidence == "processor" for phase in REGISTRY if phase.sets_tier)


def test_announced_changes_are_listed_where_they_will_apply() -> None:
    assert [phase.key for phase in announced(date(2026, 9, 30), "SG")] == ["merp", "gmap"]
    assert [phase.key for phase in announced(date(2026, 9, 30), "US")] == ["gmap"]
    assert programme("gmap", date(2027, 3, 31)) is None
    assert programme("gmap", date(2027, 4, 1)) is not None


@pytest.mark.parametrize(
    ("country", "amount", "share"),
    [("US", 5_000_000, 1_000), ("FR", 5_000_000, 5_000), ("GB", 5_000_000, 5_000), ("AU", 1_500_000, 1_000)],
)
def test_efm_asks_more_3d_secure_where_the_law_does_and_less_fraud_in_australia(
    country: str, amount: int, share: int
) -> None:
    phase = programme("efm", date(2026, 11, 1), country)
    assert phase is not None
    bounds = {condition.quantity: condition.bound for condition in phase.steps[0].conditions}
    assert (bounds["fraud_dispute_amount"], bounds["secured_payments"]) == (amount, share)


@pytest.mark.parametrize("country", ["DE", "CH", "IN", "LI"])
def test_efm_does_not_apply_in_exempt_countries(country: str) -> None:
    assert programme("efm", date(2026, 11, 1), country) is None


def test_rules_of_one_country_do_not_reach_another() -> None:
    day = date(2026, 11, 1)
    assert programme("visa_secure", day, "US") is not None
    assert programme("visa_secure", day, "CA") is None
    assert programme("visa_secure", day) is None
    assert programme("auspaynet", day, "au") is not None
    assert programme("auspaynet", day - timedelta(days=1), "NZ") is None


@given(st.integers(0, 400), st.integers(1, 10**9), st.sampled_from([">=", ">"]))
def test_the_figure_a_condition_needs_is_the_smallest_that_meets_it(bound: int, base: int, comparison: str) -> None:
    condition = Condition("disputes", ">" if comparison == ">" else ">=", bound, "payments")
    needed = condition.needed(Month(0, payments=base))
    assert needed is not None
    assert condition.holds(Month(0, payments=base, disputes=needed)) is True
    if needed:
        assert condition.holds(Month(0, payments=base, disputes=needed - 1)) is False


def test_a_condition_without_its_figure_or_without_payments_cannot_be_judged() -> None:
    assert Condition("vamp_amount", ">=", 1).holds(Month(0)) is None
    assert Condition("disputes", ">=", 150, "payments").holds(Month(0, disputes=500)) is None
    assert Condition("disputes", ">=", 150, "previous_payments").holds(Month(5, disputes=9), Month(3, 100)) is None
    assert Condition("secured_payments", "<=", 1_000, "payments").needed(Month(0, payments=10)) is None
