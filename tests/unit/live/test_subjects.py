"""The object that an event names decides what is read again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.live.envelopes import Envelope
from payflux.monitor.processors.live.subjects import Subject, objects_of, reason_to_ignore, subject_of
from payflux.monitor.processors.resources import OBJECTS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OBJECTS_OF_TYPES = {
    "account.application": "application",
    "account": "account",
    "balance": "balance",
    "balance_settings": "balance_settings",
    "capability": "capability",
    "charge.dispute": "dispute",
    "charge": "charge",
    "payout": "payout",
    "radar.early_fraud_warning": "radar.early_fraud_warning",
    "refund": "refund",
    "reserve.hold": "reserve.hold",
    "reserve.plan": "reserve.plan",
    "reserve.release": "reserve.release",
    "review": "review",
}


def envelope(object_type: str, object_id: str = "x_1", **more: object) -> Envelope:
    facts = {"id": "evt_1", "type": "some.type", "created": NOW, "livemode": True} | more
    return Envelope(**facts, object_type=object_type, object_id=object_id)  # ty: ignore[invalid-argument-type]


def test_every_event_that_we_subscribe_to_is_about_something_we_read() -> None:
    wanted = [kind for kind in EVENT_TYPES if not kind.startswith("reporting.")]
    for kind in wanted:
        changed = OBJECTS_OF_TYPES[kind.rpartition(".")[0].removesuffix(".funds")]
        assert subject_of(envelope(changed, type=kind)) is not Subject.NONE, kind


@pytest.mark.parametrize("object_type", sorted(OBJECTS))
def test_an_object_is_read_by_its_id(object_type: str) -> None:
    assert subject_of(envelope(object_type)) is Subject.OBJECT
    assert objects_of(envelope(object_type)) == [(object_type, "x_1")]
    assert subject_of(envelope(object_type, "")) is Subject.NONE


def test_a_refund_brings_its_charge_with_it() -> None:
    assert objects_of(envelope("refund", charge_id="ch_1")) == [("refund", "x_1"), ("charge", "ch_1")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"account": "acct_1"}, ""),
        ({"account": "acct_2"}, "about another account"),
        ({"livemode": False}, "a test event"),
        ({"object_type": "customer"}, "unknown type"),
    ],
)
def test_what_a_connection_must_not_apply_is_ignored_with_the_reason(changed: dict, reason: str) -> None:
    found = envelope(**({"object_type": "charge"} | changed))
    assert reason_to_ignore(found, external_account_id="acct_1", livemode=True, status="active") == reason


def test_an_ended_connection_applies_nothing() -> None:
    ended = reason_to_ignore(envelope("charge"), external_account_id="acct_1", livemode=True, status="disconnected")
    assert ended == "the connection was ended"
