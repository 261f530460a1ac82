"""The welcome wizard as browsers and programs meet it."""

from __future__ import annotations

import json

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.frontdoor.catalogue.file import read_catalogue
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE

PROCESSORS = f"Choose one of {', '.join(read_catalogue().wizard.processors)}."
STEP_1 = {"name": "  Cedar &  Sons ", "team_size": "3-5", "role": "finance"}


async def to(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    return answer.headers.get("Location", str(answer.status_code))


async def answered(browser: Browser, step: int, action: str = "continue", **fields: str) -> str:
    answer = await browser.post(f"/welcome/step-{step}", {"action": action, **fields})
    return answer.headers.get("Location", str(answer.status_code))


async def kept(stored: asyncpg.Connection) -> tuple[object, ...]:
    user = await stored.fetchrow(
        "SELECT onboarding_step_completed, onboarding_dismissed, role_at_signup FROM users WHERE email = $1", ALICE
    )
    account = await stored.fetchrow("SELECT name, team_size_bucket, primary_processor FROM accounts")
    return (*user, *account)


async def events(stored: asyncpg.Connection) -> list[tuple[str, dict[str, object]]]:
    rows = await stored.fetch("SELECT name, properties FROM product_events WHERE name LIKE 'welcome%' ORDER BY id")
    return [(row["name"].removeprefix("welcome_wizard_"), json.loads(row["properties"])) for row in rows]


async def test_alice_answers_step_by_step_goes_back_and_loses_nothing(
    alice: Browser, stored: asyncpg.Connection
) -> None:
    assert await to(alice, "/start") == "/welcome"
    assert await to(alice, "/welcome") == "/welcome/step-1"
    assert await to(alice, "/welcome/step-2") == "/welcome", "nobody runs ahead"
    assert await answered(alice, 3) == "/welcome"
    first = await alice.get("/welcome/step-1")
    assert "1 of 3" in first.text
    assert 'value="Alice-shop"' in first.text, "the name is there already"

    assert await answered(alice, 1, "connect", name="Alice-shop") == "/welcome/step-2", (
        "there is nothing to connect yet"
    )
    assert await answered(alice, 1, **STEP_1) == "/welcome/step-2"
    assert await kept(stored) == (1, False, "finance", "Cedar & Sons", "3-5", None)
    assert await to(alice, "/start") == "/welcome"
    assert await to(alice, "/welcome") == "/welcome/step-2", "on another device it goes on here"

    again = (await alice.get("/welcome/step-1")).text
    assert 'value="Cedar &amp; Sons"' in again
    assert again.count(" checked") == 2
    assert await answered(alice, 1, "skip") == "/welcome/step-2"
    assert (await kept(stored))[2:5] == ("finance", "Cedar & Sons", "3-5")

    unanswered = await alice.post("/welcome/step-2", {"action": "continue"})
    assert unanswered.status_code == 422
    assert "Choose one, or skip this step." in unanswered.text
    assert 'name="language" value="de"' in unanswered.text
    await alice.post("/language", {"language": "de"})
    unanswered = await alice.post("/welcome/step-2", {"action": "continue"})
    assert "oder überspringen Sie diesen Schritt" in unanswered.text
    await alice.post("/language", {"language": "en"})
    assert await answered(alice, 2, processor="a-bank") == "422"
    assert await answered(alice, 2, processor="adyen") == "/welcome/step-3"
    assert await answered(alice, 3) == "/dashboard"
    assert await kept(stored) == (3, False, "finance", "Cedar & Sons", "3-5", "adyen")
    assert await to(alice, "/welcome") == "/start"
    assert await to(alice, "/start") == "/activate"
    assert await to(alice, "/welcome/step-1") == "/welcome", "who is done does not begin anew"
    assert await answered(alice, 1, name="Another") == "/welcome"
    assert [name for name, _ in await events(stored)] == [
        "step_completed", "step_completed", "skipped", "step_completed", "step_completed", "completed"
    ]  # fmt: skip


async def test_skipping_writes_nothing_and_skipping_the_rest_ends_it(
    alice: Browser, stored: asyncpg.Connection
) -> None:
    assert await answered(alice, 1, "skip", name="Not this", team_size="26+") == "/welcome/step-2"
    assert await kept(stored) == (1, False, None, "Alice-shop", None, None)
    assert await answered(alice, 2, "skip_rest", processor="stripe") == "/dashboard"
    assert await kept(stored) == (1, True, None, "Alice-shop", None, None)
    assert await to(alice, "/start") == "/activate"
    assert await events(stored) == [
        ("skipped", {"from_step": 1, "rest": False}),
        ("skipped", {"from_step": 2, "rest": True}),
    ]


@pytest.mark.parametrize(
    ("processor", "path"), [("stripe", "/activate"), ("adyen", "/sources?processor=Adyen"), ("none", "/activate")]
)
async def test_connect_now_keeps_the_choice_and_leads_out(
    alice: Browser, stored: asyncpg.Connection, processor: str, path: str
) -> None:
    await answered(alice, 1, "skip")
    assert await answered(alice, 2, "connect") == "422"
    assert await answered(alice, 2, "connect", processor=processor) == path
    assert (await kept(stored))[-1] == processor
    page = (await alice.get(path)).text
    assert processor != "adyen" or 'value="Adyen"' in page


async def test_wrong_answers_are_named_and_nothing_of_the_step_is_written(
    alice: Browser, stored: asyncpg.Connection
) -> None:
    before = await kept(stored)
    for fields in (
        {"name": " "},
        {"name": "x" * 300},
        {"name": "Cedar", "team_size": "many"},
        {"name": "C", "role": "cat"},
    ):
        answer = await alice.post("/welcome/step-1", {"action": "continue", **fields})
        assert answer.status_code == 422, fields
        assert 'role="alert"' in answer.text
    assert await answered(alice, 1, "dance") == "422"
    assert await kept(stored) == before


async def test_a_team_is_invited_from_fields_and_from_a_list_each_with_its_role(
    alice: Browser, stored: asyncpg.Connection, app: FastAPI
) -> None:
    for step in (1, 2):
        await answered(alice, step, "skip")
    page = (await alice.get("/welcome/step-3")).text
    assert page.count('name="email"') == 3
    token = await alice.token()
    form = {
        "csrf_token": token,
        "email": ["dora@alice-shop.example", "", "ALICE@alice-shop.example"],
        "email_role": ["admin", "analyst", "viewer"],
        "pasted": "Erin <erin@alice-shop.example>, dora@alice-shop.example; not-an-address",
        "pasted_role": "viewer",
    }
    more = await alice.http.post("/welcome/step-3", data=form | {"action": "more"})
    assert more.status_code == 200
    assert more.text.count('name="email"') == 6
    assert "Erin &lt;erin@alice-shop.example&gt;" in more.text, "what was typed stays"
    assert await stored.fetchval("SELECT count(*) FROM account_invites") == 0

    answer = await alice.http.post("/welcome/step-3", data=form | {"action": "continue"})
    assert answer.status_code == 422
    assert "is a member already" in answer.text
    assert 'value="not-an-address"' in answer.text
    assert "dora@alice-shop.example" in answer.text
    invited = await stored.fetch("SELECT email, role FROM account_invites ORDER BY email")
    assert [tuple(row) for row in invited] == [
        ("dora@alice-shop.example", "viewer"),  # the list names her too, and is read last
        ("erin@alice-shop.example", "viewer"),
    ]
    assert (await kept(stored))[0] == 2, "what is refused can be mended"
    assert await answered(alice, 3) == "/dashboard"


async def test_who_has_not_proven_their_address_is_led_there_and_invites_nobody(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    carol = Browser(app)
    await carol.register("Carol", "carol@carol-shop.example")
    for step in (1, 2):
        await answered(carol, step, "skip")
    page = (await carol.get("/welcome/step-3")).text
    assert "/verify-email?next=/welcome/step-3" in page
    assert 'name="email"' not in page
    refused = await carol.post("/welcome/step-3", {"email": "dora@x.example", "email_role": "viewer"})
    assert refused.status_code == 422
    assert await stored.fetchval("SELECT count(*) FROM account_invites") == 0
    assert await answered(carol, 3) == "/dashboard"


async def test_members_never_see_it_and_programs_answer_it(
    alice: Browser, bob: Browser, stored: asyncpg.Connection
) -> None:
    assert await to(bob, "/start") == "/activate"
    assert await to(bob, "/welcome") == "/start"
    assert await answered(bob, 1, name="Bob's") == "/welcome"
    headers = {"X-CSRF-Token": await alice.token(), "Accept": "application/json"}

    async def patch(**body: object) -> tuple[int, dict[str, object]]:
        answer = await alice.http.patch("/api/v1/users/me/onboarding-step", json=body, headers=headers)
        return answer.status_code, answer.json()

    code, reached = await patch(step=1, action="continue", name="Cedar", team_size="1-2", role="owner")
    assert (code, reached) == (200, {"step_completed": 1, "dismissed": False, "done": False, "next_step": 2})
    code, problem = await patch(step=3, action="continue")
    assert (code, problem["code"]) == (409, "wizard_step_not_open")
    code, problem = await patch(step=2, action="continue", processor="a-bank")
    assert (code, problem["errors"]) == (422, [{"field": "processor", "detail": PROCESSORS}])
    assert (await patch(step=2, action="skip_rest"))[1] == {
        "step_completed": 1, "dismissed": True, "done": True, "next_step": None
    }  # fmt: skip
    refused = await bob.http.patch(
        "/api/v1/users/me/onboarding-step",
        json={"step": 1, "action": "skip"},
        headers=headers | {"X-CSRF-Token": await bob.token()},
    )
    assert refused.status_code == 403
    changes = await stored.fetch(
        "SELECT action FROM audit_entries WHERE action IN ('account.renamed', 'account.described')"
    )
    assert {row["action"] for row in changes} == {"account.renamed", "account.described"}
