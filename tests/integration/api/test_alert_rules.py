"""Programs set what raises an alert, past what, and whom it tells."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.policies import MOST_CUSTOM
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.conftest import key_for, owner_of, raise_alerts
from tests.integration.api.test_public_api import read
from tests.integration.entitlements.conftest import give_feature
from tests.integration.watching.conftest import Shop, open_shop

OWN = {"name": "disputes near the limit", "metric": "dispute_activity", "comparison": "above", "threshold": 0.0075}


async def audited(world: World, shop: Shop) -> list[str]:
    query = text("SELECT action FROM audit_entries WHERE action LIKE 'alert_rule.%' ORDER BY at, id")
    async with world.database.tenant(shop.account_id) as session:
        return list((await session.execute(query)).scalars())


def wrong_fields(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {each["field"] for each in answer.json()["errors"]}


async def test_a_rule_of_ones_own_is_added_once_changed_and_removed(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    watched = (await read(program, "/alert-rules/metrics"))["data"]
    assert {each["key"]: each["unit"] for each in watched} == {key: each.unit for key, each in METRICS.items()}
    before = (await read(program, "/alert-rules"))["data"]
    assert [each["trigger"] for each in before] == [
        "tier_escalation",
        "reserve_spike",
        "trend_degradation",
        "projection_breach",
    ]
    assert [(each["threshold"], each["unit"]) for each in before[1:3]] == [(0.25, "rate"), (None, None)]
    sink = (await program.post("/sinks", json={"name": "desk", "url": "http://127.0.0.1:9/"})).json()["id"]
    who = await owner_of(world, shop)
    asked = OWN | {"told_to": [str(who.user_id)], "posted_to": [sink], "by_mail": False}
    added, again = [
        await program.post("/alert-rules", json=asked, headers={"Idempotency-Key": "rule"}) for _ in range(2)
    ]
    assert (added.status_code, again.json()) == (201, added.json())
    rule = added.json()
    assert rule["asks"] == "Dispute activity is above 0.75 %."
    assert {name: rule[name] for name in asked} == asked
    path = f"/alert-rules/{rule['id']}"
    shown = await program.get(path)
    assert shown.json() == rule == (await read(program, "/alert-rules"))["data"][-1]
    changed = await program.patch(
        path, json={"threshold": 0.009, "posted_to": None}, headers={"If-Match": shown.headers["ETag"]}
    )
    assert changed.json() == rule | {
        "threshold": 0.009,
        "posted_to": None,
        "asks": "Dispute activity is above 0.90 %.",
    }
    assert changed.headers["ETag"] == (await program.get(path)).headers["ETag"]
    late = await program.patch(path, json={"armed": False}, headers={"If-Match": shown.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert (await read(program, path))["armed"]
    disarmed = await program.patch(path, json={"armed": False}, headers={"If-Match": '"other", *'})
    assert (disarmed.json()["armed"], disarmed.json()["threshold"]) == (False, 0.009)
    removed = [(await program.delete(each)).status_code for each in (path, path, f"/alert-rules/{before[0]['id']}")]
    assert removed == [204, 404, 409]
    assert await audited(world, shop) == [f"alert_rule.{each}" for each in ("added", "changed", "changed", "removed")]


async def test_what_is_wrong_with_a_rule_is_told_by_its_field(
    program: httpx.AsyncClient, world: World, shop: Shop, clock: MovedClock
) -> None:
    charlie = await owner_of(world, await open_shop(world, clock, "charlie"))
    wrong = OWN | {"name": " \n", "told_to": [str(charlie.user_id)], "posted_to": [str(uuid4())]}
    assert wrong_fields(await program.post("/alert-rules", json=wrong)) == {"told_to", "posted_to"}
    assert wrong_fields(await program.post("/alert-rules", json=OWN | {"name": " \n"})) == {"name"}
    unknown = OWN | {"metric": "weather", "comparison": "beside", "threshold": 1e13, "window": 7}
    assert wrong_fields(await program.post("/alert-rules", json=unknown)) == {
        "metric",
        "comparison",
        "threshold",
        "window",
    }
    tier, spike, trend, _ = (await read(program, "/alert-rules"))["data"]
    assert wrong_fields(await program.patch(f"/alert-rules/{tier['id']}", json={"threshold": 9})) == {"threshold"}
    assert wrong_fields(await program.patch(f"/alert-rules/{trend['id']}", json={"threshold": 1})) == {"threshold"}
    assert wrong_fields(await program.patch(f"/alert-rules/{spike['id']}", json={"told_to": []})) == {"told_to"}
    for number in range(MOST_CUSTOM):
        assert (await program.post("/alert-rules", json=OWN | {"name": f"rule {number}"})).status_code == 201
    assert (await program.post("/alert-rules", json=OWN)).json()["code"] == "too_many_rules"


async def test_a_test_goes_to_each_channel_that_the_rule_posts_to(
    program: httpx.AsyncClient, clock: MovedClock
) -> None:
    spike = (await read(program, "/alert-rules"))["data"][1]["id"]
    assert (await program.post(f"/alert-rules/{spike}/test")).json()["code"] == "nothing_to_test"
    desk, other = [
        (await program.post("/sinks", json={"name": name, "url": "http://127.0.0.1:9/"})).json()["id"]
        for name in ("desk", "other")
    ]
    sent = (await program.post(f"/alert-rules/{spike}/test")).json()["data"]
    assert {each["channel_id"] for each in sent} == {desk, other}
    assert (await program.post(f"/alert-rules/{spike}/test")).json()["code"] == "just_tested"
    clock.move(timedelta(minutes=1))
    await program.patch(f"/alert-rules/{spike}", json={"posted_to": [other]})
    [again] = (await program.post(f"/alert-rules/{spike}/test")).json()["data"]
    assert again["channel_id"] == other
    assert [each["id"] for each in (await read(program, f"/sinks/{other}/deliveries"))["data"]] == [
        again["delivery_id"],
        *[each["delivery_id"] for each in sent if each["channel_id"] == other],
    ]


async def test_rules_are_kept_from_keys_plans_and_accounts_that_may_not(
    program: httpx.AsyncClient, app: FastAPI, world: World, shop: Shop, clock: MovedClock
) -> None:
    spike = (await read(program, "/alert-rules"))["data"][1]["id"]
    handles = {"Authorization": f"Bearer {await key_for(world, shop, 'alerts:read', 'alerts:write')}"}
    refused = await program.patch(f"/alert-rules/{spike}", json={"armed": False}, headers=handles)
    assert (refused.status_code, refused.json()["rule"]) == (403, "alert-rules:write")
    assert (await program.get("/alert-rules", headers=handles)).status_code == 200
    [alert, *_] = await raise_alerts(world, shop)
    assert (await program.post(f"/alerts/{alert}/acknowledge", headers=handles)).status_code == 200
    other = {"Authorization": f"Bearer {await key_for(world, await open_shop(world, clock, 'charlie'))}"}
    for call in (
        program.get(f"/alert-rules/{spike}", headers=other),
        program.patch(f"/alert-rules/{spike}", json={"armed": False}, headers=other),
        program.delete(f"/alert-rules/{spike}", headers=other),
        program.post(f"/alert-rules/{spike}/test", headers=other),
    ):
        assert (await call).status_code == 404
    who = await owner_of(world, shop)
    await give_feature(world, who, "alert_routing", enabled=False)
    await give_feature(world, who, "custom_alert_policies", enabled=False)
    refused = await program.post("/alert-rules", json=OWN)
    assert (refused.status_code, refused.json()["feature"]) == (402, "custom_alert_policies")
    refused = await program.patch(f"/alert-rules/{spike}", json={"posted_to": []})
    assert (refused.status_code, refused.json()["feature"]) == (402, "alert_routing")
    assert (await program.patch(f"/alert-rules/{spike}", json={"threshold": 0.5})).json()["threshold"] == 0.5
