"""Seven days after she registered without proving her address, Alice meets the wall, and it is where she proves it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import asyncpg
from playwright.sync_api import Page, expect

from payflux.cli.databases import DATABASE
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from tests.journeys.test_confirming_by_mail import mailed, register
from tests.journeys.test_first_readout import serious_problems
from tests.running import Running


def registered_earlier(product: Running, email: str, by: timedelta) -> None:
    """As if the user with this address had registered `by` earlier than they did."""
    server = EmbeddedPostgres(product.data_dir / "postgres", find_binaries(None))

    async def move() -> None:
        superuser = await asyncpg.connect(server.url(database=DATABASE))
        await superuser.execute("UPDATE users SET created_at = created_at - $2::interval WHERE email = $1", email, by)
        await superuser.close()

    with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs in this thread
        elsewhere.submit(asyncio.run, move()).result()


def test_after_seven_days_alice_meets_the_wall_types_the_code_and_is_back_where_she_was_going(
    page: Page, product: Running
) -> None:
    email = register(page)
    code = mailed(product, email, r"\b(\d{6})\b")
    page.get_by_role("link", name="Go on, confirm later").click()
    banner = page.get_by_role("region", name="Confirm your address")
    expect(banner).to_contain_text(email)
    registered_earlier(product, email, timedelta(days=7))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/connection")
    expect(page).to_have_url(re.compile(r"/verify-email\?next=/connection$"))
    expect(page.get_by_role("heading", name="Confirm your address to go on")).to_be_visible()
    expect(page.get_by_text("Nothing of yours is lost")).to_be_visible()
    expect(page.get_by_role("link", name="Go on, confirm later")).to_have_count(0)
    assert serious_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.goto("/account/profile")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    refused = page.request.get("/activate/arming/state", headers={"Accept": "application/json"})
    assert (refused.status, refused.json()["error"]) == (403, "email_not_verified")
    page.goto("/connection")
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/connection$"))
    expect(banner).to_have_count(0)


def test_whoever_meets_the_wall_can_sign_out_there(page: Page, product: Running) -> None:
    email = register(page)
    registered_earlier(product, email, timedelta(days=8))
    page.goto("/dashboard")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/$"))
