from datetime import date

import pytest

from payflux.monitor.risk.rules.networks import CEMEA, REGISTRY, monthly_fine, programme, step_reached


@pytest.mark.parametrize(
    ("day", "ratio", "fined"),
    [(date(2025, 9, 30), 0.022, False), (date(2025, 10, 1), 0.022, True), (date(2026, 4, 1), 0.015, True)],
)
def test_the_registry_replays_the_phase_in_force_on_a_day(day: date, ratio: float, fined: bool) -> None:
    phase = programme("vamp", day)
    assert phase is not None
    assert (phase.steps[-1].ratio, phase.steps[-1].count, phase.steps[-1].fined) == (ratio, 1_500, fined)


def test_no_phase_before_the_programme_and_other_figures_in_another_region() -> None:
    assert programme("vamp", date(2025, 3, 31)) is None
    elsewhere = programme("vamp", date(2026, 11, 1), CEMEA)
    assert elsewhere is not None
    assert elsewhere.steps[-1].ratio == 0.022


def test_phases_of_one_programme_and_region_neither_overlap_nor_lack_a_source() -> None:
    for phase in REGISTRY:
        assert phase.source
        for other in REGISTRY:
            if other is not phase and (other.key, other.region) == (phase.key, phase.region):
                assert (phase.valid_to or date.max) <= other.valid_from or (
                    other.valid_to or date.max
                ) <= phase.valid_from


def test_a_step_needs_its_ratio_and_its_count() -> None:
    phase = programme("ecm", date(2026, 11, 1))
    assert phase is not None
    assert step_reached(phase, 0.05, 99) is None
    assert [
        getattr(step_reached(phase, *month), "name", None) for month in ((0.02, 150), (0.03, 299), (0.03, 300))
    ] == [
        "ECM",
        "ECM",
        "HECM",
    ]


def test_mastercard_fines_climb_by_month() -> None:
    phase = programme("ecm", date(2026, 11, 1))
    assert phase is not None
    assert [monthly_fine(phase, month) for month in (1, 2, 3, 4, 7, 12, 19)] == [
        0,
        1_000,
        1_000,
        5_000,
        25_000,
        50_000,
        100_000,
    ]
