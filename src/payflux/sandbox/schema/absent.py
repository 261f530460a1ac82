"""The keys that Stripe leaves out where they say nothing, by class: shown when expanded, or under some conditions only.

`absent.txt` lists them: the optional fields in the types of stripe-node 23.1.0 (2026-10-28.endive), which tell a field
that may be absent from one that may be null; the Python package does not. Left out of the list is what Stripe's answers
show as null all the same; in it is `automatic_transfer_rules_by_currency`, which the Python package cannot read where
it is null. A listed key that has a value is shown.
"""

from __future__ import annotations

from importlib.resources import files

from stripe import StripeObject

_LINES = files("payflux.sandbox.schema").joinpath("absent.txt").read_text().splitlines()
_KEYS = {name: frozenset(keys.split()) for name, _, keys in (line.partition(": ") for line in _LINES)}


def absent_keys(of: type[StripeObject]) -> frozenset[str]:
    """The keys that an object of class `of` has only where they say something."""
    return _KEYS.get(f"{of.__module__.removeprefix('stripe.')}.{of.__qualname__}", frozenset())
