"""The what-if form: what it asks, and what was typed as changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.whatif.changes import Changes

_NUMBER = re.compile(r"[+-]?\d{1,4}(?:[.,]\d{1,2})?")


class NumberField(NamedTuple):
    """A number to type, from `low` to `high`; `percent` is written in hundredths, else it is whole days."""

    name: str  # of the change
    label: str
    help: str
    low: int
    high: int
    percent: bool = True

    @property
    def unit(self) -> str:
        return "%" if self.percent else _("days")


FIELDS = (
    NumberField(
        "rdr",
        mark("Rapid Dispute Resolution"),
        mark("Share of Visa disputes that are refunded before they are filed. They no longer count as disputes."),
        0,
        100,
    ),
    NumberField(
        "three_d_secure",
        "3-D Secure",
        mark("Share of card payments whose buyer is authenticated. The bank then bears most fraud disputes."),
        0,
        100,
    ),
    NumberField(
        "growth", mark("Growth a month"), mark("How your sales change from here: 10 is up, −10 is down."), -50, 100
    ),
    NumberField(
        "reserve_rate",
        mark("Reserve rate"),
        mark("Share of each day's sales that the processor would hold back."),
        0,
        100,
    ),
    NumberField(
        "hold_days",
        mark("Reserve days"),
        mark("How long each day's share is held. Left empty, as long as is assumed now."),
        1,
        365,
        percent=False,
    ),
)
NAMES = ("refund_warnings", *(field.name for field in FIELDS))

EXAMPLES = (
    (
        mark("What if I refund every open fraud warning today?"),
        mark("Four in five warnings become disputes: see what refunding costs, and what it saves."),
        "refund_warnings=yes",
    ),
    (
        mark("What if disputes were stopped earlier?"),
        mark("RDR on 90 % of Visa disputes and 3-D Secure on half of the payments."),
        "rdr=90&three_d_secure=50",
    ),
    (
        mark("What if my processor holds a quarter of my sales?"),
        mark("A reserve of 25 % for 120 days, as others have imposed it."),
        "reserve_rate=25&hold_days=120",
    ),
)
"""Questions to start from: what is asked, why, and its address."""


def typed(query: Mapping[str, str]) -> dict[str, str]:
    """What was typed into each field, as it was typed."""
    return {name: query.get(name, "") for name in NAMES}


def read_changes(form: Mapping[str, str]) -> Changes:
    """The changes that a form from :func:`typed` asks for. Raises InvalidInput, with what to write in each field."""
    values: dict[str, bool | float | int] = {}
    errors: dict[str, str] = {}
    chosen = form["refund_warnings"].strip()
    if chosen == "yes":
        values["refund_warnings"] = True
    elif chosen:
        errors["refund_warnings"] = _("Refunding open warnings is chosen or not: tick the box or leave it.")
    for field in FIELDS:
        text = form[field.name].strip().replace("\N{MINUS SIGN}", "-").removesuffix("%").removesuffix("days").strip()
        if not text:
            continue
        number = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
        if number is None or not (field.percent or number.is_integer()):
            example = _("such as 10 or 12.5") if field.percent else _("of whole days, such as 90")
            errors[field.name] = _("%(label)s: write a number %(example)s.") % {
                "label": _(field.label),
                "example": example,
            }
        elif not field.low <= number <= field.high:
            errors[field.name] = _("%(label)s is from %(low)s to %(high)s %(unit)s.") % {
                "label": _(field.label),
                "low": str(field.low).replace("-", "−"),
                "high": field.high,
                "unit": field.unit,
            }
        else:
            values[field.name] = number / 100 if field.percent else int(number)
    if errors:
        raise InvalidInput(errors)
    return msgspec.convert(values, Changes)
