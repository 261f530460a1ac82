"""Reading the annotations of the `stripe` package: what a parameter or a field may hold."""

from __future__ import annotations

import sys
import types
import typing
from typing import Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe
from stripe import StripeObject


class _Scope(dict[str, Any]):
    """A module's names, and behind them those of the package, which it loads when they are asked for."""

    def __missing__(self, name: str) -> Any:
        for package in (typing, stripe, stripe.checkout, stripe.billing_portal, stripe.radar, stripe.reporting):
            found = getattr(package, name, None)
            if found is not None:
                return found
        raise KeyError(name)


def resolved(annotation: Any, module: str) -> Any:
    """`annotation` without NotRequired, and a forward reference as what it names in `module`, else in `stripe`.

    A name that neither knows becomes StripeObject: it exists for type checkers alone.
    """
    while get_origin(annotation) in (NotRequired, Required):
        (annotation,) = get_args(annotation)
    if isinstance(annotation, str):
        annotation = ForwardRef(annotation)
    if isinstance(annotation, ForwardRef):
        try:
            scope = _Scope(vars(sys.modules[module]))
            return resolved(eval(annotation.__forward_code__, {}, scope), module)  # noqa: S307 -- the package's own names
        except NameError:
            return StripeObject
    return annotation


def choices(annotation: Any, module: str) -> list[Any]:
    """The alternatives of a union, resolved; of anything else, itself alone."""
    annotation = resolved(annotation, module)
    if get_origin(annotation) in (Union, types.UnionType):
        return [choice for part in get_args(annotation) for choice in choices(part, module)]
    return [annotation]


def literals(annotation: Any) -> tuple[Any, ...]:
    """The values that a Literal allows; empty for anything else."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def is_object(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, StripeObject)
