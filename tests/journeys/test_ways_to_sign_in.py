"""Alice sets up an authenticator app and a passkey, and signs in by each."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_first_readout import PASSWORD, new_address, serious_problems
from tests.running import Running

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def window(browser: Browser, product: Running) -> Iterator[Page]:
    """A browser window under the name that passkeys are made for, on a device that holds them."""
    context = browser.new_context(base_url=product.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page
    context.close()


def registered(page: Page) -> str:
    email = new_address("alice")
    page.goto("/register")
    page.get_by_label("Full name").fill("Alice")
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/verify-email"))
    return email


def sign_out(page: Page) -> None:
    page.goto("/account/security")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_alice_signs_in_by_password_and_code_then_by_a_passkey(window: Page) -> None:
    page = window
    email = registered(page)
    page.goto("/account/security")
    assert serious_problems(page) == []
    page.get_by_role("button", name="Set up an app").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    expect(page.get_by_role("img", name="QR code of the key")).to_be_visible()
    assert serious_problems(page) == []
    app = pyotp.TOTP(secret)
    page.get_by_label("Code that the app shows now").fill(app.now())
    page.get_by_role("button", name="Confirm").click()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    assert serious_problems(page) == []
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_label("Name of the new passkey").fill("Alice's laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys strong")).to_have_text("Alice's laptop")

    sign_out(page)
    page.goto("/login?next=/account/security")
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    expect(page.get_by_text("9 recovery codes left.")).to_be_visible()

    sign_out(page)
    page.goto("/login?next=/account/security")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    page.get_by_role("button", name="Remove Alice's laptop").click()
    expect(page.get_by_text("Passkey removed")).to_be_visible()


def test_alice_confirms_by_her_passkey_and_comes_back(window: Page) -> None:
    page = window
    registered(page)
    page.goto("/account/security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys strong")).to_have_text("Passkey")
    page.goto("/account/confirm?next=/account/security")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
