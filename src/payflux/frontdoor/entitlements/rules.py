"""What an account may do at an instant, and why. Pure.

A feature or limit is decided by the first that speaks of it: an override that is in force, the seats that were bought
(of the seats alone), the plan, and else a feature is off. Behind the wall, where no subscription runs, every feature is
off. The limits still say how much the account may have: those of the plan while a subscription can come back, and of
the plan that costs nothing once there is none.

A further workspace of an account stands where the account does. Where the account's plan holds one workspace alone, the
first goes on, and every further one is as behind the wall: what it holds stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from payflux.frontdoor.billing import rules as billing
from payflux.frontdoor.billing.rules import Standing

FLOOR_PLAN = billing.FREE_PLAN
"""The plan that numbers an account without a subscription."""

SEATS = "seats"
WORKSPACES = "multi_processor"
"""The feature that an account's further workspaces need."""

Value = int | None
"""Of a feature, whether it is on; of a limit, how many there may be, None without one."""


class Source(StrEnum):
    """Who speaks of a feature or limit, the strongest first."""

    SUBSCRIPTION = "subscription"
    WORKSPACES = "workspaces"
    OVERRIDE = "override"
    SEATS_BOUGHT = "seats_bought"
    PLAN = "plan"
    DEFAULT = "default"


@dataclass(frozen=True)
class PlanHeld:
    """What a plan holds: a version that was bought, or with `version` None the plan as it is sold now."""

    plan: str
    version: int | None
    features: frozenset[str]
    limits: Mapping[str, int | None]


@dataclass(frozen=True)
class Override:
    """An exception that one account was granted of a feature or limit, from `starts_at` until the first of
    `expires_at` and `revoked_at`, both excluded."""

    key: str
    value: Value
    reason: str
    author: str
    starts_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def why_not(self, at: datetime) -> str:
        """Why it says nothing at `at`: "not started", "revoked" or "expired"; empty while it is in force."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= at:
            return "expired"
        return "not started" if at < self.starts_at else ""


@dataclass(frozen=True)
class Grounds:
    """All that entitlements rest on, as it was known at `known_at`: where the account stands, its overrides, and the
    plans that can be in force: its own, which without a subscription is the floor, the one of a trial, and the floor.

    `features` and `limits` are all the keys that there are. `is_further` is whether this is about a further workspace
    of the account.
    """

    known_at: datetime
    standing: Standing | None
    own: PlanHeld
    trial: PlanHeld
    floor: PlanHeld
    overrides: tuple[Override, ...]
    features: tuple[str, ...]
    limits: tuple[str, ...]
    is_further: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return self.features + self.limits


@dataclass(frozen=True)
class Claim:
    """What one source says of a key. `lost_because` is empty for the one that is followed."""

    source: Source
    value: Value
    lost_because: str = ""
    plan: str | None = None
    version: int | None = None
    override: Override | None = None


@dataclass(frozen=True)
class Change:
    """That a value becomes another one by itself, at `at`."""

    at: datetime
    value: Value


def standing_at(grounds: Grounds, at: datetime) -> Standing | None:
    """Where the account stands at `at` by what is known. A subscription that is set to end has ended after that
    instant, if it lies ahead; once it is past, Stripe's word is waited for."""
    standing = grounds.standing
    if standing is None or standing.cancel_at is None or standing.status == "canceled":
        return standing
    if grounds.known_at < standing.cancel_at <= at:
        return replace(standing, status="canceled", ended_at=standing.cancel_at)
    return standing


def is_live(standing: Standing | None, at: datetime) -> bool:
    """Whether the account is on this side of the wall."""
    return standing is not None and billing.is_entitled(
        status=standing.status, current_period_end=standing.current_period_end, now=at
    )


def is_paused(grounds: Grounds, at: datetime) -> bool:
    """Whether this is a further workspace, and the account's plan holds the first alone."""
    return grounds.is_further and not granted(grounds, WORKSPACES, at)


def runs(grounds: Grounds, at: datetime) -> bool:
    """Whether features are on at all."""
    return is_live(standing_at(grounds, at), at) and not is_paused(grounds, at)


