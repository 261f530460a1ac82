"""What a page brings along, what it asks of a browser, and that none is left out of these tests."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from payflux.web.pages.styleguide import tokens
from tests.unit.web.samples import PAGES, ROOT, render

HEAVIEST = 150 * 1024  # bytes, all that a first visit loads, compressed
NO_PAGES = {"document.html", "layout.html", "app.html", "focus.html", "admin/console.html", "legal/page.html"}
"""Templates that others stand on."""
IN_A_FILE = {"report.html"}
"""What a command writes as one self-contained file."""
NOTHING_TO_SEND = {"select-plan-crowded": "no plan has enough seats, so none can be chosen"}


@cache
def compressed(path: str) -> int:
    """The bytes of the static file at `path`, and of every module that it imports."""
    file = ROOT / path
    content = file.read_bytes()
    imported = re.findall(r'from "\./([\w-]+\.js)"', content.decode()) if file.suffix == ".js" else []
    pictures = file.suffix in (".png", ".ico")
    own = len(content) if pictures else len(gzip.compress(content))
    return own + sum(compressed(f"{Path(path).parent}/{name}") for name in imported)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_light_and_needs_no_script(page: str) -> None:
    html = render(page)
    weighs_no_more_than_a_slow_line_carries_quickly(html)
    is_read_and_sent_without_a_script(page, LexborHTMLParser(html))


def weighs_no_more_than_a_slow_line_carries_quickly(html: str) -> None:
    asked = set(re.findall(r'(?:href|src)="/(static/[\w./-]+)', html))
    weight = len(gzip.compress(html.encode())) + sum(map(compressed, asked))
    assert weight <= HEAVIEST, f"{weight / 1024:.0f} KB"


def is_shown(node: LexborNode) -> bool:
    """Whether a browser without scripts shows it."""
    at: LexborNode | None = node
    while at is not None:
        if "hidden" in at.attributes:
            return False
        at = at.parent
    return True


def is_read_and_sent_without_a_script(page: str, document: LexborHTMLParser) -> None:
    main = document.css_first("main")
    assert main is not None
    assert len(main.text(strip=True)) > 40
    for form in document.css("form"):
        assert form.attributes.get("action"), form.html
        assert form.css("button:not([type=button])") or not is_shown(form) or page in NOTHING_TO_SEND, form.html
    if page != "styleguide":  # shows what buttons look like
        left = [button.html for button in document.css("button[type=button]") if is_shown(button)]
        assert left == [], "what needs a script is hidden until the script is there"


def test_a_new_page_is_among_the_samples() -> None:
    folder = ROOT / "templates"
    templates = {str(path.relative_to(folder)) for path in folder.rglob("*.html") if not path.name.startswith("_")}
    assert templates - NO_PAGES - IN_A_FILE == {template for template, _ in PAGES.values()}


def test_the_style_guide_shows_every_shared_component_and_every_token() -> None:
    html = render("styleguide")
    css = (ROOT / "static/css/components.css").read_text()
    components = set(re.findall(r"^\.([a-z][\w-]*)", css, re.MULTILINE))
    shown = {name for each in re.findall(r'class="([^"]+)"', html) for name in each.split()}
    assert len(components) > 40
    assert components - shown == set()
    listed = [token.name for kind in tokens().values() for token in kind]
    assert len(listed) > 30
    assert [name for name in listed if name not in html] == []
