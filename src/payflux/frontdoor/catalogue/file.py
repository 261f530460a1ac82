"""The catalogue file: what is sold, before it is published."""

from __future__ import annotations

from importlib.resources import files

import msgspec


class PlanEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan of the catalogue file. A limit that is left out is unlimited; prices are in US cents."""

    display_name: str
    description: str
    sort_order: int
    features: frozenset[str]
    limits: dict[str, int]
    monthly_price_cents: int | None = None
    annual_price_cents: int | None = None


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The catalogue file: every feature with its public words, and the plans."""

    features: dict[str, str]
    plans: dict[str, PlanEntry]


def read_catalogue() -> Catalogue:
    """The catalogue file. Raises msgspec.ValidationError, which names the entry that is wrong."""
    content = files("payflux.frontdoor.catalogue").joinpath("catalogue.toml").read_bytes()
    return msgspec.toml.decode(content, type=Catalogue)
