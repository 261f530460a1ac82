"""A member installs the Stripe App, uninstalls it at Stripe, and reads about it in the mailbox."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Page, expect

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from tests.journeys.test_first_readout import register
from tests.running import Running


def test_alice_installs_the_app_sees_her_projection_and_is_mailed_when_it_ends(page: Page, product: Running) -> None:
    email = register(page, "alice")
    page.locator("summary", has_text="Install the Stripe App instead").click()
    page.get_by_role("button", name="Install the Stripe App").click()
    expect(page.get_by_text("It is a Stripe App")).to_be_visible()
    page.locator("input[value='healthy']").check()
    page.get_by_role("button", name="Connect my Stripe account").click()
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()

    account = ARCHETYPES["healthy"].account_id
    httpx.post(f"{product.sandbox_url}/sandbox/accounts/{account}/fire/app_uninstalled").raise_for_status()
    page.goto("/connection")
    again = page.get_by_role("button", name="Check again")
    ended = page.get_by_role("link", name="Connect Stripe")
    expect(again.or_(ended).first).to_be_visible()
    if again.count():  # a worker that reads on may have met the end first
        again.click()
    expect(ended).to_be_visible()

    mails = page.context.new_page()
    for _ in range(40):
        mails.goto(f"{product.sandbox_url}/mailbox?to={email}")
        if mails.locator(".mails a").count():
            break
        mails.wait_for_timeout(500)
    mails.locator(".mails a").first.click()
    expect(mails.get_by_role("heading", level=1)).to_have_text("Stripe is no longer connected")
    with mails.expect_popup() as opened:
        mails.frame_locator("iframe").get_by_role("link").first.click()
    expect(opened.value).to_have_url(re.compile(f"^{product.url}/"))
