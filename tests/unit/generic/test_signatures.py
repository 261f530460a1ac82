"""Standard Webhooks signatures: the published vector holds, and nothing but the secret's owner can sign."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.generic.signatures import new_secret, sign, verify
from payflux.monitor.processors.live.signatures import SignatureRefused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRETS = st.binary(min_size=24, max_size=64).map(lambda key: f"whsec_{b64encode(key).decode()}")


def check(body: bytes, header: str, secrets: list[str], *, at: datetime = NOW, message_id: str = "msg_1") -> None:
    time = str(int(NOW.timestamp()))
    verify(body, message_id=message_id, timestamp=time, signatures=header, secrets=secrets, now=at)


def test_the_vector_that_the_reference_implementations_publish() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    body, secret, message_id = (
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
    )
    header = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(message_id, body, [secret], at) == header
    verify(body, message_id=message_id, timestamp="1614265330", signatures=header, secrets=[secret], now=at)


@given(body=st.binary(max_size=200), secrets=st.lists(SECRETS, min_size=1, max_size=3, unique=True), data=st.data())
def test_any_of_the_active_secrets_may_have_signed(body: bytes, secrets: list[str], data: st.DataObject) -> None:
    check(body, sign("msg_1", body, [data.draw(st.sampled_from(secrets))], NOW), secrets)


@given(body=st.binary(min_size=1, max_size=200), place=st.integers(0, 199), secret=SECRETS, other=SECRETS)
def test_another_body_id_or_secret_is_refused(body: bytes, place: int, secret: str, other: str) -> None:
    header = sign("msg_1", body, [secret], NOW)
    changed = bytearray(body)
    changed[place % len(body)] ^= 1
    wrong = [(bytes(changed), "msg_1", [secret]), (body, "msg_2", [secret]), (body, "msg_1", [])]
    if other != secret:
        wrong.append((body, "msg_1", [other]))
    for said, message_id, secrets in wrong:
        with pytest.raises(SignatureRefused) as refused:
            check(said, header, secrets, message_id=message_id)
        assert refused.value.rule == "signature"


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_a_delivery_that_is_replayed_later_or_comes_from_the_future_is_refused(away: timedelta) -> None:
    secret = new_secret()
    with pytest.raises(SignatureRefused) as refused:
        check(b"{}", sign("msg_1", b"{}", [secret], NOW), [secret], at=NOW + away)
    assert refused.value.rule == "time"


@given(message_id=st.text(max_size=30), timestamp=st.text(max_size=14), header=st.text(max_size=60))
def test_headers_of_any_kind_are_refused_and_never_break_it(message_id: str, timestamp: str, header: str) -> None:
    with pytest.raises(SignatureRefused):
        verify(b"{}", message_id=message_id, timestamp=timestamp, signatures=header, secrets=[new_secret()], now=NOW)
