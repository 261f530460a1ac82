"""Canonical JSON (RFC 8785). Pure.

`rfc8785` writes it in Python, character by character. Where a value is such that the standard library's encoder, which
is not in Python, writes the same, that one is used: it is ten times as fast, and nearly every value is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
import rfc8785

_EXACT = 2**53
"""Below it, a float without a fraction is written as the whole number that it is."""

_PLAIN = 1e-4
"""From here up to :data:`_EXACT`, Python and ECMAScript write the same shortest digits, and no exponent."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(body: Mapping[str, object]) -> bytes:
    """The canonical form of `body`, made of plain values, dates, ids, enumerations and structures. Raises ValueError
    for what JSON cannot hold, a whole number from 2**53 on among it."""
    plain = msgspec.to_builtins(body, str_keys=True)
    try:
        return _encode(_same(plain)).encode()
    except _Unlike:
        return rfc8785.dumps(plain)


class _Unlike(Exception):
    """The two encoders may write a value differently."""


def _same(value: object) -> object:
    """`value` in the form that the standard library writes canonically."""
    match value:
        case str() | bool() | None:
            return value
        case dict():
            if not all(map(str.isascii, value)):  # others sort differently in UTF-16
                raise _Unlike
            return {key: _same(item) for key, item in value.items()}
        case list() | tuple():
            return [_same(item) for item in value]
        case int() if -_EXACT < value < _EXACT:
            return value
        case float() if value.is_integer() and -_EXACT < value < _EXACT:
            return int(value)
        case float() if _PLAIN <= abs(value) < _EXACT:
            return value
    raise _Unlike
