"""The hosted page in a real browser: keyboard, narrow screens, accessibility and its security policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def session(client: Callable[..., Any], base: str) -> Any:
    """A session of two items; the page of the sandbox itself stands for the shop it leads back to."""
    v1 = client().v1
    data: dict[str, Any] = {"currency": "usd", "unit_amount": 1_250, "product_data": {"name": "Report"}}
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [{"price_data": data, "quantity": 2}],
        "allow_promotion_codes": True,
        "success_url": f"{base}/healthz?id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": base,
    }
    return v1.checkout.sessions.create(params=params)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield page
    page.close()
    assert complaints == []


def test_a_person_pays_by_keyboard_after_a_refused_card_and_their_bank(page: Page, session: Any) -> None:
    page.goto(session.url)
    page.get_by_label("Fill in the card that ends in 9995").press("Enter")
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Card number").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    expect(page.get_by_label("Card number")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Email")).to_have_value("alice@example.com")

    page.get_by_label("Card number").fill("4000 0000 0000 3220")
    page.get_by_role("button", name="Pay $25.00").press("Enter")
    page.get_by_role("button", name="Complete authentication").press("Enter")

    page.wait_for_url(f"**/healthz?id={session.id}")


def test_a_wrong_promotion_code_says_so_beside_its_field(page: Page, session: Any) -> None:
    page.goto(session.url)
    page.get_by_label("Promotion code").fill("nothing")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_have_text("This code is invalid.")
    expect(page.get_by_label("Promotion code")).to_have_attribute("aria-invalid", "true")


def test_the_page_breaks_no_accessibility_rule_and_fits_a_phone(browser: Browser, session: Any) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 800})
    page.goto(session.url)
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Fill in the card that ends in 0002").click()
    page.get_by_role("button", name="Pay $25.00").click()
    expect(page.get_by_role("alert")).to_be_visible()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page, options={"runOnly": RULES}).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == [], scheme
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.close()
