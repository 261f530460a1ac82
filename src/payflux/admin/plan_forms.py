"""Plans as the console's forms hold them: from what is sold to fields, and from what was typed to changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.datastructures import FormData

from payflux.frontdoor.catalogue.content import Difference, PlanContent
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import LIMITS
from payflux.kit.errors import InvalidInput
from payflux.web.formatting import count, money

PRICES = ("monthly_price_cents", "annual_price_cents")
FLAGS = ("is_public", "is_archived")
LABELS = {
    "display_name": "Name",
    "description": "Description",
    "monthly_price_cents": "Price a month",
    "annual_price_cents": "Price a year",
    "is_public": "Shown to everybody",
    "is_archived": "Archived",
    "sort_order": "Place in the order",
}


@dataclass(frozen=True)
class ShownDifference:
    """One field that differs, in words."""

    label: str
    before: str
    after: str


def fields_of(content: PlanContent) -> dict[str, Any]:
    """The fields of the form that sells exactly `content`. Prices are in dollars."""
    fields: dict[str, Any] = {name: getattr(content, name) for name in LABELS} | {"features": sorted(content.features)}
    for price in PRICES:
        cents = fields[price]
        fields[price] = "" if cents is None else f"{Decimal(cents) / 100:.2f}"
    return fields | {f"limits.{limit}": content.limits.get(limit) for limit in LIMITS}


def typed_fields(form: FormData) -> dict[str, Any]:
    """What was typed, to be shown again."""
    fields: dict[str, Any] = {name: form.get(name, "") for name in (*LABELS, *(f"limits.{limit}" for limit in LIMITS))}
    return fields | {flag: flag in form for flag in FLAGS} | {"features": form.getlist("features")}


def changes_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as the fields of a plan. Raises InvalidInput naming each that cannot be read."""
    wrong: dict[str, str] = {}
    changes: dict[str, Any] = {
        "display_name": fields["display_name"].strip(),
        "description": fields["description"].strip() or None,
        "features": frozenset(fields["features"]),
        **{flag: bool(fields[flag]) for flag in FLAGS},
    }
    for price in PRICES:
        changes[price] = _cents(fields[price], price, wrong)
    changes["sort_order"] = _number(fields["sort_order"], "sort_order", wrong) or 0
    changes["limits"] = {limit: _number(fields[f"limits.{limit}"], f"limits.{limit}", wrong) for limit in LIMITS}
    if wrong:
        raise InvalidInput(wrong)
    return changes


def in_words(differences: Iterable[Difference]) -> list[ShownDifference]:
    return [
        ShownDifference(
            _label(each.field), value_in_words(each.field, each.before), value_in_words(each.field, each.after)
        )
        for each in differences
    ]


def value_in_words(field: str, value: object) -> str:
    """A field's value as people read it."""
    kind, _, _ = field.partition(".")
    match value:
        case None if kind == "limits":
            return "unlimited"
        case None if kind == "features":
            return "no"
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int() if field in PRICES:
            return money(value, read_catalogue().billing.currency)
        case int():
            return count(value)
        case _:
            return str(value)


def _label(field: str) -> str:
    kind, _, key = field.partition(".")
    catalogue = read_catalogue()
    if kind == "limits":
        return catalogue.limits[key].name if key in catalogue.limits else key
    return catalogue.features.get(key, key) if kind == "features" else LABELS[field]


def _number(typed: object, field: str, wrong: dict[str, str]) -> int | None:
    text = str("" if typed is None else typed).strip().replace(",", "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        wrong[field] = "Enter a whole number, or nothing."
        return None


def _cents(typed: object, field: str, wrong: dict[str, str]) -> int | None:
    text = str(typed).strip().replace(",", "").removeprefix("$")
    if not text:
        return None
    try:
        cents = Decimal(text) * 100
        if cents != cents.to_integral_value():
            raise InvalidOperation
        return int(cents)
    except (InvalidOperation, OverflowError, ValueError):
        wrong[field] = "Enter dollars and cents such as 499.00, or nothing for a plan without this price."
        return None
