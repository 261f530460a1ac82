"""The workspaces that somebody can act in, by the account that each belongs to: what the switcher of every page lists.
Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from payflux.frontdoor.accounts.family import Place
from payflux.frontdoor.accounts.sessions import SignedIn


@dataclass(frozen=True)
class PlacesOfAccount:
    """An account by its name, and the workspaces of it that somebody is in: its first one before the others."""

    name: str
    places: list[Place] = field(default_factory=list)


def places_of_account(who: SignedIn) -> list[Place]:
    """The workspaces of the account in question that `who` is in, the first one before the others."""
    mine = [place for place in who.places if place.paying_account_id == who.paying_account_id]
    return sorted(mine, key=lambda place: place.parent_id is not None)


def grouped_places(who: SignedIn | None) -> list[PlacesOfAccount]:
    """Every workspace that `who` can switch to and the one they act in, by account; empty where there is no other. A
    session that an identity provider opened acts in its account alone."""
    groups: dict[UUID, PlacesOfAccount] = {}
    for place in sorted(who.places, key=lambda place: place.parent_id is not None) if who else ():
        whole = place.paying_account_id
        if who and who.sso_account_id in (None, whole):
            groups.setdefault(whole, PlacesOfAccount(place.parent_name or place.name)).places.append(place)
    several = sum(len(group.places) for group in groups.values()) > 1
    return list(groups.values()) if several else []
