"""The check before anything is paid: the tests of an activation in words, and nothing kept."""

from __future__ import annotations

import re

import asyncpg
import pytest

from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, prove_address


async def asking(world: World) -> Browser:
    browser = Browser(create_app(world))
    await browser.register("Alice", ALICE)
    await prove_address(world, ALICE)
    return browser


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    ("merchant", "title", "words"),
    [
        ("healthy", "Your account is ready.", "payments in the last 90 days."),
        ("low_activity", "Not ready yet.", "25 are needed before a rate means anything."),
        ("not_ready", "Not ready yet.", "Stripe asks for:"),
        ("healthy_no_disputes", "Your account is ready.", "Goes without. The key may not read it."),
    ],
)
async def test_the_check_says_what_an_activation_would_find_and_stores_nothing(
    live_world: World, stored: asyncpg.Connection, merchant: str, title: str, words: str
) -> None:
    alice = await asking(live_world)
    page = text_of((await alice.post("/readiness", {"key": f"rk_test_sandbox_{merchant}"})).text)
    assert title in page
    assert words in page
    assert await stored.fetchval("SELECT count(*) FROM processor_connections") == 0


async def test_a_key_that_can_move_money_is_refused_with_the_reason(live_world: World) -> None:
    alice = await asking(live_world)
    answer = await alice.post("/readiness", {"key": "sk_test_sandbox_healthy"})
    assert answer.status_code == 422
    assert "it can move money" in answer.text
    assert "sk_test_sandbox_healthy" not in answer.text


async def test_an_account_that_checks_again_and_again_has_to_wait(live_world: World) -> None:
    alice = await asking(live_world)
    answers = [(await alice.post("/readiness", {"key": "none"})).status_code for _ in range(12)]
    assert answers[:10] == [422] * 10
    assert answers[-1] == 429


async def test_where_stripe_is_down_the_page_says_so(live_world: World) -> None:
    alice = await asking(with_settings(live_world, stripe_api_base="http://127.0.0.1:9"))
    answer = await alice.post("/readiness", {"key": "rk_test_sandbox_healthy"})
    assert answer.status_code == 422
    assert "Stripe does not answer." in answer.text
