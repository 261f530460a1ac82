"""The sandbox's first page, which leads to all others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from tests.integration.sandbox.views import problems_in_each_view


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_it_leads_to_every_other_page_and_shows_every_key(page: Page, base: str) -> None:
    page.goto(base)
    for key in ("sk_test_sandbox", "ca_sandbox", "ca_sandbox_app", "sk_test_sandbox_app"):
        expect(page.get_by_text(key, exact=True)).to_be_visible()
    assert page.locator("tbody tr").count() == len(ARCHETYPES)
    page.get_by_text("paths of the API").click()
    expect(page.locator(".paths li", has_text="/v1/checkout/sessions").first).to_be_visible()
    assert [*problems_in_each_view(page)] == []
    for name, heading in (("Control", "Control"), ("Mailbox", "Mailbox"), ("Sign-in providers", "Sign in with")):
        page.goto(base)
        page.locator(".ways").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
