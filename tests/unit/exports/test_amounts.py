"""Amounts in major units become integer minor units, exactly, or are refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.exports.amounts import LARGEST, exponent, minor_units

CURRENCIES = st.sampled_from(["usd", "eur", "jpy", "krw", "kwd", "bhd", "isk", "ugx"])


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.34", "usd", 1234),
        ("12.3", "usd", 1230),
        ("12", "usd", 1200),
        ("-0.05", "usd", -5),
        ("1,234.50", "usd", 123450),
        ("1,234,567", "usd", 123456700),
        ("980", "jpy", 980),
        ("980.00", "jpy", 980),
        ("1.250", "kwd", 1250),
        ("12.3400", "usd", 1234),
    ],
)
def test_an_amount_is_read_to_the_minor_unit(text, currency, minor):
    assert minor_units(text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "12.345", "1,23", "1,234", "12,34.5", "1e3", "NaN", "٣", "$5", "--5", "1 000", ".5"]
)
def test_what_could_mean_two_things_or_nothing_is_refused(text):
    with pytest.raises(ValueError, match=r"amount|decimals"):
        minor_units(text, "usd")


def test_a_decimal_comma_is_read_where_the_file_uses_it():
    assert minor_units("1.234,50", "eur", decimal_comma=True) == 123450
    assert minor_units("12.50", "eur", decimal_comma=True) == 1250


@given(st.integers(-LARGEST, LARGEST), CURRENCIES)
def test_every_amount_written_in_major_units_is_read_again(minor, currency):
    written = f"{Decimal(minor).scaleb(-exponent(currency)):f}"
    assert minor_units(written, currency) == minor


@given(st.text("0123456789.,+- e"))
def test_any_text_is_a_sane_amount_or_a_refusal(text):
    try:
        minor = minor_units(text, "usd")
    except ValueError:
        return
    assert abs(minor) <= LARGEST
    assert {*text} <= {*"0123456789.,+-"}
