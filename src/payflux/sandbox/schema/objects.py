"""Objects as Stripe answers them: every key that endive always sends, null where nothing is said."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import UntypedStripeObject

from payflux.sandbox.schema.absent import absent_keys
from payflux.sandbox.schema.annotations import choices, is_object, literals

Json = dict[str, Any]
_NONE = type(None)


class Field(NamedTuple):
    nullable: bool
    nested: type[StripeObject] | None  # a StripeObject class
    listed: type[StripeObject] | None  # the class of a list's items
    default: Any  # what it is when nothing is said; None where `nested` or nothing tells
    names: tuple[str, ...]  # the classes whose objects the field's id can be expanded to
    page: type[StripeObject] | None = None  # the class of the objects in a list that has pages

    @property
    def expandable(self) -> bool:
        return bool(self.names) or self.page is not None


def type_of(of: type[StripeObject]) -> str:
    """What the field `object` of the objects of a class says."""
    return str(of.OBJECT_NAME)  # ty: ignore[missing-attribute] -- every class of an object has one


@cache
def class_of(kind: str) -> type[StripeObject]:
    """The class of the objects whose field `object` says `kind`; StripeObject for one the package does not know."""
    if kind not in OBJECT_CLASSES:
        return StripeObject
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


def complete(of: type[StripeObject], values: Mapping[str, Any]) -> Json:
    """An object of class `of` from the `values` that matter: a key without a value is null, an empty list or hash, or
    a nested object completed in the same way.

    Raises TypeError for a key that the class does not know and for one that has to be given.
    """
    known = fields(of)
    unknown = values.keys() - known.keys()
    if unknown:
        raise TypeError(f"{of.__qualname__} has no {', '.join(sorted(unknown))}")
    absent = absent_keys(of)
    return {
        name: _completed(of, name, field, values)
        for name, field in known.items()
        if name in values or name not in absent
    }


def _completed(of: type, name: str, field: Field, values: Mapping[str, Any]) -> Any:
    if name in values:
        value = values[name]
        if isinstance(value, Mapping) and field.nested is not None and "object" not in value:
            return complete(field.nested, value)
        if isinstance(value, list) and field.listed is not None:
            return [
                complete(field.listed, item) if isinstance(item, Mapping) and "object" not in item else item
                for item in value
            ]
        return value
    if field.nullable or field.default is not None:
        return field.default() if callable(field.default) else field.default
    if field.nested is not None:
        return complete(field.nested, {})
    raise TypeError(f"{of.__qualname__} needs {name}")


@cache
def fields(of: type[StripeObject]) -> dict[str, Field]:
    """The fields of a class, without those of deleted objects."""
    found = {
        name: _field(annotation, of.__module__)
        for name, annotation in of.__annotations__.items()
        if name not in ("OBJECT_NAME", "deleted") and not name.startswith("_")
    }
    if "metadata" in found:  # may be null in the package and never is; docs.stripe.com/api/metadata
        found["metadata"] = found["metadata"]._replace(default=dict)
    return found


def _field(annotation: Any, module: str) -> Field:
    kinds = choices(annotation, module)
    nullable = _NONE in kinds
    rest = [kind for kind in kinds if kind is not _NONE]
    objects = [kind for kind in rest if is_object(kind)]
    if str in rest and objects:
        return Field(nullable, None, None, None, tuple(kind.__name__ for kind in objects))
    lists = [kind for kind in rest if get_origin(kind) is list]
    if lists:
        inner = [kind for kind in choices(get_args(lists[0])[0], module) if kind is not _NONE]
        items = [kind for kind in inner if is_object(kind)]
        names = tuple(kind.__name__ for kind in items) if str in inner else ()
        return Field(
            nullable, None, items[0] if len(items) == 1 and not names else None, None if nullable else list, names
        )
    pages = [kind for kind in rest if get_origin(kind) is ListObject]
    if pages:
        inner = [kind for kind in choices(get_args(pages[0])[0], module) if is_object(kind)]
        return Field(nullable, None, None, None, (), inner[0] if len(inner) == 1 else StripeObject)
    if any(kind is UntypedStripeObject or get_origin(kind) in (dict, UntypedStripeObject) for kind in rest):
        return Field(nullable, None, None, None if nullable else dict, ())
    only = literals(rest[0]) if len(rest) == 1 else ()
    default = only[0] if len(only) == 1 and not nullable else None
    return Field(nullable, objects[0] if len(objects) == 1 else None, None, default, ())
