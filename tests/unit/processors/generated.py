"""Objects of Stripe as its own package declares them, with any value that a field may hold."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args, get_origin

import msgspec
from hypothesis import strategies as st
from stripe import StripeObject

from payflux.sandbox.schema.annotations import choices, is_object, literals
from payflux.sandbox.schema.objects import fields

SECRET = "no-business-of-ours"
"""What stands in every text that is not named in :data:`KEPT`."""

KEPT: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids().map(lambda number: f"id_{number.hex}"),
    "customer": st.none() | st.uuids().map(lambda number: f"cus_{number.hex}"),
    "currency": st.sampled_from(["usd", "eur", "jpy", "krw", "kwd", "bhd"]),
    "country": st.none() | st.sampled_from(["US", "DE", "JP", "KW"]),
    "fingerprint": st.none() | st.just("Xt5EWLLDS7FJjR1c"),
    "created": st.integers(1_000_000_000, 4_000_000_000),
    "due_by": st.none() | st.integers(1_000_000_000, 4_000_000_000),
    "arrival_date": st.integers(1_000_000_000, 4_000_000_000),
    "scheduled_release": st.none() | st.integers(1_000_000_000, 4_000_000_000),
    "release_after": st.none() | st.integers(1_000_000_000, 4_000_000_000),
}
"""The fields whose values may be kept, or are times."""

OPEN_WORDS = {
    "reason",
    "opened_reason",
    "status",
    "network",
    "brand",
    "fraud_type",
    "failure_code",
    "risk_level",
    "type",
    "result",
}
"""Fields that hold a word of Stripe's vocabulary, of which there may be new ones tomorrow."""

_NESTED = {
    "payment_method_details", "card", "card_present", "interac_present", "three_d_secure", "outcome",
    "evidence_details", "balance_transactions", "charge", "balance_transaction", "source",
}  # fmt: skip
"""Fields whose objects are looked into; any other is an object with one text."""

_DEPTH = 4


def encoded(of: type[StripeObject]) -> st.SearchStrategy[bytes]:
    """Any object of class `of` as JSON; the ids that PayFlux expands are often the objects that they name."""
    return objects_of(of, 0).map(msgspec.json.encode)


@cache
def objects_of(of: type[StripeObject], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: _values(name, of.__annotations__[name], of.__module__, depth) for name in fields(of)}
    )


def _values(name: str, annotation: Any, module: str, depth: int) -> st.SearchStrategy[Any]:
    if name in KEPT:
        return KEPT[name]
    parts = choices(annotation, module)
    names = any(is_object(part) for part in parts)
    return st.one_of([_value(name, part, names, module, depth) for part in parts if not _other_source(name, part)])


def _other_source(name: str, part: Any) -> bool:
    """A balance transaction has a score of sources; a charge is told from the others."""
    return name == "source" and is_object(part) and part.__name__ != "Charge"


def _value(name: str, part: Any, names: bool, module: str, depth: int) -> st.SearchStrategy[Any]:
    if part is bool:
        return st.booleans()
    if part is int:
        return st.integers(0, 10**12)
    if literals(part):
        return st.sampled_from(literals(part))
    if part is str:
        return st.just("levitating" if name in OPEN_WORDS else f"id_{name}" if names else SECRET)
    if is_object(part):
        if depth < _DEPTH and name in _NESTED:
            return objects_of(part, depth + 1)
        return st.just(f"id_{name}" if names else {"text": SECRET})
    if get_origin(part) is list and name in _NESTED:
        return st.lists(_values(name, get_args(part)[0], module, depth + 1), max_size=2)
    return st.none()
