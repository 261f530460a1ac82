"""Where a rule applies: the card networks' regions and the countries in them."""

from __future__ import annotations

from typing import NamedTuple

_COUNTRIES = {
    "AP": "AU HK ID IN JP MY NZ PH SG TH VN",
    "CA": "CA",
    "CEMEA": "AE BH CI EG GH JO KE KW MA NG OM QA SA SN ZA",
    "EU": "AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IL IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK TR",
    "LAC": "AR BR CL CO CR DO MX PA PE PY TT UY",
    "US": "US",
}
REGIONS: dict[str, frozenset[str]] = {region: frozenset(countries.split()) for region, countries in _COUNTRIES.items()}
"""Visa's region of the countries where processors commonly open accounts. The grouping is assumed, not cited."""

STRONG_AUTHENTICATION = REGIONS["EU"] - {"CH", "GI", "IL", "TR"}
"""The EEA and the United Kingdom: the law asks for strong customer authentication (Regulation (EU) 2018/389)."""

_UNKNOWN_COUNTRY = "US"


def region_of(country: str) -> str:
    """Visa's region of an ISO 3166 country code; that of the general thresholds when unknown."""
    country = country.upper()
    return next((region for region, countries in REGIONS.items() if country in countries), _UNKNOWN_COUNTRY)


class Scope(NamedTuple):
    """The merchants' countries that a rule covers: those of `regions` (empty: all), or only `countries`, less
    `excluded`."""

    regions: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    def covers(self, country: str) -> bool:
        """Whether the rule applies to a merchant of this country; an unknown one is covered as a general region's."""
        country = country.upper()
        if country in self.excluded:
            return False
        if self.countries:
            return country in self.countries
        return not self.regions or region_of(country) in self.regions
