"""What is typed about a reserve is understood, or refused where it is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.errors import InvalidInput
from payflux.monitor.projections.terms import FURTHEST, MOST_ADDED, STANDARD_HORIZONS, added_horizons, read_terms


def test_nothing_typed_leaves_everything_to_the_data() -> None:
    read = read_terms(rate=" ", hold_days="", horizons="")
    assert (read.rate, read.hold_days, read.horizons) == (None, None, STANDARD_HORIZONS)


@pytest.mark.parametrize(("typed", "share"), [("10", 0.1), ("7.5", 0.075), ("7,25 %", 0.0725), ("100%", 1), ("0", 0)])
def test_a_rate_is_a_share_of_sales(typed: str, share: float) -> None:
    assert read_terms(rate=typed, hold_days="90", horizons="").rate == share


def test_further_horizons_stand_beside_the_standard_ones_in_order() -> None:
    read = read_terms(rate="", hold_days="", horizons="120 14, 30,14")
    assert read.horizons == (14, 30, 60, 90, 120)
    assert added_horizons(read) == [14, 120]


@pytest.mark.parametrize(
    ("rate", "hold_days", "horizons", "fields"),
    [
        ("101", "90", "", {"rate"}),
        ("-3", "90", "", {"rate"}),
        ("ten", "90", "", {"rate"}),
        ("10", "", "", {"hold_days"}),
        ("", "90", "", {"rate"}),
        ("10", "0", "", {"hold_days"}),
        ("10", "181", "", {"hold_days"}),
        ("", "", "7 8 9 10", {"horizons"}),
        ("", "", "soon", {"horizons"}),
        ("x", "y", "z", {"rate", "hold_days", "horizons"}),
    ],
)
def test_what_means_nothing_is_refused_at_its_field(rate: str, hold_days: str, horizons: str, fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_terms(rate=rate, hold_days=hold_days, horizons=horizons)
    assert set(refused.value.fields) == fields


@given(rate=st.text(max_size=8), hold_days=st.text(max_size=5), horizons=st.text(max_size=12))
def test_whatever_is_typed_is_within_bounds_or_refused(rate: str, hold_days: str, horizons: str) -> None:
    try:
        read = read_terms(rate=rate, hold_days=hold_days, horizons=horizons)
    except InvalidInput:
        return
    assert read.rate is None or 0 <= read.rate <= 1
    assert not read.rate or read.hold_days is not None
    assert read.hold_days is None or 1 <= read.hold_days <= FURTHEST
    assert len(added_horizons(read)) <= MOST_ADDED
    assert set(STANDARD_HORIZONS) <= set(read.horizons)
