"""The console's pages of what is sold: plans with their versions, features, and who is affected before a save."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.admin.guards import PATH, STAFF, STEPPED_UP, CurrentStaff
from payflux.admin.plan_forms import changes_of, fields_of, in_words, typed_fields
from payflux.admin.selling import bring_to_stripe
from payflux.frontdoor.catalogue.content import compare, from_json
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import every_plan, feature_flags, plan_versions, sold_plan
from payflux.frontdoor.staff.selling.affected import affected_by
from payflux.frontdoor.staff.selling.features import add_feature, remove_feature, reword_feature
from payflux.frontdoor.staff.selling.plans import move_buyers, preview_plan, save_plan
from payflux.frontdoor.staff.selling.record import catalogue_changes
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.errors import InvalidInput
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()

PLANS, FEATURES = f"{PATH}/plans", f"{PATH}/features"


@router.get(PLANS, dependencies=STAFF)
async def plans_page(request: Request, staff: CurrentStaff, world: CurrentWorld) -> Response:
    """What is sold, who has it, and what was changed last."""
    return await _plans_page(request, staff, world, problem="")


@router.post(f"{PLANS}/at-stripe", dependencies=STAFF)
async def sync(request: Request, staff: CurrentStaff, world: CurrentWorld) -> Response:
    """Find or make the products and prices of what is sold."""
    if problem := await bring_to_stripe(world):
        return await _plans_page(request, staff, world, problem=problem)
    return see_other(PLANS)


@router.get(f"{PLANS}/{{plan}}", dependencies=STAFF)
async def plan_page(request: Request, staff: CurrentStaff, world: CurrentWorld, plan: str) -> Response:
    """One plan: the form that changes it, who has it, and every version with what it changed."""
    async with world.database.system() as session:
        fields = fields_of((await sold_plan(session, plan)).content)
        return await _plan_page(request, staff, world, session, plan, fields, {})


@router.post(f"{PLANS}/{{plan}}/preview", dependencies=STAFF)
async def preview(
    request: Request, staff: CurrentStaff, world: CurrentWorld, plan: str, version: Text = ""
) -> Response:
    """What a save would change, and for whom; the next step saves it."""
    fields = typed_fields(await request.form())
    async with world.database.system() as session:
        try:
            seen = await preview_plan(session, plan=plan, changes=changes_of(fields), now=world.clock.now())
        except InvalidInput as error:
            return await _plan_page(request, staff, world, session, plan, fields, error.fields)
    return render(
        request,
        "admin/plan_preview.html",
        staff=staff,
        seen=seen,
        differences=in_words(seen.differences),
        fields=fields,
        version=version,
    )


@router.post(f"{PLANS}/{{plan}}", dependencies=STEPPED_UP)
async def save(request: Request, staff: CurrentStaff, world: CurrentWorld, plan: str, version: Text = "") -> Response:
    """Publish the plan as it was previewed."""
    if not version.isdecimal():
        raise InvalidInput({"version": "Start from the plan's page."})
    changes = changes_of(typed_fields(await request.form()))
    async with world.database.system() as session:
        await save_plan(session, staff, plan=plan, changes=changes, version=int(version), now=world.clock.now())
    if problem := await bring_to_stripe(world):
        return await _plans_page(request, staff, world, problem=f"The plan is published. {problem}")
    return see_other(f"{PLANS}/{plan}")


@router.post(f"{PLANS}/{{plan}}/buyers", dependencies=STEPPED_UP)
async def move(staff: CurrentStaff, world: CurrentWorld, plan: str) -> Response:
    """Move everybody who bought an older version to the one that is sold now."""
    async with world.database.system() as session:
        await move_buyers(session, staff, plan=plan, now=world.clock.now())
    return see_other(f"{PLANS}/{plan}")


@router.post(FEATURES, dependencies=STAFF)
async def add(staff: CurrentStaff, world: CurrentWorld, key: Text = "", description: Text = "") -> Response:
    """A feature that no plan has yet."""
    async with world.database.system() as session:
        await add_feature(session, staff, key=key.strip(), description=description, now=world.clock.now())
    return see_other(f"{PLANS}#features")


@router.post(f"{FEATURES}/{{key}}", dependencies=STAFF)
async def reword(staff: CurrentStaff, world: CurrentWorld, key: str, description: Text = "") -> Response:
    """Other public words for a feature, on every plan that has it."""
    async with world.database.system() as session:
        await reword_feature(session, staff, key=key, description=description, now=world.clock.now())
    return see_other(f"{PLANS}#features")


@router.post(f"{FEATURES}/{{key}}/remove", dependencies=STAFF)
async def remove(staff: CurrentStaff, world: CurrentWorld, key: str) -> Response:
    """Remove a feature that nothing asks for and nobody has."""
    async with world.database.system() as session:
        await remove_feature(session, staff, key=key, now=world.clock.now())
    return see_other(f"{PLANS}#features")


async def _plans_page(request: Request, staff: Staff, world: World, *, problem: str) -> Response:
    now = world.clock.now()
    async with world.database.system() as session:
        plans = await every_plan(session)
        context: dict[str, Any] = {
            "plans": plans,
            "affected": {each.plan: await affected_by(session, plan=each.plan, now=now) for each in plans},
            "features": await feature_flags(session),
            "changes": await catalogue_changes(session),
        }
    built_in = read_catalogue().features.keys()
    return render(request, "admin/plans.html", staff=staff, built_in=built_in, problem=problem, **context)


async def _plan_page(
    request: Request,
    staff: Staff,
    world: World,
    session: AsyncSession,
    plan: str,
    fields: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    sold = await sold_plan(session, plan)
    published = await plan_versions(session, plan)
    contents = [from_json(each.content) for each in published]
    return render(
        request,
        "admin/plan.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        staff=staff,
        sold=sold,
        fields=fields,
        errors=errors,
        features=await feature_flags(session),
        limits=read_catalogue().limits,
        affected=await affected_by(session, plan=plan, now=world.clock.now()),
        versions=[
            (each, in_words(compare(before, content)))
            for each, content, before in zip(published, contents, [*contents[1:], None], strict=True)
        ],
    )
