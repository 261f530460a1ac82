"""A member asks what would change, on a phone and at a desk."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.journeys.test_first_readout import connect, register, serious_problems


def test_alice_asks_by_keyboard_reads_the_difference_and_keeps_the_address(page: Page) -> None:
    register(page, "alice")
    connect(page, "default")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    page.get_by_role("link", name="What if", exact=True).click()
    expect(page.get_by_role("heading", name="Start from a question")).to_be_visible()
    assert serious_problems(page) == []
    field = page.get_by_label("Reserve rate")
    field.focus()
    field.press_sequentially("a lot")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Reserve rate: write a number").press("Enter")
    expect(field).to_be_focused()
    field.fill("25")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/what-if\?.*reserve_rate=25"))
    expect(page.get_by_role("row").filter(has_text="Trapped at T+90")).to_contain_text("more")
    for width, scheme in ((390, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.reload()
        expect(page.get_by_role("heading", name="With a reserve of 25")).to_be_visible()
        assert serious_problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
