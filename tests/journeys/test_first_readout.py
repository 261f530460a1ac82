"""A stranger becomes a member who looks at their own projection."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.running import Running

PASSWORD = "quiet harbour lantern"


def new_address(name: str) -> str:
    """An address at a shop of its own, for each business has one trial."""
    return f"{name}@cd-shop.{uuid4().hex[:12]}.example"


def register(page: Page, name: str) -> str:
    """A new owner, signed in at `page` and about to connect. What lies before that has journeys of its own."""
    email = new_address(name)
    send(page, "/register", name=name.capitalize(), email=email, password=PASSWORD)
    send(page, "/welcome/step-1", action="skip_rest")
    page.goto("/activate")
    return email


def send(page: Page, path: str, **fields: str) -> None:
    """Send the form of the page at `path` as the browser of `page`, without showing it."""
    shown = page.request.get(path)
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text())
    assert token
    origin = shown.url.removesuffix(path)
    assert page.request.post(path, form=fields | {"csrf_token": token[1]}, headers={"Origin": origin}).ok


def register_by_hand(page: Page, name: str) -> str:
    email = new_address(name)
    page.goto("/")
    page.get_by_role("link", name="Start free").first.click()
    page.get_by_label("Full name").fill(name.capitalize())
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="Go on, confirm later").click()
    pass_by_wizard(page)
    return email


def pass_by_wizard(page: Page) -> None:
    """Skip every question, and go on to connecting."""
    expect(page).to_have_url(re.compile(r"/welcome/step-1$"))
    page.get_by_role("button", name="Skip the rest").click()
    expect(page.get_by_role("heading", name="Your workspace needs a processor connection.")).to_be_visible()
    page.goto("/activate")


def connect(page: Page, merchant: str) -> None:
    page.get_by_role("button", name="Connect Stripe").click()
    page.locator(f"input[value='{merchant}']").check()
    page.get_by_role("button", name="Connect my Stripe account").click()


def serious_problems(page: Page) -> list[str]:
    result = Axe().run(page)
    return [
        f"{violation['id']}: {violation['help']}"
        for violation in result.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def test_alice_registers_connects_stripe_watches_it_count_and_sees_her_projection(page: Page) -> None:
    register_by_hand(page, "alice")
    expect(page.get_by_role("heading", name="Your risk defense layer is ready to arm.")).to_be_visible()
    assert serious_problems(page) == []
    connect(page, "default")
    expect(page).to_have_url(re.compile(r"/activate/arming$"))
    expect(page.get_by_text("Pulling processor data")).to_be_visible()
    expect(page.get_by_text(re.compile(r"[\d,]+ charges"))).to_be_visible(timeout=15_000)
    enter = page.get_by_role("link", name="Enter your workspace")
    expect(enter).to_be_visible(timeout=30_000)
    assert serious_problems(page) == []
    enter.click()
    expect(page.get_by_text("Your workspace is live.")).to_be_visible()
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    expect(
        page.get_by_text(
            re.compile(r"Based on [\d,]{5,} payment events from your Stripe account over the last 90 days")
        )
    ).to_be_visible()
    expect(page.get_by_text("Tier 3 of 5", exact=True)).to_be_visible()
    for horizon in ("T+30", "T+60", "T+90"):
        row = page.get_by_role("row").filter(has_text=horizon).first
        expect(row).to_contain_text(re.compile(r"\$[\d,]+"))
    assert serious_problems(page) == []
    page.reload()
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    expect(page.get_by_text("Your workspace is live.")).to_have_count(0)


def test_alice_signs_out_and_in_again_and_is_back_at_her_readout(page: Page) -> None:
    email = register(page, "alice")
    connect(page, "low-activity")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.get_by_text("There is too little activity to judge yet.")).to_be_visible()
    expect(page.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    page.locator("summary", has_text="Alice").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/connection")
    expect(page).to_have_url(re.compile(r"/login\?next=/connection$"))
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/connection$"))
    expect(page.get_by_role("rowheader", name="Charges", exact=True)).to_be_visible()
    assert serious_problems(page) == []


def test_a_member_who_declines_at_stripe_is_told_that_nothing_was_read(page: Page) -> None:
    register(page, "bob")
    page.get_by_role("button", name="Connect Stripe").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("PayFlux read nothing and has no access.")
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="Your workspace needs a processor connection.")).to_be_visible()


def test_a_restricted_key_connects_and_a_secret_key_is_refused_with_the_reason(page: Page) -> None:
    register(page, "alice")
    page.locator("summary", has_text="Use a restricted key instead").click()
    page.get_by_label("Restricted key").fill("sk_test_sandbox")
    page.get_by_role("button", name="Connect with this key").click()
    expect(page.locator("#key-error")).to_contain_text("restricted")
    page.get_by_label("Restricted key").fill("rk_test_sandbox_healthy_no_disputes")
    page.get_by_role("button", name="Connect with this key").click()
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.get_by_text("This connection may not read")).to_be_visible()


def test_the_whole_way_works_without_javascript(page: Page, product: Running) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    plain = context.new_page()
    register(plain, "alice")
    connect(plain, "low-activity")
    plain.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(plain.get_by_role("heading", name="Your reserve exposure")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/register", "/login", "/nowhere"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_no_secret_and_no_address_stands_in_the_log(product: Running) -> None:
    log = product.log_text()
    assert "request" in log
    assert "@cd-shop." not in log
    assert PASSWORD not in log
    assert "ac_" not in re.sub(r"rak_\w+", "", log)


def test_a_stranger_gets_problem_details_where_a_machine_asks(product: Running) -> None:
    answer = httpx.get(f"{product.url}/activate/arming/state")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_alice_disconnects_connects_another_account_and_sees_that_ones_numbers_alone(page: Page) -> None:
    register(page, "alice")
    connect(page, "not-ready")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.get_by_text("Your Stripe account is not ready yet.")).to_be_visible()
    expect(page.locator(".band__name")).to_contain_text("Critical")
    page.get_by_role("link", name="Connection").click()
    page.locator("summary", has_text="Disconnect").click()
    page.get_by_role("button", name="Disconnect this account").click()
    expect(page.get_by_role("heading", name="No processor is connected")).to_be_visible()
    page.get_by_role("link", name="Connect Stripe").click()
    connect(page, "healthy")
    page.goto("/dashboard")
    expect(page.locator(".band__name").or_(page.locator(".stages"))).to_be_visible()
    expect(page.get_by_text("Critical Tier 5")).to_have_count(0)
    page.goto("/activate/arming")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    expect(page.locator(".band__name")).to_contain_text("Low")
