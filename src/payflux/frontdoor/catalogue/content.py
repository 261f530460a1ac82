"""What a published version of a plan says, and how two of them differ. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from payflux.frontdoor.catalogue.file import Catalogue

MOST_CENTS = 99_999_999
"""The largest amount of one price at Stripe (docs.stripe.com/currencies, "Minimum and maximum charge amounts")."""
LEAST_CENTS = 50
"""The smallest that it charges in US dollars (the same page)."""
MOST = 2**31 - 1
LONGEST_NAME = 255
AT_LEAST_ONE = ("seats", "retention_days")
"""The limits of which an account needs one to be of any use."""


class PlanContent(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it is sold: public words, prices in US cents for one seat, features, and limits by key. A limit that is
    None, or that the version does not know, is unlimited; a price that is None is not for sale by itself."""

    display_name: str
    description: str | None
    monthly_price_cents: int | None
    annual_price_cents: int | None
    is_public: bool
    is_archived: bool
    sort_order: int
    features: frozenset[str]
    limits: dict[str, int | None]


@dataclass(frozen=True)
class Difference:
    """One field that two versions differ in, such as `monthly_price_cents`, `limits.seats` or `features.sso`."""

    field: str
    before: object
    after: object


def entry_content(catalogue: Catalogue, plan: str) -> PlanContent:
    """What the catalogue file says of `plan`."""
    fields = msgspec.structs.asdict(catalogue.plans[plan])
    fields["limits"] = dict.fromkeys(catalogue.limits) | fields["limits"]
    return PlanContent(**fields)


def as_json(content: PlanContent) -> dict[str, Any]:
    """`content` as it is stored; the same content is always the same JSON."""
    return msgspec.to_builtins(content, order="deterministic")


def from_json(stored: dict[str, Any]) -> PlanContent:
    return msgspec.convert(stored, PlanContent)


def compare(before: PlanContent | None, after: PlanContent) -> list[Difference]:
    """Where `after` differs from `before`; from None where there was no such plan."""
    was, becomes = dict(_flat(before)) if before else {}, dict(_flat(after))
    return [
        Difference(field, was.get(field), becomes.get(field))
        for field in becomes | was
        if was.get(field) != becomes.get(field)
    ]


def _flat(content: PlanContent) -> Iterator[tuple[str, object]]:
    for field, value in msgspec.structs.asdict(content).items():
        if field == "features":
            yield from ((f"features.{feature}", True) for feature in sorted(value))
        elif field == "limits":
            yield from ((f"limits.{limit}", value[limit]) for limit in sorted(value))
        else:
            yield field, value


def content_problems(content: PlanContent, features: Collection[str]) -> dict[str, str]:
    """What is wrong with `content`, by field; `features` are those that there are."""
    problems = {}
    if not content.display_name.strip() or len(content.display_name) > LONGEST_NAME:
        problems["display_name"] = f"Name the plan in 1 to {LONGEST_NAME} characters."
    for field in ("monthly_price_cents", "annual_price_cents"):
        price = getattr(content, field)
        if price is not None and not LEAST_CENTS <= price <= MOST_CENTS:
            problems[field] = f"A price is {LEAST_CENTS} to {MOST_CENTS} cents; leave it out where there is none."
    if not -MOST <= content.sort_order <= MOST:
        problems["sort_order"] = f"Use a whole number up to {MOST}."
    for limit, value in content.limits.items():
        least = 1 if limit in AT_LEAST_ONE else 0
        if value is not None and not least <= value <= MOST:
            problems[f"limits.{limit}"] = f"Use {least} to {MOST}, or leave it out for unlimited."
    if unknown := content.features - frozenset(features):
        problems["features"] = f"There is no feature {', '.join(sorted(unknown))}."
    return problems
