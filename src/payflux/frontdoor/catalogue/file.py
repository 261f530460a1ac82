"""The catalogue file: what is sold, before it is published, and the public words for it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan of the catalogue file. A limit that is left out is unlimited; prices are in US cents, for one seat."""

    display_name: str
    description: str
    sort_order: int
    features: frozenset[str]
    limits: dict[str, int]
    monthly_price_cents: int | None = None
    annual_price_cents: int | None = None
    is_public: bool = True
    is_archived: bool = False


class LimitWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public words for a limit: its name, and what one and several of its unit are called. `per` is the time after
    which what was used counts anew; None for what is held, such as seats."""

    name: str
    one: str
    many: str
    per: Literal["day", "month"] | None = None


class BillingWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a price is for, and in which ISO 4217 currency (lower case, as Stripe writes it)."""

    currency: str
    unit: str


class ProcessorChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment processor that a new owner may name: its name, and the verb and the page by which it is connected."""

    name: str
    verb: str
    path: str


class Wizard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new owner is given to choose from; each by the key that is stored, in the order of the page."""

    team_sizes: dict[str, str]
    roles: dict[str, str]
    processors: dict[str, ProcessorChoice]


class SetupStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the dashboard's checklist: its words, the page where it is taken, and what a member needs to take it,
    None where everybody takes it for themselves. `milestone` is what ticks it; None for the steps that the account
    itself knows of. One that is `by_processor` is taken where the chosen processor is connected, until one is. The
    `headline` is what all the others are for."""

    title: str
    why: str
    verb: str
    path: str
    capability: str | None = None
    milestone: str | None = None
    by_processor: bool = False
    headline: bool = False


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The catalogue file: every feature and limit with its public words, the plans, and the first steps."""

    recommended_plan: str
    trial_plan: str
    billing: BillingWords
    features: dict[str, str]
    limits: dict[str, LimitWords]
    plans: dict[str, PlanEntry]
    wizard: Wizard
    checklist: dict[str, SetupStep]

    def __post_init__(self) -> None:
        unknown = {self.recommended_plan, self.trial_plan} - self.plans.keys()
        for entry in self.plans.values():
            unknown |= (entry.features - self.features.keys()) | (entry.limits.keys() - self.limits.keys())
        if unknown:
            raise ValueError(f"the catalogue names what it does not have: {', '.join(sorted(unknown))}")


@cache
def read_catalogue() -> Catalogue:
    """The catalogue file. Raises msgspec.ValidationError, which names the entry that is wrong."""
    content = files("payflux.frontdoor.catalogue").joinpath("catalogue.toml").read_bytes()
    return msgspec.toml.decode(content, type=Catalogue)
