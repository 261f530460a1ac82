"""The features that plans may have: their keys and public words."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import FeatureFlag, PlanFeatureDefault
from payflux.frontdoor.catalogue.queries import every_plan
from payflux.frontdoor.catalogue.versions import bump_catalogue
from payflux.frontdoor.entitlements.models import AccountFeatureOverride
from payflux.frontdoor.staff.selling.record import record_catalogue_change
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.errors import Conflict, InvalidInput, NotFound

LONGEST_WORDS = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{1,49}")


async def add_feature(session: AsyncSession, staff: Staff, *, key: str, description: str, now: datetime) -> None:
    """A new feature, which no plan has yet. Raises InvalidInput, and Conflict for a key that is taken."""
    wrong = {} if _KEY.fullmatch(key) else {"key": "Use 2 to 50 small letters, digits and underscores."}
    words = _words(description, wrong)
    if await session.get(FeatureFlag, key) is not None:
        raise Conflict(f"There is a feature {key} already.", way_out="Change its words, or choose another key.")
    session.add(FeatureFlag(key=key, description=words))
    await session.flush()
    await _changed(session, staff, "feature_added", key, None, words, now)


async def reword_feature(session: AsyncSession, staff: Staff, *, key: str, description: str, now: datetime) -> None:
    """Other public words for a feature, on every plan that has it. Raises NotFound and InvalidInput."""
    words = _words(description, {})
    flag = await _flag(session, key)
    before, flag.description = flag.description, words
    await session.flush()
    await _changed(session, staff, "feature_reworded", key, before, words, now)


async def remove_feature(session: AsyncSession, staff: Staff, *, key: str, now: datetime) -> None:
    """Remove a feature that nothing asks for. Versions of plans that had it keep its key.

    Raises NotFound, and Conflict while the product asks for it, a plan has it, or an account was ever granted it.
    """
    flag = await _flag(session, key)
    if key in read_catalogue().features:
        raise Conflict(f"The product asks for {key}.", way_out="Take it from the plans instead.")
    holders = [each.plan for each in await every_plan(session) if key in each.content.features]
    if holders:
        raise Conflict(f"{', '.join(holders)} have {key}.", way_out="Publish these plans without it first.")
    granted = select(AccountFeatureOverride.id).where(AccountFeatureOverride.feature == key).limit(1)
    if (await session.execute(granted)).scalar_one_or_none() is not None:
        raise Conflict(f"An account was granted {key}, which stays on record.", way_out="Leave it to no plan instead.")
    before = flag.description
    await session.execute(delete(PlanFeatureDefault).where(PlanFeatureDefault.feature == key))
    await session.delete(flag)
    await session.flush()
    await _changed(session, staff, "feature_removed", key, before, None, now)


async def _flag(session: AsyncSession, key: str) -> FeatureFlag:
    flag = await session.get(FeatureFlag, key)
    if flag is None:
        raise NotFound(f"There is no feature {key}.", way_out="Choose one of the list.")
    return flag


def _words(description: str, wrong: dict[str, str]) -> str:
    words = " ".join(description.split())
    if not words or len(words) > LONGEST_WORDS:
        wrong["description"] = f"Say in up to {LONGEST_WORDS} characters what it is; customers read it."
    if wrong:
        raise InvalidInput(wrong)
    return words


async def _changed(
    session: AsyncSession, staff: Staff, action: str, key: str, before: str | None, after: str | None, now: datetime
) -> None:
    await bump_catalogue(session)
    sides = [None if words is None else {"description": words} for words in (before, after)]
    await record_catalogue_change(session, staff, action=action, subject=key, before=sides[0], after=sides[1], now=now)
