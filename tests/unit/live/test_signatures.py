"""A webhook counts only when Stripe signed these very bytes a moment ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.live.signatures import TOLERANCE, SignatureRefused, sign, verify

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BODY = '{\n  "id": "evt_1",\n  "name": "Zoë"\n}'.encode()
SECRET = "whsec_of_the_endpoint"


def refusal(body: bytes, header: str, secrets: list[str], now: datetime = NOW) -> SignatureRefused:
    with pytest.raises(SignatureRefused) as refused:
        verify(body, header, secrets, now)
    return refused.value


def test_what_stripes_own_client_signs_is_accepted_and_what_we_sign_it_accepts() -> None:
    now = datetime.now(UTC)
    theirs = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, int(now.timestamp()))
    verify(BODY, theirs, [SECRET], now)
    assert stripe.WebhookSignature.verify_header(BODY, sign(BODY, [SECRET], now), SECRET, 300)


def test_while_a_secret_is_rolled_either_secret_on_either_side_is_enough() -> None:
    verify(BODY, sign(BODY, ["whsec_old", "whsec_new"], NOW), ["whsec_new"], NOW)
    verify(BODY, sign(BODY, ["whsec_old"], NOW), ["whsec_new", "whsec_old"], NOW)


def test_another_secret_is_refused_and_the_error_holds_no_secret() -> None:
    refused = refusal(BODY, sign(BODY, ["whsec_stranger"], NOW), [SECRET])
    assert refused.rule == "signature"
    assert "whsec_" not in str(refused)


@pytest.mark.parametrize("secrets", [[], [""], ["  "]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str]) -> None:
    assert refusal(BODY, sign(BODY, secrets or [""], NOW), secrets).rule == "signature"


@pytest.mark.parametrize("seconds", [-TOLERANCE - 1, TOLERANCE + 1])
def test_an_old_signature_and_one_of_the_future_are_refused(seconds: int) -> None:
    assert refusal(BODY, sign(BODY, [SECRET], NOW + timedelta(seconds=seconds)), [SECRET]).rule == "time"


@pytest.mark.parametrize("seconds", [-TOLERANCE, TOLERANCE])
def test_a_signature_within_the_tolerance_is_accepted(seconds: int) -> None:
    verify(BODY, sign(BODY, [SECRET], NOW + timedelta(seconds=seconds)), [SECRET], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "t=1",
        "v1=00",
        "t=x,v1=00",
        "t=-5,v1=00",
        "t=1,t=2,v1=00",
        "t=1,v0=00",
        "t=١,v1=00",
        "t=1,v1=00" + "," * 5000,
        "t=9999999999999999,v1=0",
    ],
)
def test_a_header_that_is_not_stripes_is_refused_by_its_form(header: str) -> None:
    assert refusal(BODY, header, [SECRET]).rule == "header"


def test_only_the_scheme_v1_counts() -> None:
    assert refusal(BODY, sign(BODY, [SECRET], NOW).replace("v1=", "v0=") + ",v1=00", [SECRET]).rule == "signature"


@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_changed_bit_of_the_body_is_noticed(at: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[at] ^= 1 << bit
    assert refusal(bytes(changed), sign(BODY, [SECRET], NOW), [SECRET]).rule == "signature"


@given(header=st.text(max_size=80))
def test_no_header_brings_the_check_down(header: str) -> None:
    assert refusal(BODY, header, [SECRET]).rule
