"""What programs are told of a plan, and how they are refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.catalogue.versions import read_versions
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.entitlements.conftest import give_feature, give_limit, held_by, sell_without
from tests.integration.team.test_api import ME, Programs, programs

__all__ = ["programs"]

STATE = "/api/v1/billing/state"


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


async def explained(api: httpx.AsyncClient, key: str, **asked: str) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/entitlements/{key}/explain", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_state_of_a_trial_is_one_answer(programs: Programs, world: World, alice: SignedIn) -> None:
    state = (await (await programs.of(alice)).get(STATE)).json()
    ends = (world.clock.now() + timedelta(days=14)).isoformat().replace("+00:00", "Z")
    subscription = state["subscription"]
    assert subscription["current_period_end"] == ends
    assert {name: subscription[name] for name in ("status", "plan", "has_pro_entitlement", "is_paid", "is_locked")} == {
        "status": "trialing",
        "plan": "pro",
        "has_pro_entitlement": True,
        "is_paid": True,
        "is_locked": False,
    }
    assert (subscription["trial_days_left"], subscription["seat_limit"]) == (14, None)
    assert state["plan_billing"] == {
        "display_name": "Pro",
        "monthly_price_cents": 49900,
        "annual_price_cents": 499000,
    }
    assert state["plan_limits"]["seats"] == 10
    assert (state["enabled_features"]["audit_log"], state["enabled_features"]["sso"]) == (True, False)


async def test_behind_the_wall_the_state_and_the_reasons_are_still_told(
    programs: Programs, clock: MovedClock, alice: SignedIn
) -> None:
    clock.move(timedelta(days=14))
    api = await programs.of(alice)
    state = (await api.get(STATE)).json()
    assert state["subscription"]["is_locked"]
    assert not any(state["enabled_features"].values())
    told = await explained(api, "audit_log")
    assert told["value"] is False
    assert told["winner"] == dict.fromkeys(told["winner"]) | {"source": "subscription", "value": False}
    refused = await api.get(f"{ME}/members")
    body = refused.json()
    assert refused.status_code == 402
    assert (
        body.items()
        >= {
            "error": "subscription_inactive",
            "status": "trialing",
            "plan": "pro",
            "current_period_end": clock.now().isoformat(),
            "upgrade_url": "/account/billing/select-plan",
            "changed_by": ["admin", "owner"],
        }.items()
    )
    assert body["request_id"]


async def test_an_explanation_names_who_decides_who_lost_what_comes_and_what_would_help(
    programs: Programs, world: World, alice: SignedIn
) -> None:
    until = world.clock.now() + timedelta(days=3)
    await give_feature(world, alice, "sso", until=until)
    api = await programs.of(alice)
    told = await explained(api, "sso")
    assert (told["value"], told["unlock"]) == (True, None)
    assert told["winner"]["source"] == "override"
    assert told["winner"]["reason"] == "agreed with sales"
    assert [(each["source"], each["lost_because"]) for each in told["losers"]] == [
        ("plan", "outranked by the override"),
        ("default", "outranked by the override"),
    ]
    ends = until.isoformat().replace("+00:00", "Z")
    assert told["next_change"] == {"at": ends, "value": False}
    then = await explained(api, "sso", at=until.isoformat())
    assert (then["value"], then["next_change"]) == (False, None)
    assert then["unlock"] == {"plans": [], "sales": True}
    seats = await explained(api, "seats")
    assert (seats["value"], seats["unlock"]) == (10, {"plans": [], "sales": True})


async def test_what_cannot_be_explained_or_counted_is_not_found(programs: Programs, alice: SignedIn) -> None:
    api = await programs.of(alice)
    unknown = await api.get("/api/v1/entitlements/time_travel/explain")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_entitlement")
    assert (await api.get("/api/v1/usage/retention_days")).status_code == 404
    assert (await api.get("/api/v1/entitlements/sso/explain", params={"at": "2026-05-04T12:00:00"})).status_code == 422


async def test_a_program_needs_api_access_and_its_calls_are_counted(
    programs: Programs, world: World, alice: SignedIn
) -> None:
    await give_limit(world, alice, "api_calls_per_day", 2)
    api = await programs.of(alice)
    for _ in range(2):
        assert (await api.get(f"{ME}/members")).status_code == 200
    refused = await api.get(f"{ME}/members")
    assert (refused.status_code, refused.json()["error"]) == (402, "limit_reached")
    usage = (await api.get("/api/v1/usage/api_calls_per_day")).json()
    assert (usage["used"], usage["limit"], usage["left"]) == (2, 2, 0)
    await give_feature(world, alice, "api_access", enabled=False)
    missing = await api.get(f"{ME}/members")
    assert missing.status_code == 402
    assert (
        missing.json().items()
        >= {
            "error": "feature_not_in_plan",
            "feature": "api_access",
            "current_plan": "pro",
            "upgrade_url": "/account/billing/select-plan",
        }.items()
    )
    assert (await api.get(ME)).status_code == 200, "the account itself is told without API access"


async def test_nobody_is_refused_by_what_was_found_out_before(
    programs: Programs, world: World, alice: SignedIn
) -> None:
    await sell_without(world, "pro", "api_access")
    without = await held_by(world, alice)
    assert not without.features["api_access"]
    await give_feature(world, alice, "api_access")
    now = world.clock.now()
    async with world.database.tenant(alice.account_id) as session:
        version = (await read_versions(session, account_id=alice.account_id))[:2]
    world.account_cache.put(alice.account_id, without, version=version, good_from=now, good_until=without.good_until)
    assert (await held_by(world, alice)) is without, "what is kept is out of date"
    assert (await (await programs.of(alice)).get(f"{ME}/members")).status_code == 200


async def test_the_portal_stays_closed_to_who_never_paid(programs: Programs, alice: SignedIn) -> None:
    answer = await (await programs.of(alice)).get("/api/v1/billing/portal-session")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_customer")


async def test_nobody_is_invited_beyond_the_seats(programs: Programs, world: World, alice: SignedIn) -> None:
    await give_limit(world, alice, "seats", 1)
    api = await programs.of(alice)
    refused = await api.post(f"{ME}/invites", json={"email": "dora@shop.example", "role": "viewer"})
    assert refused.status_code == 402
    assert refused.json().items() >= {"error": "limit_reached", "limit_key": "seats", "limit": 1, "used": 1}.items()
    assert (await api.get("/api/v1/usage/seats")).json()["used"] == 1
