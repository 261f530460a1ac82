"""A stranger scans a website, registers, and the scan is on the dashboard."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_first_readout import PASSWORD, new_address, serious_problems
from tests.running import Running

GAPS = "gadget-corner.localhost"


def scan(page: Page, website: str) -> None:
    page.goto("/scan")
    page.get_by_label("Website", exact=True).fill(website)
    page.get_by_role("button", name="Scan it").click()
    expect(page.get_by_role("heading", name="What sets the band")).to_be_visible(timeout=30_000)


def test_a_scan_is_on_the_dashboard_of_whoever_registers_from_it(page: Page) -> None:
    page.goto("/scan")
    page.get_by_role("button", name="Scan it").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the address of a website")
    scan(page, GAPS)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("High"))
    expect(page.get_by_text("There is a form, and no e-mail address").last).to_be_visible()
    assert serious_problems(page) == []
    found = page.url
    page.get_by_role("link", name="Save this: create your account").click()
    page.get_by_label("Full name").fill("Alice")
    page.get_by_label("Work e-mail").fill(new_address("alice"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="Go on, confirm later").click()
    page.goto("/dashboard/activate-prompt")
    expect(page.get_by_role("heading", name="Your website scan")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=GAPS)).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("link", name="See the findings").click()
    expect(page).to_have_url(found)
    expect(page.get_by_text("Your account keeps this scan.")).to_be_visible()
    page.get_by_role("button", name="Share this card").click()
    expect(page.get_by_role("img", name="The card as it is shared")).to_be_visible()


def test_a_scan_needs_no_script(browser: Browser, product: Running) -> None:
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/scan")
    page.get_by_label("Website", exact=True).fill("harbour-tea.localhost")
    page.get_by_role("button", name="Scan it").click()
    expect(page.get_by_role("heading", name="In order")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Low"))
    context.close()
