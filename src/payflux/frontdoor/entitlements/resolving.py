"""Find out what an account may do now: from what was found out before while that holds, else from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.rules import Standing, history_until, may_read_history
from payflux.frontdoor.catalogue.versions import read_versions
from payflux.frontdoor.entitlements import rules
from payflux.frontdoor.entitlements.grounds import grounds_of
from payflux.frontdoor.entitlements.rules import Grounds
from payflux.world.bootstrap import World

LONGEST_KEPT = timedelta(minutes=5)
"""How long what was found out is gone by, where nothing changes."""


@dataclass(frozen=True)
class Entitlements:
    """What an account may do now.

    `plan` is the one in force, at `version` or, None, as it is sold now. `live` is whether a subscription runs;
    behind the wall every feature is off, and `granted` still says which ones the plan and the overrides hold.
    `may_read_history` is whether what was seen before may be looked at all the same. `paused` is a further workspace
    whose account has a running plan that holds one alone. A limit of None is none.
    """

    plan: str
    version: int | None
    live: bool
    features: Mapping[str, bool]
    granted: Mapping[str, bool]
    limits: Mapping[str, int | None]
    standing: Standing | None
    may_read_history: bool
    good_until: datetime
    paused: bool = False


async def entitlements_of(
    session: AsyncSession, world: World, *, account_id: UUID, fresh: bool = False
) -> Entitlements:
    """What the account may do now. `fresh` reads every row anew, as whoever is about to refuse something does."""
    now = world.clock.now()
    versions = await read_versions(session, account_id=account_id)
    numbers = (versions.account, versions.catalogue)
    if not fresh:
        known: Entitlements | None = world.account_cache.get(account_id, version=numbers, now=now)
        if known is not None:
            return known
    found = resolve_all(await grounds_of(session, account_id=account_id, now=now), now)
    if versions.untouched:
        world.account_cache.put(account_id, found, version=numbers, good_from=now, good_until=found.good_until)
    return found


def resolve_all(grounds: Grounds, now: datetime) -> Entitlements:
    """Everything that `grounds` decide at `now`. Pure."""
    standing, held = rules.standing_at(grounds, now), rules.plan_at(grounds, now)
    paused = rules.is_live(standing, now) and rules.is_paused(grounds, now)
    live = rules.runs(grounds, now)
    granted = {key: bool(rules.granted(grounds, key, now)) for key in grounds.features}
    limits = {key: rules.granted(grounds, key, now) for key in grounds.limits}
    readable = paused or (standing is not None and may_read_history(standing, now))
    history = history_until(standing.status, standing.ended_at) if standing else None
    ends = [now + LONGEST_KEPT, rules.next_boundary(grounds, now), history]
    return Entitlements(
        plan=held.plan,
        version=held.version,
        live=live,
        features={key: on and live for key, on in granted.items()},
        granted=granted,
        limits=limits,
        standing=standing,
        may_read_history=readable,
        good_until=min(end for end in ends if end is not None and end > now),
        paused=paused,
    )
