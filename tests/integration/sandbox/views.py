"""How a page of the sandbox is looked at: at a desk in the dark, and on a phone in the light."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_CUT_OFF = "all => all.filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.ariaLabel)"


def problems_in_each_view(page: Page) -> Iterator[str]:
    """What breaks a rule of accessibility, or is wider than the window, in either view. The page stays as it is."""
    for scheme, width in (("dark", 1280), ("light", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        yield from (f"{scheme}: {each['id']}" for each in Axe().run(page).response["violations"])
        if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"):
            yield f"{scheme}: wider than {width}"
        yield from (f"{scheme}: {label} is cut off" for label in page.get_by_role("button").evaluate_all(_CUT_OFF))
