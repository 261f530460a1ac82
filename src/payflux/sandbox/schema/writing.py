"""From the parameters of a call to the fields of an object: what is copied, what empties, what is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stripe import StripeObject

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.objects import complete, fields
from payflux.sandbox.store import Json


def written(of: type[StripeObject], params: Mapping[str, Any], handled: Collection[str] = ()) -> Json:
    """The parameters that are fields of class `of`, as its fields; "" empties one. `handled` are left to the caller.

    Raises StripeError 400 for a parameter that is neither: the sandbox ignores nothing.
    """
    known = fields(of)
    values: Json = {}
    for name, value in params.items():
        if name in handled:
            continue
        if name not in known:
            not_carried_out(params, name)
        nested = known[name].nested
        if value == "":
            values[name] = {} if name == "metadata" else None
        elif isinstance(value, dict) and nested is not None:
            try:
                values[name] = complete(nested, {key: None if part == "" else part for key, part in value.items()})
            except TypeError:  # it holds what the object does not show, such as the number of a bank account
                not_carried_out(params, name)
        else:
            values[name] = value
    if "metadata" in values:
        values["metadata"] = merged({}, values["metadata"])
    return values


def rewritten(of: type[StripeObject], document: Json, params: Mapping[str, Any], handled: Collection[str] = ()) -> Json:
    """As :func:`written`, for an object that exists: metadata is merged into what it has."""
    values = written(of, {name: value for name, value in params.items() if name != "metadata"}, handled)
    if "metadata" in params:
        values["metadata"] = merged(document["metadata"], params["metadata"])
    return values


def merged(before: Mapping[str, str], given: Mapping[str, str] | str) -> dict[str, str]:
    """Metadata after an update: "" for a key removes it, "" for all removes everything.

    Raises StripeError 400 beyond 50
    keys of 40 characters and values of 500. docs.stripe.com/api/metadata
    """
    if isinstance(given, str):
        return {}
    for key, value in given.items():
        if len(key) > 40:
            raise StripeError(400, f"Metadata keys can be up to 40 characters long: {key}", param="metadata")
        if len(value) > 500:
            message = f"Metadata values can have up to 500 characters, but you passed in a value that is {len(value)}"
            raise StripeError(400, f"{message} characters for the key {key}.", param=f"metadata[{key}]")
    after = {key: value for key, value in {**before, **given}.items() if value != ""}
    if len(after) > 50:
        raise StripeError(400, "Metadata can have up to 50 keys.", param="metadata")
    return after


def require_one(params: Mapping[str, Any], *names: str) -> None:
    """Raises StripeError 400 where two of `names` are given that exclude each other."""
    given = [name for name in names if params.get(name) not in (None, "")]
    if len(given) > 1:
        raise StripeError(400, f"You may only specify one of these parameters: {', '.join(given)}.", param=given[1])


def positive(params: Mapping[str, Any], name: str, *, least: int = 1) -> None:
    """Raises StripeError 400 where an amount is below `least`."""
    if params.get(name) is not None and params[name] < least:
        raise StripeError(
            400,
            f"This value must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=name,
        )


def not_carried_out(params: Mapping[str, Any], *names: str) -> None:
    """Raises StripeError 400 for a parameter that Stripe knows and the sandbox does not act on."""
    for name in names:
        if name in params:
            raise StripeError(400, f"The sandbox does not carry out the parameter {name}: leave it out.", param=name)


def missing(name: str) -> StripeError:
    return StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
