from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.web.formatting import MINUS, NBSP, count, decimal, measure, money, money_short, percent, utc


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1_241_237, "usd", "$12,412.37"),
        (5, "EUR", "€0.05"),
        (980, "jpy", "¥980"),
        (1250, "kwd", f"KWD{NBSP}1.250"),
        (-120_000, "usd", f"{MINUS}$1,200.00"),
        (0, "chf", f"CHF{NBSP}0.00"),
    ],
)
def test_money_is_exact_in_every_currency(minor: int, currency: str, text: str) -> None:
    assert money(minor, currency) == text


@given(st.integers(min_value=-(10**16), max_value=10**16), st.sampled_from(["usd", "jpy", "kwd", "sek"]))
def test_money_can_be_read_back_to_the_last_unit(minor: int, currency: str) -> None:
    digits = "".join(letter for letter in money(minor, currency) if letter.isdigit())
    assert int(digits) == abs(minor)
    assert money(minor, currency).startswith(MINUS) == (minor < 0)


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (1_241_250, "$12,412"),
        (99_999_900, "$999,999"),
        (124_000_000, "$1.24M"),
        (-1_250_000_000, f"{MINUS}$12.50M"),
        (3 * 10**11, "$3.00B"),
        (49, "$0"),
        (-49, "$0"),
    ],
)
def test_an_estimate_is_not_given_to_the_cent(minor: int, text: str) -> None:
    assert money_short(minor, "usd") == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0.0087, "0.87"), (0.1, "10"), (0.125, "12.5"), (0.0075, "0.75"), (0.0, "0"), (1.0, "100")]
)
def test_a_rate_keeps_the_decimals_that_decide(rate: float, text: str) -> None:
    assert percent(rate) == f"{text}{NBSP}%"


def test_a_rate_that_rounds_to_nothing_has_no_sign() -> None:
    assert percent(-0.000001) == f"0{NBSP}%"


def test_counts_and_decimals_line_up() -> None:
    assert count(3412) == "3,412"
    assert count(100) == "100"
    assert decimal(3) == "3.0"
    assert decimal(-1234.56) == f"{MINUS}1,234.6"


def test_a_measure_carries_its_unit_and_says_when_it_cannot_be_said() -> None:
    assert measure(0.0087, "rate") == f"0.87{NBSP}%"
    assert measure(3.0, "count") == measure(3.0, "level") == "3"
    assert measure(1.5, "days") == f"1.5{NBSP}days"
    assert measure(2.0, "ratio") == f"2{NBSP}×"
    assert measure(-0.31, "nats") == f"{MINUS}0.31{NBSP}nats"
    assert measure(7.0, "") == "7"
    assert measure(None, "rate") == "–"


def test_a_time_is_shown_in_utc_with_its_zone_and_never_without() -> None:
    moment = datetime(2026, 11, 1, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert utc(moment) == f"31{NBSP}Oct{NBSP}2026, 23:05{NBSP}UTC"
    assert utc(datetime(2026, 11, 21, tzinfo=UTC)).endswith("UTC")
    with pytest.raises(ValueError, match="zone"):
        utc(datetime(2026, 11, 1))  # noqa: DTZ001
