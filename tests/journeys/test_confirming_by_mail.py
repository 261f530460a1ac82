"""A registration that is confirmed by mail, and a forgotten password, in a real browser with real mails."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_first_readout import PASSWORD, new_address, pass_by_wizard, serious_problems
from tests.running import Running

NEW = "another lantern in the fog"


def mailed(product: Running, email: str, pattern: str) -> str:
    """What `pattern` finds in the newest mail to `email`, once it has come."""
    for _ in range(100):
        answer = httpx.get(f"{product.sandbox_url}/sandbox/mailbox/latest", params={"to": email})
        if answer.is_success and (found := re.search(pattern, answer.json()["text"])):
            return found[1]
        time.sleep(0.2)
    raise AssertionError(f"no such mail to {email}")


def register(page: Page) -> str:
    email = new_address("alice")
    page.goto("/register?plan=pro")
    page.get_by_label("Full name").fill("Alice")
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    return email


def test_alice_registers_types_the_code_and_is_in_the_product(page: Page, product: Running) -> None:
    email = register(page)
    assert serious_problems(page) == []
    expect(page.get_by_role("button", name="Send it again in")).to_be_disabled()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Code").fill(mailed(product, email, r"\b(\d{6})\b"))
    page.keyboard.press("Enter")
    pass_by_wizard(page)
    expect(page.get_by_text("Type the code")).to_have_count(0)


def test_alice_forgets_her_password_and_a_new_one_ends_her_other_session(
    page: Page, product: Running, browser: Browser, tmp_path: Path
) -> None:
    email = register(page)
    elsewhere = browser.new_context(base_url=product.url)
    phone = elsewhere.new_page()
    phone.set_viewport_size({"width": 360, "height": 740})
    phone.goto("/login")
    phone.get_by_role("link", name="Forgot your password?").click()
    phone.get_by_label("Work e-mail").fill(email)
    phone.get_by_role("button", name="Mail me a link").click()
    expect(phone.get_by_role("heading", name="Check your mail")).to_be_visible()
    phone.goto(mailed(product, email, r"Set a new password: http://[^/]+(/reset\S+)"))
    assert serious_problems(phone) == []
    phone.get_by_label("New password").fill(NEW)
    phone.get_by_role("button", name="Set the password").click()
    expect(phone.get_by_role("heading", name="Your password is changed")).to_be_visible()
    page.goto("/connection")
    expect(page).to_have_url(re.compile(r"/login\?next=/connection$"))
    phone.get_by_role("link", name="Sign in").last.click()
    phone.get_by_label("Work e-mail").fill(email)
    phone.get_by_label("Password", exact=True).fill(NEW)
    phone.get_by_role("button", name="Sign in", exact=True).click()
    expect(phone).to_have_url(re.compile(r"/welcome/step-1$"))
    elsewhere.close()
