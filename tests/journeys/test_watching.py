"""A live workspace shows what happens at the processor without anybody asking."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

from tests.journeys.test_first_readout import connect, register, serious_problems
from tests.running import Running

PATIENCE = 30.0  # seconds; about six on a calm machine, five of which wait for what else happens


def test_disputes_at_stripe_are_on_alices_page_within_seconds_by_themselves(page: Page, product: Running) -> None:
    register(page, "alice")
    connect(page, "healthy")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    (account,) = [
        each["id"]
        for each in httpx.get(f"{product.sandbox_url}/sandbox/accounts").json()["data"]
        if "healthy" in each.values()
    ]
    for _ in range(12):
        httpx.post(f"{product.sandbox_url}/sandbox/accounts/{account}/fire/dispute").raise_for_status()
    # nobody loads the page again: it does so by itself
    expect(page.get_by_text("because something happened in your account")).to_be_visible(timeout=PATIENCE * 1000)
    expect(page.get_by_role("status").filter(has_text="Updated")).to_be_visible()
    expect(page.locator(".plot__slider:visible")).to_have_count(1)
    assert serious_problems(page) == []
    page.get_by_role("link", name="All readings").click()
    expect(page.get_by_role("heading", name="Projections", exact=True)).to_be_visible()
    assert serious_problems(page) == []
