"""An event tells which object changed; nothing else of it is kept."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.live.envelopes import UnreadableEvent, kept_envelope, read_envelope

AT = 1_795_280_000
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "created": AT - 60,
    "billing_details": {"name": "Dana Doe", "email": "dana@example.com"},
}


def event(changed: dict, **more: object) -> bytes:
    body = {"id": "evt_1", "object": "event", "type": "charge.succeeded", "created": AT, "livemode": True}
    return json.dumps(body | {"data": {"object": changed}} | more, indent=2).encode()


def test_a_snapshot_event_names_its_object_and_its_account() -> None:
    envelope = read_envelope(event(CHARGE, account="acct_1"))
    assert (envelope.object_type, envelope.object_id, envelope.object_created) == ("charge", "ch_1", AT - 60)
    assert (envelope.account, envelope.livemode) == ("acct_1", True)
    assert envelope.created == datetime.fromtimestamp(AT, UTC)


def test_nothing_of_a_payer_is_kept() -> None:
    kept = read_envelope(event(CHARGE)).kept()
    assert b"dana" not in kept.lower()
    assert kept_envelope(kept) == read_envelope(event(CHARGE))


def test_a_thin_event_names_its_related_object() -> None:
    thin = {
        "id": "evt_test_2",
        "object": "v2.core.event",
        "type": "v1.charge.succeeded",
        "created": "2026-11-21T12:00:00.000Z",
        "livemode": False,
        "context": "acct_2",
        "related_object": {"id": "ch_2", "type": "charge", "url": "/v1/charges/ch_2"},
    }
    envelope = read_envelope(json.dumps(thin).encode())
    assert (envelope.object_type, envelope.object_id, envelope.account) == ("charge", "ch_2", "acct_2")
    assert envelope.created == datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("charge", ["ch_1", {"id": "ch_1", "object": "charge"}])
def test_the_charge_that_an_object_is_about_is_known_whether_expanded_or_not(charge: object) -> None:
    assert read_envelope(event({"id": "re_1", "object": "refund", "charge": charge})).charge_id == "ch_1"


def test_an_object_without_an_id_is_read() -> None:
    envelope = read_envelope(event({"object": "balance", "available": []}, type="balance.available"))
    assert (envelope.object_type, envelope.object_id) == ("balance", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id": "evt_1", "type": "x"}',
        b'{"id": 5, "type": "x", "created": 1}',
        b'{"id": "evt_1", "type": "x", "created": "yesterday"}',
        b'{"id": "evt_1", "type": "x", "created": 99999999999999999999}',
        b'{"id": "evt_1\\u0000", "type": "x", "created": 1}',
    ],
)
def test_what_is_no_event_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(UnreadableEvent, match="no event of Stripe's"):
        read_envelope(body)


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["id", "type", "created", "data", "object", "related_object", "account", "charge"]), inner
        ),
    )
)
def test_any_json_is_read_or_refused(body: object) -> None:
    with suppress(UnreadableEvent):
        assert read_envelope(json.dumps(body).encode()).id
