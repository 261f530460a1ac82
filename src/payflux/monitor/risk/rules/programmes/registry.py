"""Every phase of every programme known since 2024, and which of them is in force on a day."""

from __future__ import annotations

from datetime import date

from payflux.monitor.risk.rules.programmes.others import MASTERCARD, OTHERS
from payflux.monitor.risk.rules.programmes.programme import Programme
from payflux.monitor.risk.rules.programmes.visa import VISA

REGISTRY: tuple[Programme, ...] = (*VISA, *MASTERCARD, *OTHERS)
"""Not here, because no figure was seen: American Express's fraud programmes, Discover."""


def in_force(day: date, country: str = "") -> tuple[Programme, ...]:
    """The phases that apply to a merchant of `country` (ISO 3166; empty: the general thresholds) on `day`."""
    return tuple(phase for phase in REGISTRY if phase.in_force(day, country))


def programme(key: str, day: date, country: str = "") -> Programme | None:
    """The phase of programme `key` that applies on `day`, or None."""
    return next((phase for phase in REGISTRY if phase.key == key and phase.in_force(day, country)), None)


def announced(day: date, country: str = "") -> tuple[Programme, ...]:
    """The phases that start after `day`, soonest first, whether or not they were public by then."""
    later = (phase for phase in REGISTRY if phase.valid_from > day and phase.scope.covers(country))
    return tuple(sorted(later, key=lambda phase: phase.valid_from))
