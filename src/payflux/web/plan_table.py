"""Plans side by side, and the choice between them, as pages show both. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from payflux.frontdoor.billing.orders import MOST_SEATS
from payflux.frontdoor.catalogue.file import LimitWords, read_catalogue
from payflux.frontdoor.catalogue.queries import SoldPlan
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.formatting import count

LONGEST_NUMBER = 7
_PER = {"day": mark("%(name)s a day"), "month": mark("%(name)s a month")}


@dataclass(frozen=True)
class Row:
    """One line of the comparison: `cells` say, plan by plan, how much of a limit or whether a feature is held."""

    kind: Literal["limit", "feature"]
    key: str
    words: str
    cells: tuple[str, ...]


def limit_name(words: LimitWords) -> str:
    """A limit as the head of a line: "API calls a day"."""
    return _(_PER[words.per]) % {"name": _(words.name)} if words.per else _(words.name)


def limit_value(value: int | None, words: LimitWords) -> str:
    """How much of a limit a plan has: "Unlimited", "None", "730 days"."""
    if value is None:
        return _("Unlimited")
    return f"{count(value)} {_(words.one if value == 1 else words.many)}" if value else _("None")


def comparison_rows(plans: Sequence[SoldPlan], features: Mapping[str, str]) -> list[Row]:
    """Every limit and every one of `features` (public words by key) against every plan, the more basic ones first."""
    catalogue = read_catalogue()
    limits = [
        Row("limit", key, limit_name(words), tuple(limit_value(plan.content.limits.get(key), words) for plan in plans))
        for key, words in catalogue.limits.items()
    ]
    places = {key: place for place, key in enumerate(catalogue.features)}
    ordered = sorted(features, key=lambda key: (places.get(key, len(places)), key))
    return limits + [
        Row(
            "feature",
            key,
            _(features[key]),
            tuple(_("Yes") if key in plan.content.features else _("No") for plan in plans),
        )
        for key in ordered
    ]


def plans_with(plans: Sequence[SoldPlan], feature: str) -> list[SoldPlan]:
    """The plans that hold `feature`."""
    return [plan for plan in plans if feature in plan.content.features]


def plans_beyond(plans: Sequence[SoldPlan], limit: str, reached: int) -> list[SoldPlan]:
    """The plans that allow more than `reached` of `limit`."""
    return [plan for plan in plans if (allowed := plan.content.limits.get(limit)) is None or allowed > reached]


@dataclass(frozen=True)
class Choice:
    """A plan that can be bought: its price in US cents for a seat and a month, and how many seats it has at most.
    `fits` is whether everybody who is in the account has a seat."""

    plan: str
    name: str
    description: str
    monthly_price_cents: int
    most_seats: int
    fits: bool
    recommended: bool


@dataclass(frozen=True)
class Picker:
    """The choice of a plan and of seats; `members` is how many are in the account, and have to have one."""

    choices: tuple[Choice, ...]
    members: int
    plan: str
    seats: int

    @property
    def chosen(self) -> Choice | None:
        """The choice that is marked."""
        return next((choice for choice in self.choices if choice.plan == self.plan), None)

    @property
    def total_cents(self) -> int | None:
        """What the marked choice costs a month, in US cents."""
        return self.chosen.monthly_price_cents * self.seats if self.chosen else None


def picker_of(
    plans: Sequence[SoldPlan], *, members: int, wished: Collection[str | None] = (), seats: int = 0
) -> Picker:
    """What can be bought by somebody with `members` in the account, the first of the `wished` plans marked that can,
    and as many seats as were typed, if everybody has one."""
    recommended = read_catalogue().recommended_plan
    choices = tuple(
        Choice(
            plan=sold.plan,
            name=sold.content.display_name,
            description=_(sold.content.description) if sold.content.description else "",
            monthly_price_cents=sold.content.monthly_price_cents,
            most_seats=_most_seats(sold),
            fits=members <= _most_seats(sold),
            recommended=sold.plan == recommended,
        )
        for sold in plans
        if sold.content.monthly_price_cents
    )
    fitting = [choice.plan for choice in choices if choice.fits]
    marked = next((plan for plan in (*wished, recommended, *fitting) if plan in fitting), "")
    return Picker(choices, members, marked, max(members, seats))


def _most_seats(sold: SoldPlan) -> int:
    seats = sold.content.limits.get("seats")
    return MOST_SEATS if seats is None else seats


def seats_of(typed: str) -> int:
    """The number of seats that a form names. Raises InvalidInput for what is no number."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER):
        raise InvalidInput({"seats": _("Write how many seats, as a number such as 3.")})
    return int(text)
