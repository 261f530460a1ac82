"""The console's JSON for what is sold: every save is previewed, versioned, logged and felt by whoever follows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.moving import move_to_version
from payflux.frontdoor.catalogue.models import PlanVersion
from payflux.frontdoor.catalogue.queries import sold_plan
from payflux.frontdoor.catalogue.versions import read_versions
from payflux.frontdoor.entitlements.explaining import explain
from payflux.frontdoor.staff.selling.record import catalogue_changes
from payflux.kit.audit import AuditEntry
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.staff.conftest import SAM, Desk, staff_entries

LIMITS, FLAGS = "/admin/plan-limits", "/admin/feature-flags"
REASON = "Agreed with the owner by mail, ticket 4711"


async def sent(desk: Desk, method: str, path: str, body: object = None, *, code: str = "") -> httpx.Response:
    headers = {"X-CSRF-Token": await desk.browser.token(), "X-Staff-Code": code, **MACHINE}
    return await desk.browser.http.request(method, path, json=body, headers=headers)


async def bought(world: World, account_id: UUID, version: int | None = 1, **values: object) -> None:
    async with world.database.system() as session:
        row = update(Subscription).where(Subscription.account_id == account_id)
        await session.execute(row.values(plan="pro", plan_version=version, status="active", **values))


async def versions(world: World) -> int:
    async with world.database.system() as session:
        return (await session.execute(select(func.count()).select_from(PlanVersion))).scalar_one()


async def value_of(world: World, account_id: UUID, key: str) -> object:
    async with world.database.tenant(account_id) as session:
        return (await explain(session, account_id=account_id, key=key, now=world.clock.now())).value


async def test_the_plans_are_listed_with_limits_words_prices_and_ids_in_one_answer(sam: Desk) -> None:
    rows = {row["plan"]: row for row in (await sam.browser.get(LIMITS, **MACHINE)).json()}
    assert list(rows) == ["free", "starter", "pro", "enterprise"]
    assert rows["pro"]["content"]["limits"]["seats"] == 10
    assert (rows["pro"]["content"]["monthly_price_cents"], rows["pro"]["version"]) == (49_900, 1)
    assert rows["pro"]["stripe_product_id"] is None


async def test_a_preview_names_who_follows_and_who_keeps_what_they_bought_and_writes_nothing(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    edit = {"plan": "pro", "version": 1, "limits": {"seats": 5}, "monthly_price_cents": 59_900}
    before = await versions(selling)
    seen = (await sent(sam, "PUT", f"{LIMITS}?preview=true", edit)).json()
    assert {(each["field"], each["before"], each["after"]) for each in seen["differences"]} == {
        ("limits.seats", 10, 5),
        ("monthly_price_cents", 49_900, 59_900),
    }
    assert (seen["affected"]["following"], seen["affected"]["bought"]) == (1, 0)
    (follower,) = seen["affected"]["followers"]
    assert (follower["account_id"], follower["status"], follower["members"]) == (str(account_id), "trialing", 1)
    await bought(selling, account_id)
    seen = (await sent(sam, "PUT", f"{LIMITS}?preview=true", edit)).json()
    assert (seen["affected"]["following"], seen["affected"]["buyers"][0]["version"]) == (0, 1)
    assert await versions(selling) == before
    async with selling.database.system() as session:
        assert await catalogue_changes(session) == []


async def test_a_save_is_one_new_version_under_the_name_of_whoever_saved_it_and_can_be_bought_at_once(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    edit = {"plan": "pro", "version": 1, "limits": {"scans_per_month": None}, "monthly_price_cents": 59_900}
    saved = await sent(sam, "PUT", LIMITS, edit, code=sam.code())
    assert (saved.status_code, saved.json()["version"], saved.json()["not_at_stripe"]) == (200, 2, "")
    async with selling.database.system() as session:
        sold = await sold_plan(session, "pro")
        assert (sold.content.limits["scans_per_month"], sold.content.monthly_price_cents) == (None, 59_900)
        assert sold.content.limits["seats"] == 10, "what is not sent stays"
        assert sold.stripe_monthly_price_id
        published = await session.get_one(PlanVersion, ("pro", 2))
        assert (published.source, published.published_by) == ("staff", f"Sam <{SAM}>")
        (change,) = await catalogue_changes(session)
        assert (change.action, change.subject, change.author) == ("plan_published", "pro", f"Sam <{SAM}>")
        assert change.after == {"version": 2, "limits.scans_per_month": None, "monthly_price_cents": 59_900}
    assert await value_of(selling, account_id, "scans_per_month") is None, "the trial follows what is sold now"


async def test_who_bought_a_version_keeps_it_and_who_follows_hears_of_the_new_one_at_once(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    await bought(selling, account_id)
    async with selling.database.tenant(account_id) as session:
        before = await read_versions(session, account_id=account_id)
    default = {"plan": "pro", "version": 1, "feature": "benchmarks", "enabled": False}
    assert (await sent(sam, "PUT", f"{FLAGS}/plan-defaults", default, code=sam.code())).json()["version"] == 2
    assert await value_of(selling, account_id, "benchmarks") is True
    await bought(selling, account_id, None)
    assert await value_of(selling, account_id, "benchmarks") is False
    async with selling.database.tenant(account_id) as session:
        assert (await read_versions(session, account_id=account_id)).catalogue == before.catalogue + 1


async def test_buyers_are_moved_by_a_save_only_where_it_says_so(sam: Desk, selling: World, account_id: UUID) -> None:
    await bought(selling, account_id)
    edit = {"plan": "pro", "version": 1, "limits": {"seats": 5}}
    assert "moved" not in (await sent(sam, "PUT", LIMITS, edit, code=sam.code())).json()
    edit = {"plan": "pro", "version": 2, "limits": {"seats": 4}, "move_buyers": True}
    assert (await sent(sam, "PUT", LIMITS, edit, code=sam.code())).json()["moved"] == 1
    (entry,) = await staff_entries(selling, account_id)
    assert entry.action == "staff.plan_version_moved"
    assert await value_of(selling, account_id, "seats") == 10, "until the worker has moved them"
    await move_to_version(selling, {"account_id": str(account_id), "version": "3"})
    assert await value_of(selling, account_id, "seats") == 4


async def test_an_edit_of_what_is_no_longer_sold_is_refused(sam: Desk, selling: World) -> None:
    edit = {"plan": "pro", "version": 1, "sort_order": 7}
    assert (await sent(sam, "PUT", LIMITS, edit, code=sam.code())).status_code == 200
    late = await sent(sam, "PUT", LIMITS, edit | {"sort_order": 8}, code=sam.code())
    assert (late.status_code, "Version 2" in late.json()["detail"]) == (409, True)
    same = await sent(sam, "PUT", LIMITS, edit | {"version": 2}, code=sam.code())
    assert same.json()["version"] == 2, "nothing differs, so nothing is published"


@pytest.mark.parametrize(
    ("edit", "status", "field"),
    [
        ({"limits": {"seats": 0}}, 422, "limits.seats"),
        ({"limits": {"wishes": 3}}, 422, "limits.wishes"),
        ({"monthly_price_cents": 3}, 422, "monthly_price_cents"),
        ({"features": ["teleport"]}, 422, "features"),
        ({"surprise": 1}, 422, "surprise"),
        ({"plan": "gold"}, 404, None),
    ],
)
async def test_a_wrong_edit_names_its_field_and_changes_nothing(
    sam: Desk, selling: World, edit: dict[str, Any], status: int, field: str | None
) -> None:
    before = await versions(selling)
    answer = await sent(sam, "PUT", LIMITS, {"plan": "pro", "version": 1, **edit}, code=sam.code())
    assert answer.status_code == status
    assert [each["field"] for each in answer.json().get("errors", [])] == ([field] if field else [])
    assert await versions(selling) == before


async def test_what_everybody_is_sold_takes_a_fresh_code_and_the_token_of_our_forms(
    sam: Desk, alice: Browser, selling: World
) -> None:
    edit = {"plan": "pro", "version": 1, "sort_order": 7}
    assert (await sent(sam, "PUT", LIMITS, edit)).status_code == 422
    assert (await sent(sam, "PUT", LIMITS, edit, code=sam.totp.at(sam.clock.now()))).status_code == 422, "used"
    foreign = await sam.browser.http.put(LIMITS, json=edit, headers={"X-Staff-Code": sam.code(), **MACHINE})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "csrf")
    token = {"X-CSRF-Token": await alice.token(), **MACHINE}
    for method, path in (("GET", LIMITS), ("GET", FLAGS), ("PUT", LIMITS), ("POST", FLAGS)):
        refused = await alice.http.request(method, path, json=edit, headers=token)
        assert (refused.status_code, refused.json()["code"]) == (401, "staff_not_signed_in"), path
    async with selling.database.system() as session:
        assert (await sold_plan(session, "pro")).version == 1


async def test_when_stripe_does_not_answer_the_plan_is_published_and_the_answer_says_what_is_missing(
    sam: Desk, selling: World
) -> None:
    down = replace(with_settings(selling, stripe_api_base="http://127.0.0.1:9"))
    sam.browser.app.state.world = down
    saved = await sent(sam, "PUT", LIMITS, {"plan": "pro", "version": 1, "sort_order": 7}, code=sam.code())
    assert saved.json()["version"] == 2
    assert "nobody can buy them" in saved.json()["not_at_stripe"]


async def test_features_are_added_reworded_and_removed_unless_something_asks_for_them(
    sam: Desk, selling: World
) -> None:
    new = {"key": "priority_support", "description": "Answers within an hour"}
    assert (await sent(sam, "POST", FLAGS, new)).json() == {"key": "priority_support", "affected": {}}
    assert (await sent(sam, "POST", FLAGS, new)).status_code == 409
    assert (await sent(sam, "POST", FLAGS, new | {"key": "Priority support"})).status_code == 422
    assert (await sent(sam, "PUT", FLAGS, new | {"description": "Within a day"})).status_code == 200
    rows = {row["key"]: row for row in (await sam.browser.get(FLAGS, **MACHINE)).json()}
    assert rows["priority_support"] == new | {"description": "Within a day", "plans": []}
    assert rows["sso"]["plans"] == ["enterprise"]
    held = {"plan": "pro", "version": 1, "feature": "priority_support", "enabled": True}
    assert (await sent(sam, "PUT", f"{FLAGS}/plan-defaults", held, code=sam.code())).status_code == 200
    preview = (await sent(sam, "DELETE", f"{FLAGS}?key=priority_support&preview=true")).json()
    assert list(preview["affected"]) == ["pro"]
    assert (await sent(sam, "DELETE", f"{FLAGS}?key=priority_support")).status_code == 409, "a plan has it"
    without = held | {"version": 2, "enabled": False}
    assert (await sent(sam, "PUT", f"{FLAGS}/plan-defaults", without, code=sam.code())).status_code == 200
    assert (await sent(sam, "DELETE", f"{FLAGS}?key=priority_support")).status_code == 200
    assert (await sent(sam, "DELETE", f"{FLAGS}?key=sso")).status_code == 409, "a guard asks for it"
    assert (await sent(sam, "DELETE", f"{FLAGS}?key=priority_support")).status_code == 404
    async with selling.database.system() as session:
        actions = [change.action for change in await catalogue_changes(session)]
    assert sorted(set(actions)) == ["feature_added", "feature_removed", "feature_reworded", "plan_published"]


async def test_an_account_is_granted_a_limit_with_reason_author_and_expiry(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    path, expiry = f"{LIMITS}/account-overrides", selling.clock.now() + timedelta(days=30)
    override = {"account_id": str(account_id), "key": "seats", "value": 25, "reason": REASON}
    override |= {"expires_at": expiry.isoformat()}
    seen = (await sent(sam, "POST", f"{path}?preview=true", override)).json()
    assert (seen["before"], seen["after"], seen["account_name"]) == (10, 25, "Alice-shop")
    assert await value_of(selling, account_id, "seats") == 10
    granted = (await sent(sam, "POST", path, override)).json()
    assert (granted["reason"], granted["author"]) == (REASON, f"Sam <{SAM}>")
    assert await value_of(selling, account_id, "seats") == 25
    assert (await sent(sam, "PUT", path, override | {"value": None})).status_code == 200
    assert await value_of(selling, account_id, "seats") is None
    listed = (await sam.browser.get(f"{path}?account_id={account_id}", **MACHINE)).json()
    assert [(each["value"], each["revoked_at"] is None) for each in listed] == [(None, True), (25, False)]
    gone = f"{path}?account_id={account_id}&override_id={listed[0]['id']}"
    assert (await sent(sam, "DELETE", f"{gone}&preview=true")).json()[0]["revoked_at"] is None
    assert (await sent(sam, "DELETE", gone)).json()[0]["revoked_at"] is not None
    assert await value_of(selling, account_id, "seats") == 10
    assert (await sam.browser.get(f"{FLAGS}/account-overrides?account_id={account_id}", **MACHINE)).json() == []


async def test_an_account_is_granted_a_feature_and_a_wrong_grant_is_refused(
    sam: Desk, selling: World, account_id: UUID
) -> None:
    path = f"{FLAGS}/account-overrides"
    override: dict[str, Any] = {"account_id": str(account_id), "key": "sso", "value": True, "reason": REASON}
    for wrong in ({"key": "seats"}, {"value": 3}, {"value": None}, {"reason": "so"}, {"expires_at": "2026-01-01"}):
        assert (await sent(sam, "POST", path, override | wrong)).status_code == 422, wrong
    for unknown in ({"key": "teleport"}, {"account_id": "00000000-0000-0000-0000-000000000000"}):
        assert (await sent(sam, "POST", path, override | unknown)).status_code == 404, unknown
    assert await value_of(selling, account_id, "sso") is False
    assert (await sent(sam, "POST", path, override)).status_code == 200
    assert await value_of(selling, account_id, "sso") is True
    async with selling.database.system() as session:
        query = select(AuditEntry).where(AuditEntry.action == "entitlement.override_set")
        (entry,) = (await session.execute(query)).scalars()
    assert entry.after is not None
    assert (entry.account_id, entry.after["reason"], entry.after["author"]) == (account_id, REASON, f"Sam <{SAM}>")
