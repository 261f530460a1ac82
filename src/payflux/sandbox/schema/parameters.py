"""A call's parameters, held to the typed dictionary that the `stripe` package declares for it."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

from stripe import RequestOptions
from typing_extensions import is_typeddict

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.annotations import choices, literals
from payflux.sandbox.schema.currencies import CURRENCIES

_OPTIONS = frozenset(RequestOptions.__annotations__)
_REFUSED = object()


def check(given: dict[str, Any], form: Any) -> dict[str, Any]:
    """`given`, as :func:`parse_form` returns it, with integers, booleans and lists instead of texts.

    `form` is a typed dictionary of `stripe.params`. Raises StripeError 400 for a parameter that it does not know, that
    it requires, or whose value it does not allow.
    """
    return _hash(given, form, "")


def fields(form: Any) -> dict[str, Any]:
    """The parameters of `form` and their annotations, without the options of the client."""
    return {name: kind for name, kind in form.__annotations__.items() if name not in _OPTIONS}


def _hash(given: dict[str, Any], form: Any, path: str) -> dict[str, Any]:
    known = fields(form) if not path else form.__annotations__
    for name in given:
        if name not in known:
            place = f"{path}[{name}]" if path else name
            raise StripeError(400, f"Received unknown parameter: {place}", code="parameter_unknown", param=place)
    for name in known:
        if name in form.__required_keys__ and name not in given:
            place = f"{path}[{name}]" if path else name
            raise StripeError(400, f"Missing required param: {place}.", code="parameter_missing", param=place)
    return {
        name: _value(value, choices(known[name], form.__module__), form.__module__, f"{path}[{name}]" if path else name)
        for name, value in given.items()
    }


def _value(value: Any, kinds: list[Any], module: str, path: str) -> Any:
    """`value` as the first of `kinds` that takes it."""
    if isinstance(value, dict):
        for kind in kinds:
            if is_typeddict(kind):
                return _hash(value, kind, path)
            if get_origin(kind) is dict:
                return {key: _text(found, f"{path}[{key}]") for key, found in value.items()}
        raise StripeError(400, "Invalid object", param=path)
    if isinstance(value, list):
        for kind in kinds:
            if get_origin(kind) is list:
                inner = choices(get_args(kind)[0], module)
                return [_value(item, inner, module, f"{path}[{n}]") for n, item in enumerate(value)]
            if get_origin(kind) is dict:  # metadata with keys that are numbers
                return {str(n): _text(item, f"{path}[{n}]") for n, item in enumerate(value)}
        raise StripeError(400, "Invalid array", param=path)
    if path.rpartition("[")[2].removesuffix("]") == "currency" and value.lower() not in CURRENCIES | {""}:
        told = f"Invalid currency: {value}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}"
        raise StripeError(400, told, param=path)
    # the package allows any text beside a list of values, for those to come
    closed = any(len(set(literals(kind)) - {""}) > 1 for kind in kinds)
    for kind in kinds:
        taken = _REFUSED if closed and kind is str else _scalar(value, kind)
        if taken is not _REFUSED:
            return taken
    raise _refusal(value, kinds, path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise StripeError(400, "Invalid string", param=path)
    return value


def _scalar(value: str, kind: Any) -> Any:
    allowed = literals(kind)
    if allowed:
        return value if value in allowed else _REFUSED
    if kind is bool:
        return {"true": True, "false": False}.get(value, _REFUSED)
    if kind is int:
        return int(value) if re.fullmatch(r"-?\d{1,15}", value) else _REFUSED
    if kind is float:
        return float(value) if re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", value) else _REFUSED
    if is_typeddict(kind) or get_origin(kind) in (list, dict):
        return [] if value == "" and get_origin(kind) is list else _REFUSED
    return value


def _refusal(value: str, kinds: list[Any], path: str) -> StripeError:
    allowed = [str(choice) for kind in kinds for choice in literals(kind) if choice != ""]
    if int in kinds:
        return StripeError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
    if bool in kinds:
        return StripeError(400, f"Invalid boolean: {value}", param=path)
    if allowed:
        return StripeError(400, f"Invalid {path}: must be one of {', '.join(allowed)}", param=path)
    if any(get_origin(kind) is list for kind in kinds):
        return StripeError(400, "Invalid array", param=path)
    return StripeError(
        400, "Invalid object" if any(map(is_typeddict, kinds)) else f"Invalid value: {value}", param=path
    )
