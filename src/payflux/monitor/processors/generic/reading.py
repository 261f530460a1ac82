"""A posted body as payment events, or every reason why it is none. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports.merge import LATENESS
from payflux.monitor.processors.generic.schema import MEANINGS, MOST_EVENTS, TYPES, EventType, Ping, PostedEvent

Value = TypeVar("Value")
Told = tuple[PaymentEvent, datetime]
"""An event and how new what it says is: of two about one object the newer one is stored."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
GRACE = timedelta(days=1)
"""How far a clock may be ahead of ours."""

MOST_FAULTS = 20
"""Faults that are named of one delivery; the others wait until these are mended."""

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<place>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"\.([A-Za-z_]\w*)$")
_NAMED = re.compile(r"field `([A-Za-z_]\w{0,39})`")
_CARD_NUMBER = re.compile(r"[0-9]{12,19}")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a delivery. `event` counts from 0 within an array; None where it is the whole body. `field` is
    empty where it is no single one. Nothing of a value is repeated: it could be a person's."""

    event: int | None
    field: str
    detail: str
    way_out: str


class EventsRefused(Exception):
    """A body holds something that is no event of ours."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


class Posted(NamedTuple):
    """What a delivery says: its events, and their types in words for whoever looks at the deliveries."""

    events: list[Told]
    types: str


class _Typed(msgspec.Struct):
    type: str = ""


class _Wrong(Exception):
    def __init__(self, field: str, detail: str, way_out: str = "") -> None:
        super().__init__(detail)
        self.field, self.detail = field, detail
        self.way_out = way_out or (f"`{field}` is {MEANINGS[field]}." if field in MEANINGS else _SEE)


_SEE = "See docs/events.md or the JSON Schema for what an event holds."
_event = msgspec.json.Decoder(PostedEvent)
_ping = msgspec.json.Decoder(Ping)
_typed = msgspec.json.Decoder(_Typed)
_array = msgspec.json.Decoder(list[msgspec.Raw])


def read_posted(body: bytes, now: datetime) -> Posted:
    """The events of a body: one JSON object, or an array of up to :data:`MOST_EVENTS`. All or nothing: raises
    EventsRefused, with the first :data:`MOST_FAULTS` faults, when any of them is wrong."""
    try:
        body.decode()
        parts = _array.decode(body) if body.lstrip()[:1] == b"[" else [msgspec.Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _refused("The body is not JSON in UTF-8.", "Send one JSON object, or an array of them.") from None
    if not 1 <= len(parts) <= MOST_EVENTS:
        raise _refused(f"The array holds {len(parts)} events.", f"Send 1 to {MOST_EVENTS:,} events at a time.")
    events: list[Told] = []
    faults: list[Fault] = []
    types: dict[str, int] = {}
    for index, part in enumerate(parts):
        try:
            name = _typed_as(part)
            if name != "test":
                events.append(_told(part, name, now))
            else:
                _decoded(_ping, part)
            types[name] = types.get(name, 0) + 1
        except _Wrong as wrong:
            faults.append(Fault(index if body.lstrip()[:1] == b"[" else None, wrong.field, wrong.detail, wrong.way_out))
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise EventsRefused(faults)
    return Posted(events, ", ".join(name if count == 1 else f"{name} × {count:,}" for name, count in types.items()))


def newness(said_at: datetime, status: Status) -> datetime:
    """When `status` came to be: the millisecond, and, within it, how far along an object's life the status is, so that
    of two events of one millisecond the later state stands, whatever their order."""
    whole = said_at.astimezone(UTC)
    return whole.replace(microsecond=whole.microsecond // 1000 * 1000 + LATENESS[status])


def _refused(detail: str, way_out: str) -> EventsRefused:
    return EventsRefused([Fault(None, "", detail, way_out)])


def _typed_as(part: msgspec.Raw) -> str:
    name = _decoded(_typed, part).type
    if name not in TYPES and name != "test":
        raise _Wrong("type", "`type` is missing." if not name else "`type` is not known.", _types_known())
    return name


def _types_known() -> str:
    return f"`type` is one of {', '.join(TYPES)}, test."


def _told(part: msgspec.Raw, name: str, now: datetime) -> Told:
    posted, kind = _decoded(_event, part), TYPES[name]
    if isinstance(posted.card, str) and _is_card_number(posted.card):
        raise _Wrong("card", "`card` looks like a card number, which must never be sent.")
    updated = _times(posted, kind, now)
    status = _status(posted, kind)
    currency = posted.currency.lower()
    if (posted.settled_amount is UNSET) != (posted.settled_currency is UNSET):
        raise _Wrong("settled_currency", "Of `settled_amount` and `settled_currency` one is missing.")
    is_charge = kind.kind is Kind.CHARGE
    if is_charge and (posted.charge_id is not UNSET or posted.charge_created is not UNSET):
        raise _Wrong("charge_id", "A charge has an `id` and `created`, no `charge_id` or `charge_created`.")
    event = PaymentEvent(
        kind=kind.kind,
        source_id=posted.id,
        occurred_at=posted.created.astimezone(UTC),
        status=status,
        amount=posted.amount,
        currency=currency,
        settled_amount=_or(posted.settled_amount, posted.amount),
        settled_currency=_or(posted.settled_currency, currency).lower(),
        charge_id=posted.id if is_charge else _or(posted.charge_id, ""),
        charge_occurred_at=_utc(posted.created if is_charge else posted.charge_created),
        network=Network[_or(posted.network, "unknown").upper()],
        method=Method[_or(posted.method, "unknown").upper()],
        outcome=Outcome[_or(posted.outcome, "unknown").upper()],
        risk_level=RiskLevel[_or(posted.risk_level, "unknown").upper()],
        three_d_secure=_or(posted.three_d_secure, None),
        country=_or(posted.country, "").upper(),
        reason=_or(posted.reason, ""),
        card=_or(posted.card, ""),
        customer=_or(posted.customer, ""),
        ends_at=_utc(posted.ends_at),
    )
    return event, newness(updated, status)


def _times(posted: PostedEvent, kind: EventType, now: datetime) -> datetime:
    """When the object came to stand as `posted` says. Raises _Wrong for a time that cannot be."""
    for field, time in _given_times(posted):
        latest = LATEST if field == "ends_at" else now + GRACE
        if not EARLIEST <= time <= latest:
            detail = f"`{field}` is before the year 2000." if time < EARLIEST else f"`{field}` is in the future."
            raise _Wrong(field, detail)
    if posted.updated is UNSET:
        if kind.follows:
            raise _Wrong("updated", f"`updated` is missing, which {posted.type} needs.")
        return posted.created
    if posted.updated < posted.created:
        raise _Wrong("updated", "`updated` is before `created`.")
    return posted.updated


def _given_times(posted: PostedEvent) -> Iterator[tuple[str, datetime]]:
    for field in ("created", "updated", "charge_created", "ends_at"):
        time = getattr(posted, field)
        if time is not UNSET:
            yield field, time


def _status(posted: PostedEvent, kind: EventType) -> Status:
    words = " or ".join(status.name.lower() for status in kind.statuses)
    if posted.status is UNSET:
        if kind.must_say:
            raise _Wrong("status", f"`status` is missing, which {posted.type} needs.", f"Say {words}.")
        return kind.statuses[0]
    status = Status[posted.status.upper()]
    if status not in kind.statuses:
        raise _Wrong("status", f"`status` does not go with {posted.type}.", f"Say {words}, or send another type.")
    return status


def _decoded(decoder: msgspec.json.Decoder[Value], part: msgspec.Raw) -> Value:
    """Raises _Wrong in place of the decoder's own words, which may repeat a value."""
    try:
        return decoder.decode(part)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        what, place = (found["what"], found["place"] or "") if found else (str(error), "")
        named, at = _NAMED.search(what), _FIELD.search(place)
        if what.startswith("Object missing required field"):
            field = named[1] if named else ""
            raise _Wrong(field, f"`{field}` is missing.") from None
        if what.startswith("Object contains unknown field"):
            field = named[1] if named else ""
            raise _Wrong(
                field,
                f"`{field}` is not a field of an event." if field else "A field is not one of an event.",
                f"Leave it out; there are: {', '.join(MEANINGS)}.",
            ) from None
        field = at[1] if at else ""
        detail = f"`{field}` is not what it should be." if field else "This is not a JSON object."
        raise _Wrong(field, detail) from None
    except msgspec.DecodeError:
        raise _Wrong("", "The body is not JSON.", "Send one JSON object, or an array of them.") from None


def _is_card_number(text: str) -> bool:
    """Digits that pass the check of ISO/IEC 7812-1 annex B, as those of every card do."""
    digits = text.replace("-", "")
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)) if digit.isdecimal())
    return bool(_CARD_NUMBER.fullmatch(digits)) and sum(number % 10 + number // 10 for number in doubled) % 10 == 0


def _or(value: Value | UnsetType, default: Value) -> Value:
    return default if isinstance(value, UnsetType) else value


def _utc(time: datetime | UnsetType) -> datetime | None:
    return None if isinstance(time, UnsetType) else time.astimezone(UTC)
