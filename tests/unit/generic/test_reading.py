"""Posted events: what is documented is read, anything else is refused by field and not repeated."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.processors.events import PaymentEvent, event_record
from payflux.monitor.processors.generic.reading import EARLIEST, GRACE, EventsRefused, Fault, newness, read_posted
from payflux.monitor.processors.generic.schema import MOST_EVENTS, TYPES, json_schema

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHARGE = {
    "type": "charge.succeeded",
    "id": "ch_1",
    "created": "2026-11-20T13:45:00Z",
    "amount": 1999,
    "currency": "usd",
}


def posted(**changes: object) -> PaymentEvent:
    return read_posted(json.dumps(CHARGE | changes).encode(), NOW).events[0][0]


def faults(body: object) -> list[Fault]:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(EventsRefused) as refused:
        read_posted(said, NOW)
    return refused.value.faults


def test_a_charge_with_the_needed_fields_alone() -> None:
    event = posted()
    assert (event.kind, event.status, event.amount, event.settled_amount) == (Kind.CHARGE, Status.SUCCEEDED, 1999, 1999)
    assert event.occurred_at == event.charge_occurred_at == datetime(2026, 11, 20, 13, 45, tzinfo=UTC)
    assert event.charge_id == "ch_1"


def test_every_field_is_kept() -> None:
    event = posted(
        type="dispute.closed",
        id="dp_1",
        status="lost",
        updated="2026-11-21T01:00:00+02:00",
        settled_amount=1800,
        settled_currency="EUR",
        charge_id="ch_1",
        charge_created="2026-10-01T00:00:00Z",
        network="visa",
        country="de",
        three_d_secure=True,
        reason="fraudulent",
        card="fp_1",
        customer="cus_1",
        ends_at="2026-12-01T00:00:00Z",
        version=1,
    )
    assert (event.settled_amount, event.settled_currency, event.country) == (1800, "eur", "DE")
    assert (event.network, event.three_d_secure, event.reason) == (Network.VISA, True, "fraudulent")
    assert (event.charge_id, event.card, event.customer) == ("ch_1", "fp_1", "cus_1")
    assert event.ends_at == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", TYPES)
def test_each_type_takes_each_of_its_statuses_and_no_other(name: str) -> None:
    kind = TYPES[name]
    for status in Status:
        said = CHARGE | {"type": name, "status": status.name.lower(), "updated": "2026-11-20T14:00:00Z"}
        if status in kind.statuses:
            event = read_posted(json.dumps(said).encode(), NOW).events[0][0]
            assert (event.kind, event.status) == (kind.kind, status)
        else:
            assert [fault.field for fault in faults(said)] == ["status"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": 19.99}, "amount"),
        ({"amount": "1999"}, "amount"),
        ({"amount": 10**18}, "amount"),
        ({"currency": "us"}, "currency"),
        ({"currency": "usd\n"}, "currency"),
        ({"created": "2026-11-20"}, "created"),
        ({"created": "2026-11-20T13:45:00"}, "created"),
        ({"created": "1969-01-01T00:00:00Z"}, "created"),
        ({"created": "2026-11-30T00:00:00Z"}, "created"),
        ({"updated": "2026-11-20T13:44:00Z"}, "updated"),
        ({"updated": "2999-01-01T00:00:00Z"}, "updated"),
        ({"type": "charge.exploded"}, "type"),
        ({"type": ""}, "type"),
        ({"type": "dispute.closed", "updated": "2026-11-20T14:00:00Z"}, "status"),
        ({"type": "dispute.closed", "status": "won"}, "updated"),
        ({"id": "dana smith"}, "id"),
        ({"id": ""}, "id"),
        ({"id": "ch\u0000"}, "id"),
        ({"customer": "dana@example.com"}, "customer"),
        ({"card": "4242424242424242"}, "card"),
        ({"card": "4242-4242-4242-4242"}, "card"),
        ({"settled_amount": 5}, "settled_currency"),
        ({"charge_id": "ch_2"}, "charge_id"),
        ({"reason": "Dana did not like it"}, "reason"),
        ({"network": "dana"}, "network"),
        ({"country": "USA"}, "country"),
        ({"version": 2}, "version"),
        ({"email": "dana@example.com"}, "email"),
        ({"three_d_secure": "yes"}, "three_d_secure"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_field_with_the_way_out_and_without_the_value(
    changes: dict[str, object], field: str
) -> None:
    (fault,) = faults(CHARGE | changes)
    assert fault.field == field
    assert fault.way_out
    assert "dana" not in f"{fault.detail}{fault.way_out}".lower()
    assert "4242" not in fault.detail


@pytest.mark.parametrize("missing", ["type", "id", "created", "amount", "currency"])
def test_a_needed_field_that_is_missing_is_named(missing: str) -> None:
    (fault,) = faults({name: value for name, value in CHARGE.items() if name != missing})
    assert (fault.field, fault.detail) == (missing, f"`{missing}` is missing.")


def test_a_field_whose_name_is_a_persons_is_not_repeated() -> None:
    (fault,) = faults(CHARGE | {"dana@example.com": 1})
    assert "dana" not in f"{fault}"


def test_an_array_is_refused_whole_and_each_wrong_event_is_named_by_its_place() -> None:
    found = faults([CHARGE, CHARGE | {"amount": -1}, CHARGE, 7])
    assert [(fault.event, fault.field) for fault in found] == [(1, "amount"), (3, "")]


def test_an_array_holds_one_to_a_thousand_events() -> None:
    assert len(read_posted(json.dumps([CHARGE] * MOST_EVENTS).encode(), NOW).events) == MOST_EVENTS
    for body in ([], [CHARGE] * (MOST_EVENTS + 1)):
        assert "1 to 1,000" in faults(body)[0].way_out


def test_a_test_event_says_nothing() -> None:
    assert read_posted(b'{"type": "test"}', NOW) == ([], "test")


PLAIN = st.none() | st.integers() | st.text(max_size=9)
FIELDS = st.sampled_from(sorted(json_schema()["$defs"]["PostedEvent"]["properties"]))
ANY_JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6))


@given(st.binary(max_size=100) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_a_body_that_nobody_meant_as_events_is_refused_with_a_fault(body: bytes) -> None:
    assert all(fault.detail and fault.way_out for fault in faults(body))


INSTANTS = st.datetimes(datetime(2000, 1, 2), datetime(2026, 11, 21), timezones=st.just(UTC))  # noqa: DTZ001
LETTERS = "abcXYZ019_.-"


@st.composite
def any_event(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(TYPES)))
    kind, created = TYPES[name], draw(INSTANTS)
    said: dict[str, Any] = {
        "type": name,
        "id": draw(st.text(LETTERS, min_size=1, max_size=20)),
        "created": created.isoformat(),
        "updated": (created + draw(st.timedeltas(timedelta(0), timedelta(hours=12)))).isoformat(),
        "status": draw(st.sampled_from(kind.statuses)).name.lower(),
        "amount": draw(st.integers(0, 10**15)),
        "currency": draw(st.sampled_from(["usd", "EUR", "jpy"])),
    }
    optional = {
        "network": st.sampled_from(["visa", "other"]),
        "country": st.sampled_from(["US", "de"]),
        "reason": st.text("abc_.", min_size=1, max_size=20),
        "three_d_secure": st.booleans(),
        "ends_at": INSTANTS.map(datetime.isoformat),
        "customer": st.text(LETTERS, min_size=1, max_size=9),
    }
    return said | {field: draw(value) for field, value in optional.items() if draw(st.booleans())}


@given(any_event())
def test_whatever_the_form_allows_becomes_an_event_that_can_be_stored(said: dict[str, Any]) -> None:
    ((event, newer),) = read_posted(json.dumps(said).encode(), NOW).events
    assert all(-(2**63) <= number < 2**63 for number in event_record(event))
    assert EARLIEST <= event.occurred_at <= newer <= NOW + GRACE


def test_of_two_events_of_one_instant_the_later_state_is_the_newer_in_any_order() -> None:
    course = [Status.PENDING, Status.INQUIRY, Status.OPEN, Status.SUCCEEDED, Status.LOST, Status.WON, Status.FAILED]
    for earlier, later in itertools.pairwise(course):
        assert newness(NOW, earlier) < newness(NOW, later) < newness(NOW + timedelta(milliseconds=1), earlier)


def test_the_schema_names_the_types_and_refuses_unknown_fields() -> None:
    form = json_schema()["$defs"]["PostedEvent"]
    assert form["properties"]["type"]["enum"] == list(TYPES)
    assert form["additionalProperties"] is False
    assert set(form["required"]) == {"type", "id", "created", "amount", "currency"}
