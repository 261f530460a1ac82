"""People come in by Google and Microsoft, played by the sandbox. Each of its cast is somebody in one test only."""

from __future__ import annotations

import re
import time

import httpx
from playwright.sync_api import Page, expect

from tests.journeys.test_first_readout import serious_problems
from tests.running import Running

AT_HOME = re.compile(r"/welcome/step-1$")
AT_HOME_OR_WITHOUT_TRIAL = re.compile(r"/(welcome/step-1|account/no-trial)$")
"""Alice and Bob are of one business: whoever of them comes first has its trial."""


def choose(page: Page, provider: str, person: str) -> None:
    """On the provider's page, be `person`."""
    expect(page.get_by_role("heading", name=f"Sign in with {provider}")).to_be_visible()
    page.locator(f"input[value='{person}']").check()
    page.get_by_role("button", name="Continue").click()


def sign_in_by(page: Page, provider: str, person: str) -> None:
    page.goto("/login")
    page.get_by_role("button", name=f"Continue with {provider}").click()
    choose(page, provider, person)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/$"))


def mailed_code(product: Running, email: str) -> str:
    """The code in the newest mail to `email`."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = httpx.get(f"{product.sandbox_url}/sandbox/mailbox/latest", params={"to": email})
        if answer.is_success and (found := re.search(r"\b(\d{6})\b", answer.json()["text"])):
            return found[1]
        time.sleep(0.2)
    raise AssertionError(f"no code was mailed to {email}")


def test_grace_registers_by_google_and_signs_in_again(page: Page) -> None:
    page.goto("/register?plan=pro")
    assert serious_problems(page) == []
    page.get_by_role("button", name="Continue with Google").click()
    choose(page, "Google", "workspace")
    expect(page).to_have_url(AT_HOME)
    expect(page.get_by_text("grace@workspace.example")).to_be_visible()
    sign_out(page)
    page.goto("/login")
    expect(page.get_by_role("button", name="Continue with Google")).to_contain_text("Last used")
    assert serious_problems(page) == []
    sign_in_by(page, "Google", "workspace")
    expect(page).to_have_url(AT_HOME)


def test_bob_registers_by_microsoft_connects_google_and_signs_in_by_that(page: Page) -> None:
    page.goto("/register")
    page.get_by_role("button", name="Continue with Microsoft").click()
    choose(page, "Microsoft", "bob")
    expect(page).to_have_url(AT_HOME)
    page.goto("/account/security")
    page.get_by_role("link", name="Connect Google").click()
    expect(page.get_by_role("heading", name="Connect Google")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("button", name="Go to Google").click()
    choose(page, "Google", "bob")
    expect(page).to_have_url(re.compile(r"/account/security$"))
    expect(page.get_by_role("link", name="Disconnect Google")).to_be_visible()
    page.goto("/activate")
    sign_out(page)
    sign_in_by(page, "Google", "bob")
    expect(page).to_have_url(AT_HOME)
    page.goto("/account/security")
    expect(page.get_by_role("link", name="Disconnect Microsoft")).to_be_visible()


def test_charlies_work_account_proves_no_address_so_he_types_our_code(page: Page, product: Running) -> None:
    page.goto("/register")
    page.get_by_role("button", name="Continue with Microsoft").click()
    choose(page, "Microsoft", "charlie")
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    expect(page.get_by_text("charlie@elsewhere.example")).to_be_visible()
    page.get_by_label("Code").fill(mailed_code(product, "charlie@elsewhere.example"))
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(AT_HOME)


def test_an_address_that_changes_at_google_keeps_danas_account(page: Page) -> None:
    sign_in_by(page, "Google", "dana-before")
    expect(page).to_have_url(AT_HOME)
    sign_out(page)
    sign_in_by(page, "Google", "dana-after")
    expect(page).to_have_url(AT_HOME)
    expect(page.get_by_text("dana@before.example")).to_be_visible()


def test_alice_is_asked_before_her_other_provider_is_connected(page: Page) -> None:
    sign_in_by(page, "Google", "alice")
    expect(page).to_have_url(AT_HOME_OR_WITHOUT_TRIAL)
    sign_out(page)
    sign_in_by(page, "Microsoft", "alice")
    expect(page.get_by_role("heading", name="Connect Microsoft to your account?")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("button", name="Connect and sign in").click()
    expect(page).to_have_url(AT_HOME_OR_WITHOUT_TRIAL)


def test_whoever_cancels_at_the_provider_reads_that_nothing_happened(page: Page) -> None:
    page.goto("/login")
    page.get_by_role("button", name="Continue with Google").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="You did not agree at Google")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.get_by_role("button", name="Continue with Google")).to_be_visible()
