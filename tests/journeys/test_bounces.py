"""Mail to Alice comes back: the mailbox reports it, and her page says so."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.test_confirming_by_mail import mailed
from tests.journeys.test_first_readout import PASSWORD, new_address, send, serious_problems
from tests.running import Running


def test_alice_is_told_that_mail_to_her_comes_back_and_corrects_her_address(page: Page, product: Running) -> None:
    send(page, "/register", name="Alice", email=new_address("bounce"), password=PASSWORD)
    send(page, "/welcome/step-1", action="skip_rest")
    told = page.get_by_text("Mail to bounce@")
    for _ in range(100):
        page.goto("/settings")
        if told.count():
            break
        page.wait_for_timeout(200)
    expect(told).to_contain_text("came back")
    assert serious_problems(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Change the address").click()
    expect(page.get_by_text("Look for a typing error in the address")).to_be_visible()
    assert serious_problems(page) == []
    email = new_address("alice")
    page.get_by_label("Your address").fill(email)
    page.get_by_role("button", name="Send the mail there").click()
    page.get_by_label("Code").fill(mailed(product, email, r"\b(\d{6})\b"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/activate$"))
    page.goto("/settings")
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    expect(told).to_have_count(0)
