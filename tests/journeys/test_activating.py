"""From connecting to the dashboard in a browser: every kind of merchant, and one whose way is long and breaks off."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import asyncpg
import httpx
from playwright.sync_api import Page, expect

from payflux.activation.routing import SLOW_AFTER
from payflux.cli.databases import DATABASE
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from tests.journeys.test_confirming_by_mail import mailed
from tests.journeys.test_first_readout import connect, register, serious_problems
from tests.running import Running

PATIENCE = 60_000  # milliseconds; a few seconds on a calm machine
TIERS = {
    "dispute-spike": "4",
    "card-testing": "[345]",
    "reserve-in-force": "[345]",
    "reserve-legacy": "[345]",
    "gbp-shop": "[123]",
}
"""The tier that each comes to. The other kinds of merchant walk the same way in :mod:`.test_first_readout`."""


def connected_earlier(product: Running, email: str, by: timedelta) -> None:
    """As if the user with this address had connected `by` earlier."""
    server = EmbeddedPostgres(product.data_dir / "postgres", find_binaries(None))

    async def move() -> None:
        superuser = await asyncpg.connect(server.url(database=DATABASE))
        await superuser.execute(
            "UPDATE workspaces SET connected_at = connected_at - $2::interval FROM memberships, users "
            "WHERE memberships.account_id = workspaces.account_id AND users.id = user_id AND users.email = $1",
            email,
            by,
        )
        await superuser.close()

    with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs in this thread
        elsewhere.submit(asyncio.run, move()).result()


def test_each_kind_of_merchant_comes_from_connecting_to_a_dashboard_that_says_where_it_stands(
    page: Page, product: Running
) -> None:
    browser = page.context.browser
    assert browser is not None
    pages: dict[str, Page] = {}
    for merchant in TIERS:
        pages[merchant] = browser.new_context(base_url=product.url).new_page()
        register(pages[merchant], "alice")
        connect(pages[merchant], merchant)
        expect(pages[merchant]).to_have_url(re.compile("/activate/arming$"))
    for merchant, shown in pages.items():
        shown.get_by_role("link", name="Enter your workspace").click(timeout=PATIENCE)
        expect(shown).to_have_url(re.compile("/dashboard$"))
        expect(shown.get_by_text(re.compile(r"payment events from your Stripe account over the last"))).to_be_visible()
        expect(shown.locator(".band__name")).to_have_text(re.compile(f"Tier {TIERS[merchant]} of 5"))
        for path in ("/alerts", "/projections", "/settings", "/connection"):
            assert shown.request.get(path, max_redirects=0).ok, (merchant, path)
        shown.context.close()


def test_a_long_pull_says_so_and_a_connection_that_stripe_ends_leads_back_to_live(page: Page, product: Running) -> None:
    email = register(page, "alice")
    account = ARCHETYPES["reserve-legacy"].account_id
    faults = f"{product.sandbox_url}/sandbox/faults"
    slow = httpx.post(faults, json={"kind": "latency", "account": account, "milliseconds": 3000})
    connect(page, "reserve-legacy")
    expect(page.get_by_text("This usually takes under a minute")).to_be_visible(timeout=PATIENCE)
    connected_earlier(product, email, SLOW_AFTER)
    expect(page.get_by_text("Taking longer than expected.")).to_be_visible(timeout=PATIENCE)
    assert serious_problems(page) == []
    page.get_by_role("link", name="See what is there so far").click()
    expect(page.get_by_role("heading", name="Your dashboard is filling up")).to_be_visible()
    httpx.delete(f"{faults}/{slow.json()['id']}").raise_for_status()
    page.get_by_role("link", name="Watch it arm").click()
    page.get_by_role("link", name="Enter your workspace").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()

    httpx.post(f"{product.sandbox_url}/sandbox/accounts/{account}/fire/deauthorize").raise_for_status()
    # nobody loads the page again: it does so by itself
    expect(page.get_by_role("alert")).to_contain_text("disconnected", timeout=PATIENCE)
    assert serious_problems(page) == []
    assert mailed(product, email, r"(no longer lets PayFlux read)")
    page.get_by_role("link", name="Connect Stripe").first.click()
    connect(page, "reserve-legacy")
    page.get_by_role("link", name="Enter your workspace").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
