"""Alice watches two businesses from one account, in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.test_first_readout import connect, serious_problems
from tests.journeys.test_team import registered
from tests.running import Running

PATIENCE = 60_000  # milliseconds; a few seconds on a calm machine


def test_alice_opens_a_second_workspace_switches_to_it_connects_there_and_sees_both_added_up(
    page: Page, product: Running
) -> None:
    registered(page, product)
    connect(page, "default")
    expect(page.get_by_role("link", name="Enter your workspace")).to_be_visible(timeout=PATIENCE)
    page.goto("/workspaces")
    page.get_by_role("link", name="Make the second one").click()
    page.get_by_label("Name of the workspace").fill("Market")
    page.get_by_role("button", name="Make the workspace").click()
    expect(page.get_by_role("heading", name="Market", level=1)).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("button", name="Switch to Market").click()
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="Your workspace needs a processor connection.")).to_be_visible()
    page.goto("/activate")
    connect(page, "dispute-spike")
    expect(page.get_by_role("link", name="Enter your workspace")).to_be_visible(timeout=PATIENCE)
    page.goto("/workspaces")
    expect(page.get_by_role("heading", name=re.compile(r"could be trapped at T\+90, in USD"))).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="All in USD, 2 workspaces")).to_contain_text("$")
    assert serious_problems(page) == []
    page.locator("summary", has_text="Workspace: Market").click()
    page.get_by_role("button", name="Cd-shop").click()
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    expect(page.locator("summary", has_text="Workspace: Cd-shop")).to_be_visible()
