"""Alice's trial ends, she buys, a payment fails, she mends it, and she leaves again: in a browser, on the sandbox.

The product is one of these journeys' own, for they move the sandbox's clock.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import asyncpg
import httpx
import pytest
from playwright.sync_api import Page, expect

from payflux.cli.databases import DATABASE
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from tests.conftest import open_folder
from tests.journeys.test_first_readout import PASSWORD, serious_problems
from tests.running import Running, running_product


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with open_folder() as folder, running_product(folder, tmp_path_factory.mktemp("log") / "run.log") as product:
        yield product


def register(page: Page) -> str:
    email = f"alice@{uuid4().hex[:8]}-shop.example"
    page.goto("/register?plan=starter")
    page.get_by_label("Full name").fill("Alice")
    page.get_by_label("Work e-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/verify-email"))
    return email


def subscribed(product: Running, email: str, assignments: str) -> None:
    """As if the subscription of the account of `email` had come to stand like this by itself."""
    server = EmbeddedPostgres(product.data_dir / "postgres", find_binaries(None))

    async def write() -> None:
        superuser = await asyncpg.connect(server.url(database=DATABASE))
        account_id = await superuser.fetchval(
            "SELECT account_id FROM memberships JOIN users ON users.id = user_id WHERE email = $1", email
        )
        await superuser.execute(f"UPDATE subscriptions SET {assignments} WHERE account_id = $1", account_id)
        await superuser.execute(
            "UPDATE accounts SET entitlements_version = entitlements_version + 1 WHERE id = $1", account_id
        )
        await superuser.close()

    with ThreadPoolExecutor() as elsewhere:  # Playwright's own event loop runs in this thread
        elsewhere.submit(asyncio.run, write()).result()


def time_passes_at_stripe(product: Running, days: int) -> None:
    httpx.post(f"{product.sandbox_url}/sandbox/clock", json={"advance": f"{days}d"}, timeout=60).raise_for_status()


def pay_with(page: Page, ending: str) -> None:
    page.get_by_label(f"Fill in the card that ends in {ending}").click()
    page.get_by_label("Card number").press("Enter")


def put_in_card(page: Page, number: str) -> None:
    """Change the card in the portal, and come back."""
    page.get_by_role("link", name="Change card").click()
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry (MM / YY)").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_text(f"ends in {number[-4:]}")).to_be_visible()
    page.get_by_role("link", name=re.compile("Return to")).click()
    expect(page).to_have_url(re.compile(r"/account/billing$"))


def pill(page: Page, words: str | re.Pattern[str]) -> None:
    """The pill says `words`, once Stripe has told of it; on a busy machine that takes its time."""
    for _ in range(150):
        if page.locator("[data-pill]", has_text=words).count():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.locator("[data-pill]")).to_have_text(words)


def looks_right(page: Page) -> None:
    assert serious_problems(page) == []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_the_trial_ends_alice_buys_at_the_wall_cancels_and_comes_back(page: Page, product: Running) -> None:
    email = register(page)
    page.goto("/account/billing")
    expect(page.locator("[data-pill]")).to_have_text("Pro trial · 14 days left")
    looks_right(page)
    subscribed(product, email, "current_period_end = now() - interval '1 hour'")
    page.goto("/what-if")
    expect(page.get_by_role("heading", name="Your trial has ended")).to_be_visible()
    expect(page.locator("[data-pill]")).to_have_text("Trial expired — pick a plan")
    looks_right(page)

    # the plan that she registered for is marked; the price is monthly alone and follows what she chooses
    expect(page.get_by_label("Starter")).to_be_checked()
    expect(page.locator("[data-total]")).to_have_text("$149 USD a month for one seat")
    expect(page.get_by_text(re.compile("annual|a year", re.IGNORECASE))).to_have_count(0)
    page.get_by_label("Pro", exact=False).check()
    page.get_by_label("Seats").fill("3")
    expect(page.locator("[data-total]")).to_have_text("$1,497 USD a month for 3 seats")
    page.get_by_label("Seats").press("Enter")

    page.wait_for_url("**/c/pay/**")
    expect(page.get_by_text("$1,497.00").first).to_be_visible()
    pay_with(page, "0002")
    expect(page.get_by_role("alert")).to_contain_text("declined")
    pay_with(page, "3220")
    page.get_by_role("button", name="Complete authentication").click()
    page.wait_for_url("**/account/billing?success=1")
    expect(page.get_by_text("Pro is active.")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-pill]")).to_have_text("Pro")
    expect(page.get_by_text("$1,497 USD a month before tax")).to_be_visible()
    looks_right(page)
    page.goto("/what-if")
    expect(page.get_by_role("heading", name="Your trial has ended")).to_have_count(0)

    page.goto("/account/billing")
    page.get_by_role("button", name="Billing portal").click()
    page.get_by_role("link", name="Cancel plan").click()
    page.get_by_role("button", name="Cancel plan").click()
    expect(page.get_by_role("button", name="Don't cancel")).to_be_visible()
    page.get_by_role("link", name=re.compile("Return to")).click()
    expect(page).to_have_url(re.compile(r"/account/billing$"))
    pill(page, re.compile("Pro · ends"))
    expect(page.get_by_text("it is paid until then")).to_be_visible()

    time_passes_at_stripe(product, 32)
    pill(page, "Reactivate")
    page.goto("/what-if")
    expect(page.get_by_role("heading", name="Your plan has ended")).to_be_visible()
    expect(page.get_by_role("link", name="What was computed")).to_be_visible()
    looks_right(page)
    page.locator("[data-pill]").click()
    expect(page).to_have_url(re.compile(r"/account/billing/select-plan$"))
    page.get_by_role("button", name="Go to checkout").click()
    page.wait_for_url("**/c/pay/**")
    pay_with(page, "4242")
    expect(page.get_by_text("Pro is active.")).to_be_visible(timeout=60_000)


def test_a_payment_fails_and_alice_mends_it_in_the_portal(page: Page, product: Running) -> None:
    email = register(page)
    subscribed(product, email, "current_period_end = now() - interval '1 hour'")
    page.goto("/account/billing/select-plan?plan=pro")
    page.get_by_role("button", name="Go to checkout").click()
    page.wait_for_url("**/c/pay/**")
    pay_with(page, "4242")
    expect(page.get_by_text("Pro is active.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Billing portal").click()
    put_in_card(page, "4000 0000 0000 0341")

    time_passes_at_stripe(product, 32)
    pill(page, "Payment failed — update card")
    page.goto("/account/team")
    banner = page.get_by_role("region", name="Payment failed")
    expect(banner).to_contain_text("Stripe tries again")
    looks_right(page)
    banner.get_by_role("link", name="Update the card").click()
    page.get_by_role("button", name="Update the card").click()
    put_in_card(page, "4242 4242 4242 4242")
    time_passes_at_stripe(product, 4)
    pill(page, re.compile("^Pro$"))
    expect(banner).to_have_count(0)


def test_a_complimentary_account_is_thanked_once_and_never_nagged(page: Page, product: Running) -> None:
    email = register(page)
    subscribed(product, email, "status = 'complimentary', current_period_end = NULL")
    page.goto("/account/billing")
    expect(page.locator("[data-pill]")).to_have_text("Complimentary Pro")
    expect(page.get_by_role("region", name="Your complimentary plan")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Close").click()
    page.goto("/account/billing")
    expect(page.get_by_role("region", name="Your complimentary plan")).to_have_count(0)
    for nag in ("Choose a plan", "Update the card", "Reactivate"):
        expect(page.get_by_role("link", name=nag)).to_have_count(0)


def test_without_javascript_the_pages_of_plans_work_and_checkout_leads_back(page: Page, product: Running) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(base_url=product.url, java_script_enabled=False)
    plain = context.new_page()
    email = register(plain)
    # beyond the sandbox's time, wherever another journey has moved it
    subscribed(product, email, "current_period_end = now() + interval '300 days'")
    plain.goto("/pricing")
    expect(plain.get_by_role("row", name=re.compile("Seats 1 seat 2 seats 10 seats"))).to_be_visible()
    plain.get_by_role("link", name="Choose Pro").click()
    plain.get_by_role("button", name="Go to checkout").click()
    plain.wait_for_url("**/c/pay/**")
    plain.get_by_label("Fill in the card that ends in 4242").click()
    plain.get_by_role("button", name="Start trial").click()
    expect(plain.get_by_text("it begins when the trial ends")).to_be_visible(timeout=60_000)
    context.close()
