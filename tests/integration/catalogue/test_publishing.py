"""Plans are published in versions: none ever changes, a restart changes nothing, and what the staff published stays."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.content import PlanContent, as_json, entry_content
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.models import CatalogueState, FeatureFlag, PlanBilling, PlanVersion
from payflux.frontdoor.catalogue.publishing import differences, different_words, publish, seed_catalogue
from payflux.frontdoor.catalogue.queries import every_plan, plan_content, plan_versions, sold_plan, sold_plans
from payflux.kit.errors import InvalidInput, NotFound
from payflux.world.bootstrap import World
from tests.unit.catalogue.test_content import CONTENTS

CATALOGUE = read_catalogue()
PRO = entry_content(CATALOGUE, "pro")
DEARER = msgspec.structs.replace(PRO, monthly_price_cents=59_900)


async def as_staff(session: AsyncSession, world: World, plan: str, content: PlanContent) -> int:
    return await publish(session, plan=plan, content=content, source="staff", now=world.clock.now(), published_by="Sam")


async def everything_published(world: World) -> dict[tuple[str, int], str]:
    """Each version's row as the bytes that are stored."""
    async with world.database.system() as session:
        rows = await session.execute(text("SELECT plan, version, plan_versions::text FROM plan_versions"))
        return {(plan, version): stored for plan, version, stored in rows}


async def state(world: World) -> int:
    async with world.database.system() as session:
        return (await session.execute(select(CatalogueState.version))).scalar_one()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.sampled_from(["free", "pro", "gold"]), CONTENTS), min_size=1, max_size=6))
async def test_no_sequence_of_publications_changes_a_published_version(
    world: World, edits: list[tuple[str, PlanContent]]
) -> None:
    for plan, content in edits:
        before, known = await everything_published(world), await state(world)
        async with world.database.system() as session:
            version = await as_staff(session, world, plan, content)
        after = await everything_published(world)
        assert {key: after[key] for key in before} == before
        added = after.keys() - before.keys()
        assert added in (set(), {(plan, version)})
        assert await state(world) == known + len(added), "whoever follows the plan has to hear of it"
        async with world.database.system() as session:
            sold = await sold_plan(session, plan)
            assert (sold.version, sold.content) == (version, content)
            assert await plan_content(session, plan, version) == content
            assert [each.version for each in await plan_versions(session, plan)] == list(range(version, 0, -1))


async def test_the_database_itself_refuses_to_change_or_remove_a_version(world: World) -> None:
    for statement in ("UPDATE plan_versions SET content = '{}'", "DELETE FROM plan_versions"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with world.database.system() as session:
                await session.execute(text(statement))


async def test_seeding_again_changes_nothing_and_what_the_staff_published_survives_it(world: World) -> None:
    before, known = await everything_published(world), await state(world)
    async with world.database.system() as session:
        assert await seed_catalogue(session, now=world.clock.now()) == len(CATALOGUE.plans)
    assert (await everything_published(world), await state(world)) == (before, known)
    async with world.database.system() as session:
        assert await as_staff(session, world, "pro", DEARER) == 2
        await session.execute(text("UPDATE feature_flags SET description = 'Ours' WHERE key = 'sso'"))
    async with world.database.system() as session:
        await seed_catalogue(session, now=world.clock.now())
    async with world.database.system() as session:
        assert (await sold_plan(session, "pro")).content == DEARER
        assert [each.field for each in (await differences(session, CATALOGUE))["pro"]] == ["monthly_price_cents"]
        assert [(each.field, each.before) for each in await different_words(session, CATALOGUE)] == [("sso", "Ours")]


async def test_seeding_to_replace_brings_the_file_back_as_a_new_version(world: World) -> None:
    async with world.database.system() as session:
        await as_staff(session, world, "pro", DEARER)
        await session.execute(text("UPDATE feature_flags SET description = 'Ours' WHERE key = 'sso'"))
        await seed_catalogue(session, now=world.clock.now(), replace=True)
        sold = await sold_plan(session, "pro")
        assert (sold.version, sold.content) == (3, PRO)
        assert await differences(session, CATALOGUE) == {}
        assert await different_words(session, CATALOGUE) == []
        assert [each.source for each in await plan_versions(session, "pro")] == ["catalogue", "staff", "catalogue"]


async def test_a_new_entry_of_the_file_takes_a_plan_over_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = msgspec.structs.replace(CATALOGUE.plans["pro"], description="Another sentence.")
    renewed = msgspec.structs.replace(CATALOGUE, plans=CATALOGUE.plans | {"pro": release})
    monkeypatch.setattr("payflux.frontdoor.catalogue.publishing.read_catalogue", lambda: renewed)
    async with world.database.system() as session:
        await as_staff(session, world, "pro", DEARER)
        await seed_catalogue(session, now=world.clock.now())
        assert (await sold_plan(session, "pro")).content == entry_content(renewed, "pro")
        await seed_catalogue(session, now=world.clock.now())
        assert (await sold_plan(session, "pro")).version == 3


async def test_publishing_what_is_sold_already_is_no_new_version_and_a_wrong_content_is_none(world: World) -> None:
    async with world.database.system() as session:
        assert await as_staff(session, world, "pro", PRO) == 1
    with pytest.raises(InvalidInput) as refused:
        async with world.database.system() as session:
            await as_staff(session, world, "pro", msgspec.structs.replace(PRO, features=frozenset({"teleport"})))
    assert list(refused.value.fields) == ["features"]
    assert len(await everything_published(world)) == len(CATALOGUE.plans)


async def test_the_prices_at_stripe_are_those_of_a_version(world: World) -> None:
    async with world.database.system() as session:
        billing = await session.get_one(PlanBilling, "pro")
        billing.stripe_product_id, billing.stripe_monthly_price_id = "prod_1", "price_1"
        await session.flush()
        assert (await sold_plan(session, "pro")).stripe_monthly_price_id == "price_1"
        await as_staff(session, world, "pro", DEARER)
        sold = await sold_plan(session, "pro")
        assert (sold.stripe_product_id, sold.stripe_monthly_price_id) == ("prod_1", None)


async def test_strangers_are_shown_public_plans_in_order_and_none_that_is_hidden_or_archived(world: World) -> None:
    async with world.database.system() as session:
        assert [each.plan for each in await sold_plans(session)] == ["free", "starter", "pro", "enterprise"]
        for plan, change in (("free", {"is_public": False}), ("starter", {"is_archived": True})):
            content = msgspec.structs.replace(entry_content(CATALOGUE, plan), **change)
            await as_staff(session, world, plan, content)
        await as_staff(session, world, "enterprise", msgspec.structs.replace(PRO, sort_order=-1))
        assert [each.plan for each in await sold_plans(session)] == ["enterprise", "pro"]
        assert [each.plan for each in await every_plan(session)] == ["enterprise", "free", "starter", "pro"]


async def test_what_is_sold_is_what_the_newest_version_says(world: World) -> None:
    async with world.database.system() as session:
        newest = {each.plan: each for each in (await session.execute(select(PlanVersion))).scalars()}
        assert {each.plan: json.dumps(as_json(each.content), sort_keys=True) for each in await every_plan(session)} == {
            plan: json.dumps(version.content, sort_keys=True) for plan, version in newest.items()
        }
        flags = {flag.key: flag.description for flag in (await session.execute(select(FeatureFlag))).scalars()}
        assert flags == CATALOGUE.features
        for plan, version in (("gold", None), ("pro", 9)):
            with pytest.raises(NotFound):
                await plan_content(session, plan, version)
