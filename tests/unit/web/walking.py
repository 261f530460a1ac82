"""What axe and a ruler find on a page that a browser shows, at every width and in both colour schemes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Page

WIDTHS = (320, 360, 720, 1440)
"""CSS pixels: the narrowest phone, which is also a desktop at 400 %; a phone; a desktop at 200 %; a desktop."""
AXE_WIDTHS = (1440, 360)
"""Where the rules are run, beginning where the ruler ends."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]
SMALL = 500
"""Characters of HTML. What is shorter is looked at in one piece."""

_OPENED = """() => {
  document.querySelectorAll('main details').forEach((part) => { part.open = true; });
}"""
_BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_PARTS = """(small) => {
  const shell = (element) => element.cloneNode(false).outerHTML;
  const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const keys = [];
  window.parts = [];
  const take = (element, above) => {
    const html = element.outerHTML;
    if (html.length > small && element.children.length && !says(element)) {
      for (const child of element.children) take(child, above + shell(element));
    } else {
      window.parts.push(element);
      keys.push(above + html);
    }
  };
  const styles = [...document.querySelectorAll('link[rel=stylesheet]')].map((link) => link.href);
  take(document.body, styles + shell(document.documentElement));
  return keys;
}"""
_BROKEN = """async ([which, options]) => {
  const where = which === null ? document : { include: which.map((number) => window.parts[number]) };
  const found = await axe.run(where, { ...options, resultTypes: ['violations'], preload: false });
  return found.violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html)]);
}"""

Broken = list[tuple[str, list[str]]]
"""Rules that a page breaks, each with the elements that do."""


@dataclass
class Walk:
    """What pages were found to do wrong: the rules that each breaks by width and scheme, and how many pixels of it are
    beyond the screen by width.

    Of every page the whole rule set is run at the first of :data:`AXE_WIDTHS`, and at the other one in those of its
    parts that no page had before: what the page as a whole has to hold, such as its headings and landmarks, is the same
    at each width. Beside it the rules of colour are run in each scheme, in such parts too: the schemes differ in
    colours alone, which `test_colours_alone_depend_on_the_scheme` holds. A part is had before where it stood in the
    same elements and under the same styles.
    """

    broken: dict[tuple[str, int, str], Broken] = field(default_factory=dict)
    beyond: dict[tuple[str, int], int] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def measure(self, page: Page, name: str, address: str) -> None:
        """Load the sample `name` from `address` and note how much of it is beyond the screen."""
        page.goto(address)
        page.evaluate(_OPENED)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            self.beyond[name, width] = page.evaluate(_BEYOND)

    def look_at(self, page: Page, name: str, address: str, axe: str) -> None:
        """The same, and note which rules it breaks; `axe` is the address of axe's script."""
        self.measure(page, name, address)
        page.add_script_tag(url=axe)
        keys = page.evaluate(_PARTS, SMALL)
        new = [number for number, key in enumerate(keys) if key not in self._seen]
        self._seen |= set(keys)
        for width in AXE_WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            colourless = {rule: {"enabled": False} for rule in RULES_OF_COLOUR}
            if new or width == AXE_WIDTHS[0]:
                where = None if width == AXE_WIDTHS[0] else new
                self.broken[name, width, "any"] = _broken(page, where, TAGS, colourless)
            for scheme in SCHEMES if new else ():
                page.emulate_media(color_scheme=scheme)
                self.broken[name, width, scheme] = _broken(page, new, RULES_OF_COLOUR)


def _broken(
    page: Page, parts: list[int] | None, run: list[str], rules: dict[str, dict[str, bool]] | None = None
) -> Broken:
    """Which of `run`, tags or rules, are broken in `parts` of the page, None for all of it."""
    found = page.evaluate(_BROKEN, [parts, {"runOnly": run, "rules": rules or {}}])
    return [(rule, elements) for rule, elements in found]