def plan_at(grounds: Grounds, at: datetime) -> PlanHeld:
    """The plan whose features hold at `at`, or held before the wall."""
    standing = standing_at(grounds, at)
    in_trial = standing is not None and standing.status == "trialing" and is_live(standing, at)
    return grounds.trial if in_trial else grounds.own


def granted(grounds: Grounds, key: str, at: datetime) -> Value:
    """What `key` is at `at`, the wall aside. Raises KeyError for one that there is none of."""
    return next(claim.value for claim in _claims(grounds, key, at) if not claim.lost_because)


def resolve(grounds: Grounds, key: str, at: datetime) -> Value:
    """What `key` is at `at`. Raises KeyError for one that there is none of."""
    value = granted(grounds, key, at)
    return value and runs(grounds, at) if key in grounds.features else value


def claims(grounds: Grounds, key: str, at: datetime) -> tuple[Claim, tuple[Claim, ...]]:
    """Who is followed for `key` at `at`, and who is not, the strongest first. Raises KeyError for an unknown one."""
    found = _claims(grounds, key, at)
    winner = next(claim for claim in found if not claim.lost_because)
    if key in grounds.features and winner.value and not runs(grounds, at):
        live = is_live(standing_at(grounds, at), at)
        wall = Claim(Source.WORKSPACES if live else Source.SUBSCRIPTION, False)
        reason = "the plan holds one workspace" if live else "no subscription runs"
        return wall, tuple(replace(claim, lost_because=claim.lost_because or reason) for claim in found)
    return winner, tuple(claim for claim in found if claim.lost_because)


def _claims(grounds: Grounds, key: str, at: datetime) -> list[Claim]:
    is_feature = key in grounds.features
    if not is_feature and key not in grounds.limits:
        raise KeyError(key)
    found = [
        Claim(Source.OVERRIDE, each.value, lost_because=each.why_not(at), override=each)
        for each in sorted(grounds.overrides, key=lambda each: each.starts_at, reverse=True)
        if each.key == key
    ]
    standing, held = standing_at(grounds, at), plan_at(grounds, at)
    ended = standing is None or standing.status == "canceled"
    if is_feature:
        found.append(Claim(Source.PLAN, key in held.features, plan=held.plan, version=held.version))
        found.append(Claim(Source.DEFAULT, False))
        return _outranked(found)
    if ended:
        held = grounds.floor
    elif key == SEATS and standing.seat_limit is not None:
        found.append(Claim(Source.SEATS_BOUGHT, standing.seat_limit, plan=standing.plan))
    found.append(Claim(Source.PLAN, held.limits.get(key), plan=held.plan, version=held.version))
    return _outranked(found)


def _outranked(found: list[Claim]) -> list[Claim]:
    """The same claims, every one after the first that speaks marked as outranked by it."""
    first = next(index for index, claim in enumerate(found) if not claim.lost_because)
    reason = f"outranked by the {found[first].source.replace('_', ' ')}"
    return found[: first + 1] + [
        replace(claim, lost_because=claim.lost_because or reason) for claim in found[first + 1 :]
    ]


def boundaries(grounds: Grounds) -> list[datetime]:
    """Every instant at which something may change by itself, in order."""
    instants: set[datetime] = set()
    for each in grounds.overrides:
        instants |= {each.starts_at, *(end for end in (each.expires_at, each.revoked_at) if end is not None)}
    standing = grounds.standing
    if standing is not None:
        if standing.status == "trialing" and standing.current_period_end is not None:
            instants.add(standing.current_period_end)
        if standing.cancel_at is not None:
            instants.add(standing.cancel_at)
    return sorted(instants)


def next_boundary(grounds: Grounds, at: datetime) -> datetime | None:
    """The first instant after `at` at which anything may change by itself."""
    return next((instant for instant in boundaries(grounds) if instant > at), None)


def next_change(grounds: Grounds, key: str, at: datetime) -> Change | None:
    """When `key` becomes something else by itself after `at`, and what; None where it does not."""
    now = resolve(grounds, key, at)
    for instant in boundaries(grounds):
        if instant > at and (then := resolve(grounds, key, instant)) != now:
            return Change(instant, then)
    return None


def at_least(value: Value, other: Value) -> bool:
    """Whether `value` allows whatever `other` does."""
    if value is None or other is None:
        return value is None
    return value >= other
