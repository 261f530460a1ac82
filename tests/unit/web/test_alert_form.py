"""Thresholds as they are typed, and as rules go by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import LANGUAGES, speaking
from payflux.web.alert_form import UNITS, read_threshold, typed_threshold


@pytest.mark.parametrize(
    ("typed", "unit", "currency", "threshold"),
    [
        ("0.75", "rate", "usd", 0.0075),
        ("25 %", "rate", "usd", 0.25),
        ("12,500", "money", "usd", 1_250_000),
        ("12500", "money", "jpy", 12_500),
        ("3", "tier", "usd", 3),
        ("−0.3", "nats", "usd", -0.3),
    ],
)
def test_a_threshold_is_read_in_the_unit_that_people_write(
    typed: str, unit: str, currency: str, threshold: float
) -> None:
    assert read_threshold(typed, unit, currency) == pytest.approx(threshold)


def test_a_threshold_is_read_as_the_language_writes_numbers() -> None:
    with speaking("de"):
        assert read_threshold("0,75 %", "rate", "usd") == pytest.approx(0.0075)
        assert read_threshold("25.000", "money", "usd") == 2_500_000
        assert read_threshold("1.250,5", "money", "usd") == 125_050
        for unclear in ("0.75", "12.5", "25,000.5"):
            with pytest.raises(InvalidInput) as refused:
                read_threshold(unclear, "rate", "usd")
            assert "12,5" in refused.value.fields["threshold"]


@pytest.mark.parametrize("typed", ["", "much", "nan", "inf", "1e30", "1.2.3", "0,75", "0,750", "12,5", "-", "."])
def test_what_is_no_number_is_refused_by_the_name_of_its_field(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_threshold(typed, "rate", "usd")
    assert set(refused.value.fields) == {"threshold"}


@given(
    st.integers(-(10**9), 10**9),
    st.sampled_from([*UNITS, "money"]),
    st.sampled_from(["usd", "jpy", "kwd"]),
    st.sampled_from([*LANGUAGES]),
)
def test_what_a_field_shows_is_read_as_it_was(number: int, unit: str, currency: str, language: str) -> None:
    threshold = float(number) if unit == "money" else number / 10_000
    with speaking(language):
        shown = typed_threshold(threshold, unit, currency)
        assert read_threshold(shown, unit, currency) == pytest.approx(threshold, abs=1e-6)
