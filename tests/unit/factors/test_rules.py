"""What counts as a proof, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.relying_party import RelyingParty, relying_party
from payflux.settings import Settings

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: "12345678901234567890"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standards_own_examples(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert rules.matching_step(SECRET, code, at, last_step=None) == seconds // 30


@given(away=st.integers(-5, 5), second=st.integers(0, 29))
def test_a_code_is_good_one_step_before_and_one_after_its_own(away: int, second: int) -> None:
    at = NOW + timedelta(seconds=second)
    step = pyotp.TOTP(SECRET).timecode(NOW)
    found = rules.matching_step(SECRET, pyotp.TOTP(SECRET).generate_otp(step + away), at, last_step=None)
    assert found == (step + away if abs(away) <= 1 else None)


@given(first=st.integers(-1, 1), second=st.integers(-1, 1))
def test_a_code_no_later_than_the_last_one_used_is_refused(first: int, second: int) -> None:
    totp = pyotp.TOTP(SECRET)
    step = totp.timecode(NOW)
    found = rules.matching_step(SECRET, totp.generate_otp(step + second), NOW, last_step=step + first)
    assert found == (step + second if second > first else None)


@given(st.text(max_size=300))
def test_what_is_no_code_matches_nothing_and_breaks_nothing(typed: str) -> None:
    assert rules.matching_step(SECRET, typed + "x", NOW, last_step=None) is None


def test_a_code_may_be_typed_in_groups() -> None:
    code = pyotp.TOTP(SECRET).at(NOW)
    assert rules.matching_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, last_step=None) is not None


def test_a_recovery_code_may_be_typed_in_any_case_with_or_without_its_hyphen() -> None:
    code = rules.new_recovery_code()
    for typed in (code, code.upper(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert rules.normalize_recovery_code(typed) == code


@given(st.text(max_size=30))
def test_what_cannot_be_a_recovery_code_is_none(typed: str) -> None:
    found = rules.normalize_recovery_code(typed)
    assert found == "" or rules.normalize_recovery_code(found) == found


def test_a_code_of_six_digits_is_never_taken_for_a_recovery_code() -> None:
    assert rules.normalize_recovery_code("234567") == ""


@pytest.mark.parametrize(
    ("password", "passkeys", "providers", "may"),
    [
        (True, 0, (), False),
        (False, 1, (), False),
        (False, 0, ("google",), False),
        (True, 1, (), True),
        (True, 0, ("google",), True),
        (False, 2, (), True),
        (False, 1, ("microsoft",), True),
        (False, 0, ("google", "microsoft"), True),
    ],
)
@pytest.mark.parametrize("totp", [True, False])
def test_the_last_way_to_sign_in_cannot_be_removed(
    password: bool, passkeys: int, providers: tuple[str, ...], may: bool, totp: bool
) -> None:
    methods = rules.SignInMethods(password=password, passkeys=passkeys, providers=providers, totp=totp)
    assert rules.may_remove_method(methods) is may


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://payflux.example", RelyingParty("payflux.example", "https://payflux.example")),
        ("https://app.payflux.example:8443", RelyingParty("app.payflux.example", "https://app.payflux.example:8443")),
        ("http://127.0.0.1:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://localhost:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("http://[::1]:8000", RelyingParty("localhost", "http://localhost:8000")),
        ("https://203.0.113.7", None),
    ],
)
def test_passkeys_are_made_for_a_name_and_not_for_an_address(url: str, party: RelyingParty | None) -> None:
    assert relying_party(Settings(public_url=url)) == party
