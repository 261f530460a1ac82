"""A stranger answers the wizard step by step and lands on a dashboard that says what is next; another does it all, up
to the first projection, by keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.test_confirming_by_mail import mailed, register
from tests.journeys.test_first_readout import PASSWORD, new_address, serious_problems
from tests.running import Running


def test_alice_answers_step_by_step_and_her_dashboard_goes_on_from_there(page: Page, product: Running) -> None:
    email = register(page)
    page.get_by_label("Code").fill(mailed(product, email, r"\b(\d{6})\b"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 3")).to_be_visible()
    assert serious_problems(page) == []
    expect(page.get_by_label("Business name")).to_have_value("Cd-shop")
    page.get_by_label("Business name").fill("Cedar & Sons")
    page.get_by_label("3 to 5").check()
    page.get_by_label("Finance or payments").check()
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("2 of 3")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_label("Business name")).to_have_value("Cedar & Sons")
    expect(page.get_by_label("3 to 5")).to_be_checked()
    page.go_back()
    page.get_by_label("Stripe").check()
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("3 of 3")).to_be_visible()
    assert serious_problems(page) == []
    dora = new_address("dora")
    page.get_by_label("E-mail address 1").fill(dora)
    page.get_by_label("Role of 1").select_option("viewer")
    page.get_by_role("button", name="Send invites and finish").click()

    expect(page).to_have_url(re.compile("/dashboard/activate-prompt$"))
    assert mailed(product, dora, r"(Cedar & Sons)") == "Cedar & Sons"
    card = page.locator("[data-next]")
    expect(card).to_contain_text("See your first reserve projection")
    expect(card.get_by_role("link", name="Connect Stripe")).to_be_visible()
    page.get_by_text("Show all setup steps").click()
    expect(page.locator("[data-step]")).to_have_count(6)
    expect(page.locator("[data-step][data-done]")).to_have_count(3)  # the address, the business, the invite
    assert serious_problems(page) == []

    page.get_by_role("button", name="Hide the setup steps").click()
    expect(page.locator("#setup")).to_have_count(0)
    page.goto("/settings")
    page.get_by_role("button", name="Show the setup steps again").click()
    expect(page.locator("[data-next]")).to_be_visible()
    page.goto("/welcome")
    expect(page).to_have_url(re.compile("/activate$"))


def test_the_wizard_works_on_a_phone_without_scripts(browser: Browser, product: Running) -> None:
    context = browser.new_context(
        base_url=product.url, java_script_enabled=False, viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    plain = context.new_page()
    register(plain)
    plain.goto("/welcome/step-3")
    expect(plain.get_by_text("1 of 3")).to_be_visible()
    plain.get_by_role("button", name="Skip this step").click()
    plain.get_by_role("button", name="Continue").click()
    expect(plain.get_by_role("alert")).to_contain_text("Choose one, or skip this step.")
    plain.get_by_label("Adyen").check()
    plain.get_by_role("button", name="Continue").click()
    expect(plain.get_by_role("link", name="Type the code from the mail")).to_be_visible()
    plain.get_by_role("button", name="Finish").click()
    expect(plain.get_by_role("link", name="Set it up")).to_have_count(0)
    expect(plain.get_by_role("link", name="Connect Adyen").first).to_be_visible()
    context.close()


def test_a_stranger_comes_to_a_first_projection_by_keyboard_alone(page: Page) -> None:
    def press(wanted: Locator, key: str = "Enter") -> None:
        """Tab until the focus is on `wanted`, and press `key` there."""
        expect(wanted).to_be_visible(timeout=30_000)
        for _ in range(80):
            if wanted.evaluate("element => element === document.activeElement"):
                page.keyboard.press(key)
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {wanted}")

    def type_into(label: str, text: str) -> None:
        press(page.get_by_label(label, exact=True), "ControlOrMeta+a")
        page.keyboard.type(text)

    page.goto("/register")
    type_into("Full name", "Alice")
    type_into("Work e-mail", new_address("alice"))
    type_into("Password", PASSWORD)
    page.keyboard.press("Enter")
    press(page.get_by_role("link", name="Go on, confirm later"))
    expect(page.get_by_text("1 of 3")).to_be_visible()
    type_into("Business name", "Cedar & Sons")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 3")).to_be_visible()
    press(page.get_by_label("Stripe"), "Space")
    press(page.get_by_role("button", name="Continue").last)
    expect(page.get_by_text("3 of 3")).to_be_visible()
    press(page.get_by_role("button", name="Finish"))
    press(page.get_by_role("link", name="Connect Stripe"))
    expect(page).to_have_url(re.compile(r"/activate$"))
    press(page.get_by_role("button", name="Connect Stripe"))
    press(page.locator("input[value='default']"), "Space")
    press(page.get_by_role("button", name="Connect my Stripe account"))
    press(page.get_by_role("link", name="Enter your workspace"))
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="T+90").first).to_contain_text("$")
    expect(page.locator("[data-next='invite_teammate']")).to_be_visible()
