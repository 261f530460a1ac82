"""Draws the pictures of the site, from the product's own mark, styles and sample: `python -m tests.pictures`.

The touch icon and the favicon are drawn from favicon.svg, the social card from social_card.html beside this file.
They are kept in the repository, so that nobody needs a browser to run PayFlux.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from payflux.web.pages.landing import sample_context
from payflux.web.rendering import build_templates
from tests import chromium

STATIC = Path(__file__).parents[1] / "src" / "payflux" / "static"
IMAGES = STATIC / "img"
CARD = (1200, 630)  # pixels, as https://ogp.me readers show it


def main() -> None:
    """Draw all of them anew."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.arguments(), env=chromium.environment()
        )
        page = browser.new_page(viewport={"width": CARD[0], "height": CARD[1]}, color_scheme="dark")
        icons = {size: _icon(page, size, rounded=size < 180) for size in (16, 32, 48, 180)}
        (IMAGES / "apple-touch-icon.png").write_bytes(icons.pop(180))
        (IMAGES / "favicon.ico").write_bytes(_ico(icons))
        (IMAGES / "social-card.png").write_bytes(_card(page))
        browser.close()
    sys.stdout.write(f"Drawn in {IMAGES}\n")


def _icon(page: Page, size: int, *, rounded: bool) -> bytes:
    """The mark; a touch icon fills its square, as telephones round it themselves."""
    mark = (IMAGES / "favicon.svg").read_text()
    page.set_viewport_size({"width": size, "height": size})
    page.set_content(
        f"<style>*{{margin:0}}svg{{display:block;width:{size}px;height:{size}px}}</style>"
        + (mark if rounded else mark.replace('rx="7"', 'rx="0"'))
    )
    return page.screenshot(omit_background=True)


def _ico(icons: dict[int, bytes]) -> bytes:
    """PNGs by size as one icon file."""
    offset = 6 + 16 * len(icons)
    head, body = struct.pack("<HHH", 0, 1, len(icons)), b""
    for size, png in icons.items():
        head += struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), offset + len(body))
        body += png
    return head + body


def _card(page: Page) -> bytes:
    styles = "\n".join((STATIC / "css" / f"{name}.css").read_text() for name in ("tokens", "base", "dashboard"))
    page.set_viewport_size({"width": CARD[0], "height": CARD[1]})
    template = Path(__file__).with_name("social_card.html").read_text()
    page.set_content(build_templates().from_string(template).render(styles=styles, **sample_context()))
    return page.screenshot()


if __name__ == "__main__":
    main()
