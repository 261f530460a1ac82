"""No word reaches a reader past the catalogue: pages say what is looked up, and scripts what the page hands them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from payflux.monitor.processors.permissions import KEY_PERMISSIONS
from payflux.monitor.risk.rules.programmes import REGISTRY
from tests.unit.test_messages import IN_ENGLISH
from tests.unit.web.samples import ROOT
from tests.unit.web.spoken import CLOSES, OPENS, bracketed, spoken_pages

DATA = (
    "code, pre, script, style, blockquote, figcaption, svg, select[name=time_zone], .scan-progress__pages, .source, "
    ".changed"
)
"""What is shown as it is: code, addresses, and what somebody else wrote."""

NAMES = {
    *("PayFlux", "Stripe", "Google", "Microsoft", "GitHub", "Firefox", "Windows", "Visa", "Mastercard", "Acquirer"),
    *(
        "American",
        "Express",
        "English",
        "Deutsch",
        "Enterprise",
        "Starter",
        "Pro",
        "Free",
        "GMAP",
        "ECM",
        "HECM",
        "EFM",
    ),
    *("USD", "EUR", "UTC", "SHA", "PNG", "SVG", "PDF", "CSV", "JSON", "JSONL", "TXT", "SAML", "OpenID", "Connect"),
    *("Slack", "PagerDuty", "Teams", "Discord", "Telegram", "Webex", "Pushover", "Chat", "SOC"),
    *("PostHog", "Secure", "II", "Type", "MERP"),
}
"""Proper names and formats."""

TIME = re.compile(r"\d[\d.:,\s]*(?:\w{3,4}\.?)?[\d.:,\s]*(?:UTC)?")
"""A day or an instant, as German writes it."""

COMPOSED = {
    "4.210, unlimited",
    "Flux Ltd, 1 Quiet Harbour, Lantern Bay",
    "Forecasting mode is not in your plan",
    "Alice Archer, Bob, who keeps the books of three companies",
    "amount is no whole number. Send minor units",
    "The signature is wrong. Send minor units",
    "Dora (dora@example.com",
    "The ownership is in transfer. Cancel the offer",
}
"""What pages make of several of a sample's data."""

ADDRESS = re.compile(r"\S*[\w-][.@:/_]\w\S*")
"""An address of mail or of the web, the name of a file, what code calls a thing."""

WORD = re.compile(r"[^\W\d_]{2,}")


INNERMOST = re.compile(f"{OPENS}[^{OPENS}{CLOSES}]*{CLOSES}")


def _outside(text: str) -> str:
    """What of `text` stands in no brackets; one looked-up text may hold others."""
    while INNERMOST.search(text):
        text = INNERMOST.sub(" ", text)
    return text


def _said(page: LexborNode) -> list[str]:
    """The texts and attributes that a reader gets of `page`, without what was looked up."""
    said = _outside(page.text(deep=True, separator="\n")).split("\n")  # a message may go on through several tags
    for name in ("aria-label", "title", "alt", "placeholder"):
        said += [_outside(node.attributes[name] or "") for node in page.css(f"[{name}]")]
    return said


@pytest.fixture(scope="module")
def typed() -> str:
    """What the samples' authors typed: the data of their pages."""
    folder = Path(__file__).parent
    sources = [*folder.glob("*samples.py"), *folder.parent.glob("*/building.py")]
    of_others = [*(phase.name for phase in REGISTRY), *(f"{name}: {kind}" for name, kind in KEY_PERMISSIONS)]
    written = "\n".join([*(path.read_text() for path in sources), *of_others])
    return re.sub(r"\"\s*\n\s*f?\"", "", written)  # a long literal stands in several lines


def test_no_word_of_a_page_goes_past_the_catalogue(typed: str) -> None:
    past: dict[str, set[str]] = {}
    with bracketed():
        pages = spoken_pages("de")
    for name, (template, html) in pages.items():
        page = LexborHTMLParser(html)
        for node in page.css(DATA):
            node.decompose()
        if template.startswith(IN_ENGLISH) or page.body is None:
            continue
        said = {text.strip(" .,:;()\xa0") for text in _said(page.body)}
        said = {text for text in said if text not in typed and text not in COMPOSED and not TIME.fullmatch(text)}
        if left := {text for text in said if set(WORD.findall(ADDRESS.sub("", text))) - NAMES}:
            past[name] = left
    assert past == {}


STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")
TOLD_TO_CODE = re.compile(r"[#.\[<>:=/]|^(?:application|text)/|^\w+(?: \w+)?$|^chart-|^[a-z-]+ [a-z-]+$")
"""Selectors, addresses, names of events and of styles: what a browser reads."""


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_a_script_says_only_what_its_page_hands_over(path: Path) -> None:
    source = re.sub(r"^\s*//.*$|\s//\s.*$|/\*\*.*?\*/", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    strings = [re.sub(r"\$\{[^}]*\}", "", found[1:-1]) for found in STRING.findall(source)]
    said = [text for text in strings if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}|^[A-Z][a-z]+[.!?]?$", text)]
    assert [text for text in said if not TOLD_TO_CODE.search(text)] == []
    assert not re.search(r"\b(?:textContent|innerText|title|ariaLabel)\s*=\s*[`\"'][A-Za-z]", source)
