"""`expand[]`: ids replaced by the objects they name, as deep as Stripe goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import stripe
from stripe import StripeObject

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.objects import Field, class_of, fields
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

MAX_DEPTH = 4
Include = Callable[[Work, Json], Any]
Includes = Mapping[tuple[str, str], Include]
"""What is shown only when it is expanded, by the object's type and the field: how it is made."""


def expand(work: Work, answer: Json, paths: tuple[str, ...], of: type[StripeObject], includes: Includes) -> None:
    """Expand `paths` in `answer`, an object of class `of` or a list of them. Raises StripeError 400."""
    listed = answer.get("object") == "list"
    for path in paths:
        parts = path.split(".")
        _check(path, parts, of, includes, listed=listed)
        for found in answer["data"] if listed else [answer]:
            _expand(work, found, parts[1:] if listed else parts, includes)


def _check(path: str, parts: list[str], of: type[StripeObject], includes: Includes, *, listed: bool) -> None:
    if len(parts) > MAX_DEPTH:
        raise StripeError(400, f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}")
    if listed and parts[0] != "data":
        known = fields(of).get(parts[0])
        hint = f" You may want to try expanding 'data.{path}' instead." if known and known.expandable else ""
        raise StripeError(400, f"This property cannot be expanded ({parts[0]}).{hint}")
    current: type[StripeObject] | None = of
    steps = parts[1:] if listed else parts
    field: Field | None = None
    included = False
    for step in steps:
        if step == "data" and field is not None and field.page is not None:
            current, field = field.page, None
            continue
        field = fields(current).get(step)
        included = (getattr(current, "OBJECT_NAME", ""), step) in includes
        if field is None or not (field.expandable or field.nested or field.listed):
            raise StripeError(400, f"This property cannot be expanded ({step}).")
        current = field.nested or field.listed or _class_of(field)
        if current is None:
            return  # what it is differs from object to object
    if field is not None and not (field.expandable or included):
        raise StripeError(400, f"This property cannot be expanded ({steps[-1]}).")


def _class_of(field: Field) -> type[StripeObject] | None:
    """The one class that a field's id can be expanded to; None where it differs, or where it is a list."""
    if field.page is not None:
        return stripe.ListObject
    known = {getattr(stripe, name, None) for name in field.names}
    only = known.pop() if len(known) == 1 else None
    return only if isinstance(only, type) and only is not StripeObject else None


def _expand(work: Work, found: Any, parts: list[str], includes: Includes) -> None:
    if isinstance(found, list):
        for item in found:
            _expand(work, item, parts, includes)
        return
    if not isinstance(found, dict) or not parts:
        return
    step, rest = parts[0], parts[1:]
    make = includes.get((found.get("object", ""), step))
    if make is not None and (step not in found or found[step] is None):
        found[step] = make(work, found)
    value = found.get(step)
    if isinstance(value, str) and _expandable(found, step):
        value = found[step] = work.find_any(value) or value
    elif isinstance(value, list) and value and isinstance(value[0], str):
        value = found[step] = [work.find_any(item) or item for item in value]
    _expand(work, value, rest, includes)


def _expandable(found: Json, step: str) -> bool:
    """Whether a text is an id that may be replaced; parts of an object have no type of their own and are trusted."""
    if "object" not in found:
        return True
    field = fields(class_of(found["object"])).get(step)
    return field is not None and field.expandable
