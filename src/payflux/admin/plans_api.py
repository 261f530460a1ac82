"""Plans and features as JSON, for the staff's tools.

A change is sent with the token of the console's forms as `X-CSRF-Token`; with `?preview=true` it is answered with who
would be affected, and nothing is written.
"""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.admin.selling import SAVING, Json, Preview, bring_to_stripe
from payflux.frontdoor.catalogue.content import as_json
from payflux.frontdoor.catalogue.queries import every_plan, feature_flags, sold_plan
from payflux.frontdoor.staff.selling.affected import affected_by
from payflux.frontdoor.staff.selling.features import add_feature, remove_feature, reword_feature
from payflux.frontdoor.staff.selling.plans import move_buyers, preview_plan, save_plan
from payflux.frontdoor.staff.signing_in import Staff
from payflux.web.guards import CurrentWorld
from payflux.world.bootstrap import World

router = APIRouter()

LIMITS, FLAGS = f"{PATH}/plan-limits", f"{PATH}/feature-flags"


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlanEdit(_Sent):
    """The fields of a plan that change. `version` is the one that the editor saw; null takes a limit or a price away.
    `move_buyers` also moves those who bought an older version."""

    plan: str
    version: int
    display_name: str = ""
    description: str | None = None
    monthly_price_cents: int | None = None
    annual_price_cents: int | None = None
    is_public: bool = True
    is_archived: bool = False
    sort_order: int = 0
    features: frozenset[str] = frozenset()
    limits: dict[str, int | None] = {}
    move_buyers: bool = False


class PlanDefault(_Sent):
    """Whether a plan has a feature. `version` is the plan's that the editor saw."""

    plan: str
    version: int
    feature: str
    enabled: bool


class Feature(_Sent):
    """A feature and its public words."""

    key: str
    description: str


@router.get(LIMITS, dependencies=STAFF)
async def plans(world: CurrentWorld) -> list[Json]:
    """Every plan as it is sold now: limits, public words, prices, features and ids at Stripe."""
    async with world.database.system() as session:
        return [asdict(each) | {"content": as_json(each.content)} for each in await every_plan(session)]


@router.put(LIMITS, dependencies=SAVING)
async def edit_plan(edit: PlanEdit, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False) -> Json:
    """Sell a plan with other limits, prices, words or features: one transaction, a new version."""
    changes = edit.model_dump(exclude_unset=True, exclude={"plan", "version", "move_buyers"})
    return await _edited(world, staff, edit.plan, changes, edit.version, preview=preview, move=edit.move_buyers)


@router.put(f"{FLAGS}/plan-defaults", dependencies=SAVING)
async def edit_plan_default(
    default: PlanDefault, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False
) -> Json:
    """Give a plan a feature, or take it: a new version of the plan."""
    async with world.database.system() as session:
        features = (await sold_plan(session, default.plan)).content.features
    features = features | {default.feature} if default.enabled else features - {default.feature}
    return await _edited(world, staff, default.plan, {"features": features}, default.version, preview=preview)


async def _edited(
    world: World, staff: Staff, plan: str, changes: Json, version: int, *, preview: bool, move: bool = False
) -> Json:
    now = world.clock.now()
    async with world.database.system() as session:
        seen = await preview_plan(session, plan=plan, changes=changes, now=now)
        answer = asdict(seen) | {"content": as_json(seen.content)}
        if preview:
            return answer
        answer["version"] = await save_plan(session, staff, plan=plan, changes=changes, version=version, now=now)
    answer["not_at_stripe"] = await bring_to_stripe(world)
    if move and not answer["not_at_stripe"]:
        async with world.database.system() as session:
            answer["moved"] = await move_buyers(session, staff, plan=plan, now=now)
    return answer


@router.get(FLAGS, dependencies=STAFF)
async def features(world: CurrentWorld) -> list[Json]:
    """Every feature with its words and the plans that have it."""
    async with world.database.system() as session:
        sold = await every_plan(session)
        return [
            {"key": key, "description": words, "plans": [each.plan for each in sold if key in each.content.features]}
            for key, words in (await feature_flags(session)).items()
        ]


@router.post(FLAGS, dependencies=STAFF)
async def new_feature(feature: Feature, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False) -> Json:
    """A feature that no plan has yet."""
    if not preview:
        async with world.database.system() as session:
            await add_feature(session, staff, **feature.model_dump(), now=world.clock.now())
    return await _holders(world, feature.key)


@router.put(FLAGS, dependencies=STAFF)
async def other_words(feature: Feature, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False) -> Json:
    """Other public words for a feature."""
    if not preview:
        async with world.database.system() as session:
            await reword_feature(session, staff, **feature.model_dump(), now=world.clock.now())
    return await _holders(world, feature.key)


@router.delete(FLAGS, dependencies=STAFF)
async def no_feature(key: str, staff: CurrentStaff, world: CurrentWorld, preview: Preview = False) -> Json:
    """Remove a feature that nothing asks for and nobody has."""
    if not preview:
        async with world.database.system() as session:
            await remove_feature(session, staff, key=key, now=world.clock.now())
    return await _holders(world, key)


async def _holders(world: World, key: str) -> Json:
    """The plans that have a feature, and who has those."""
    async with world.database.system() as session:
        having = [each.plan for each in await every_plan(session) if key in each.content.features]
        now = world.clock.now()
        affected = {plan: asdict(await affected_by(session, plan=plan, now=now)) for plan in having}
    return {"key": key, "affected": affected}
