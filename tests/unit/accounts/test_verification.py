"""Mailed links and codes, and when the next mail may be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.verification.rules import (
    CODE_ATTEMPTS,
    CODE_LIFETIME,
    LinkState,
    code_is_open,
    link_state,
    resend_at,
)
from payflux.frontdoor.accounts.verification.secrets import challenge_of, code_of, link_token
from payflux.kit.crypto import TokenHasher

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOKENS = TokenHasher("a secret of at least thirty-two characters")


@given(st.uuids())
def test_a_link_says_which_challenge_it_is_and_another_installation_does_not_believe_it(challenge: UUID) -> None:
    token = link_token(TOKENS, challenge)
    assert challenge_of(TOKENS, token) == challenge
    assert challenge_of(TokenHasher("another secret, as long as the first"), token) is None
    assert len(code_of(TOKENS, challenge)) == 6
    assert code_of(TOKENS, challenge).isdigit()


@given(
    token=st.text(max_size=120), at=st.integers(min_value=0, max_value=95), digit=st.sampled_from("0123456789abcdef")
)
def test_a_token_that_we_did_not_make_is_nobodys(token: str, at: int, digit: str) -> None:
    assert challenge_of(TOKENS, token) is None
    made = link_token(TOKENS, uuid4())
    altered = made[:at] + digit + made[at + 1 :]
    assert (challenge_of(TOKENS, altered) is None) == (altered != made)


def test_codes_are_spread_over_all_six_digits() -> None:
    codes = {code_of(TOKENS, uuid4()) for _ in range(2000)}
    assert len(codes) > 1980
    assert {code[0] for code in codes} == set("0123456789")


@pytest.mark.parametrize(
    ("used", "superseded", "left", "state"),
    [
        (None, None, timedelta(seconds=1), LinkState.OPEN),
        (None, None, timedelta(0), LinkState.EXPIRED),
        (NOW, None, timedelta(days=-1), LinkState.USED),
        (NOW, NOW, timedelta(days=1), LinkState.USED),
        (None, NOW, timedelta(days=-1), LinkState.SUPERSEDED),
    ],
)
def test_a_link_has_one_state(
    used: datetime | None, superseded: datetime | None, left: timedelta, state: LinkState
) -> None:
    assert link_state(used_at=used, superseded_at=superseded, expires_at=NOW + left, now=NOW) is state


@given(attempts=st.integers(min_value=0, max_value=20), age=st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_code_is_open_for_five_tries_and_ten_minutes(attempts: int, age: timedelta) -> None:
    assert code_is_open(created_at=NOW - age, attempts=attempts, now=NOW) == (
        attempts < CODE_ATTEMPTS and age < CODE_LIFETIME
    )


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=1)), min_size=1, max_size=30))
def test_each_mail_makes_the_next_wait_at_least_as_long_and_at_most_an_hour(ages: list[timedelta]) -> None:
    sent = sorted(NOW - age for age in ages)
    wait = (resend_at(sent) or NOW) - sent[-1]
    assert timedelta(minutes=1) <= wait <= timedelta(hours=1)
    more = (resend_at([*sent, sent[-1]]) or NOW) - sent[-1]
    assert wait <= more


def test_the_first_mail_waits_for_nothing() -> None:
    assert resend_at([]) is None
