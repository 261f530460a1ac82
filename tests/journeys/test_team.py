"""Alice invites people; the invited join, and nobody else can, in real browsers with real mails."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_confirming_by_mail import mailed, register
from tests.journeys.test_first_readout import PASSWORD, new_address, pass_by_wizard, serious_problems
from tests.running import Running


def registered(page: Page, product: Running) -> str:
    """Alice, with a proven address; returns it."""
    email = register(page)
    page.get_by_label("Code").fill(mailed(product, email, r"\b(\d{6})\b"))
    page.keyboard.press("Enter")
    pass_by_wizard(page)
    return email


def invite(page: Page, product: Running, email: str) -> str:
    """Alice invites `email` as a viewer; returns where the link in the mail leads."""
    page.goto("/account/team")
    page.get_by_label("E-mail addresses").fill(email)
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Send invites").click()
    expect(page.get_by_text("Invited", exact=True)).to_be_visible()
    assert serious_problems(page) == []
    link = mailed(product, email, r"Accept the invite: http://[^/]+(/accept-invite\?\S+)")
    page.reload()
    expect(page.get_by_text(re.compile("mailed .*UTC"))).to_be_visible()
    return link


def test_the_invited_join_with_a_password_skip_the_wizard_and_are_welcomed(
    page: Page, product: Running, browser: Browser
) -> None:
    registered(page, product)
    dora = new_address("dora")
    link = invite(page, product, dora)
    phone = browser.new_page(base_url=product.url, viewport={"width": 360, "height": 740})
    phone.goto(link)
    assert serious_problems(phone) == []
    expect(phone.get_by_text(dora)).to_be_visible()
    phone.get_by_label("Full name").fill("Dora")
    phone.get_by_label("Password", exact=True).fill(PASSWORD)
    phone.get_by_role("button", name="Join Cd-shop").click()
    expect(phone.get_by_role("status")).to_contain_text("Welcome to Cd-shop")
    assert serious_problems(phone) == []
    phone.goto("/account/team")
    expect(phone.get_by_text("Alice owns this account")).to_be_visible()
    expect(phone.get_by_role("button", name="Send invites")).to_have_count(0)
    phone.goto(link)
    expect(phone.get_by_role("heading", name="You are in already")).to_be_visible()
    phone.close()
    page.reload()
    page.get_by_role("link", name="Remove Dora").click()
    page.get_by_role("button", name="Remove Dora").click()
    expect(page.get_by_text(dora)).to_have_count(0)
    assert mailed(product, dora, r"You are no longer a member of (\S+) on PayFlux") == "Cd-shop"


def test_who_is_signed_in_as_somebody_else_sees_both_addresses_and_switches_back_to_the_invite(
    page: Page, product: Running, browser: Browser
) -> None:
    registered(page, product)
    dora = new_address("dora")
    link = invite(page, product, dora)
    other = browser.new_page(base_url=product.url)
    charlie = register(other)
    other.goto(link)
    expect(other.get_by_role("heading", name="This invite is for another address")).to_be_visible()
    expect(other.get_by_role("main")).to_contain_text(charlie)
    expect(other.get_by_role("main")).to_contain_text(dora)
    assert serious_problems(other) == []
    other.get_by_role("button", name=f"Switch to {dora}").click()
    expect(other).to_have_url(re.compile(r"/login\?next="))
    other.goto(link)
    expect(other.get_by_role("button", name="Join Cd-shop")).to_be_visible()
    other.close()
    page.get_by_role("button", name=f"Revoke the invite of {dora}").click()
    gone = browser.new_page(base_url=product.url)
    gone.goto(link)
    expect(gone.get_by_role("heading", name="This invite was taken back")).to_be_visible()
    gone.close()
