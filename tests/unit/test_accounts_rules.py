"""What makes an acceptable registration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.passwords import password_problem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("password", ["quiet harbour lantern", "correct horse battery staple", "Zürich im Nebel 1871"])
def test_a_few_unrelated_words_are_a_good_password(password: str) -> None:
    assert password_problem(password, context=("Alice", "alice@shop.example")) == ""


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 10"),
        ("x" * 129, "at most 128"),
        ("password123", "stolen"),
        ("1234567890", "stolen"),
        ("aaaaaaaaaaaa", "guess"),
        ("aliceshop123", "Add another word"),
        ("payfluxpayflux", "Add another word"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_the_reason(password: str, reason: str) -> None:
    problem = password_problem(password, context=("Alice", "alice@aliceshop.example"))
    assert problem
    assert reason in problem or "Add another word" in problem


@pytest.mark.parametrize("email", ["", "alice", "alice@", "@shop.example", "a b@shop.example", "alice@shop", "a@b..c"])
def test_what_is_no_address_is_refused(email: str) -> None:
    problems = rules.registration_problems(name="Alice", email=email, password="quiet harbour lantern")
    assert list(problems) == ["email"]


@given(st.emails())
def test_an_address_is_the_same_however_it_is_typed(email: str) -> None:
    assert rules.normalize_email(f" {email.upper()} ") == rules.normalize_email(email.upper())
    assert rules.normalize_email(rules.normalize_email(email)) == rules.normalize_email(email)


def test_every_wrong_field_is_named_at_once() -> None:
    assert set(rules.registration_problems(name=" ", email="x", password="x")) == {"name", "email", "password"}


def test_a_session_ends_14_days_after_its_last_use_and_30_days_after_it_began() -> None:
    assert rules.session_expiry(NOW, NOW) == NOW + timedelta(days=14)
    assert rules.session_expiry(NOW, NOW + timedelta(days=20)) == NOW + timedelta(days=30)


@given(tries=st.integers(min_value=0, max_value=10_000), free=st.integers(min_value=1, max_value=50))
def test_more_refusals_never_shorten_the_wait_and_it_stays_under_a_minute(tries: int, free: int) -> None:
    delay = rules.throttle_delay(tries, free=free)
    assert delay <= rules.throttle_delay(tries + 1, free=free) <= timedelta(seconds=60)
    assert delay <= rules.throttle_delay(tries, free=free - 1)
    assert (delay == timedelta(0)) == (tries < free)
