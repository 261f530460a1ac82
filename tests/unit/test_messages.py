"""Every other language says all that English does: its catalogue is up to date, and so is each of its sentences."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from selectolax.lexbor import LexborHTMLParser

from payflux.frontdoor.accounts.keys.rules import problems_of
from payflux.kit.errors import InvalidInput
from payflux.kit.figures import moment_words, scale_word
from payflux.kit.messages import LANGUAGES, SOURCE_LANGUAGE, gettext, language, speaking
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.settings import Settings
from payflux.web.formatting import money, money_short, percent, utc
from payflux.web.languages import accepted
from payflux.web.rendering import build_templates
from payflux.world.mail import write_mail
from payflux.world.notification_services import check_service_address
from tests.messages import SOURCE, catalogue_path, extracted, updated, written
from tests.unit.web.samples import PAGES

if TYPE_CHECKING:
    from payflux.world.bootstrap import World

OTHERS = [key for key in LANGUAGES if key != SOURCE_LANGUAGE]
SHOWN_TO_NOBODY_ELSE = ("admin/", "report.html", "styleguide.html")
"""The console, the report that the command line writes, and the page of components: they are English."""
IN_ENGLISH = (*SHOWN_TO_NOBODY_ELSE, "developers.html")
"""The reference of the API beside them: programs are spoken to in English."""

NAMES = {"PayFlux", "Stripe", "Pro", "TXT", "CSV", "JSONL", "PDF", "SHA", "Python", "curl"}
NO_WORDS = re.compile(r"shop\.example\.com|security\.txt|scheme-dark|[\w-]+=\"[\w -]*\"|data-confirming")
"""Addresses, and what macros write into tags."""
PLACEHOLDER = re.compile(r"%\((\w+)\)|\{(\w*)\}")


def forms(message: Message) -> list[tuple[str, str]]:
    """(English, translation) of each form of a message."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[1], form) for form in message.string or ()]


@pytest.mark.parametrize("key", OTHERS)
def test_a_catalogue_says_all_that_the_code_does_and_nothing_else(key: str) -> None:
    assert catalogue_path(key).read_bytes() == written(updated(key)), "run `make messages`, and translate what is new"
    with catalogue_path(key).open("rb") as file:
        catalogue = read_po(file, locale=key)
    assert not catalogue.obsolete
    for message in catalogue:
        assert not message.fuzzy, message.id
        assert all(translation.strip() for _, translation in forms(message)) or not message.id, message.id


@pytest.mark.parametrize("key", OTHERS)
def test_a_translation_names_the_values_and_the_markup_of_its_sentence(key: str) -> None:
    for message in updated(key):
        for english, translation in forms(message) if message.id and message.string else []:
            assert set(PLACEHOLDER.findall(translation)) <= set(PLACEHOLDER.findall(english)), english
            kept = isinstance(message.id, str)  # a form for one may spell its number out
            assert not kept or set(PLACEHOLDER.findall(english)) == set(PLACEHOLDER.findall(translation)), english
            assert sorted(re.findall(r"</?\w+", english)) == sorted(re.findall(r"</?\w+", translation)), english
            # a lone percent sign is one where nothing is filled in, and breaks the sentence where something is
            assert ("%%" in english) == ("%%" in translation), english


def _templates() -> list[Path]:
    folder = SOURCE / "templates"
    names = {path: str(path.relative_to(folder)) for path in folder.rglob("*.html")}
    return [path for path, name in names.items() if not name.startswith(SHOWN_TO_NOBODY_ELSE)]


@pytest.mark.parametrize("path", _templates(), ids=lambda path: path.name)
def test_a_page_says_nothing_that_is_not_looked_up(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    source = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*[-+]?%\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", source, flags=re.DOTALL)
    page = LexborHTMLParser(source)
    for kept_as_it_is in page.css("code, pre, script, style, svg"):
        kept_as_it_is.decompose()
    assert page.root is not None
    said = [node.text(deep=False) for node in page.root.traverse(include_text=True) if node.tag == "-text"]
    for name in ("aria-label", "title", "alt", "placeholder"):
        said += [node.attributes[name] or "" for node in page.css(f"[{name}]")]
    words = {word for text in said for word in re.findall(r"[^\W\d_]{2,}", NO_WORDS.sub("", text))}
    assert words <= NAMES


def _nodes(html: str) -> set[str]:
    page = LexborHTMLParser(html)
    for data in page.css("svg, .changed"):  # what is drawn, and what was written into the log
        data.decompose()
    body = page.body
    assert body is not None
    nodes = (node for node in body.traverse(include_text=True) if node.tag == "-text")
    return {" ".join((node.text(deep=False) or "").split()) for node in nodes}


def test_every_page_is_written_in_german() -> None:
    """What a sample holds was said when it was made; the words of a page itself are looked up as it is written."""
    with speaking("de"):
        english = {
            message.id
            for message in extracted()
            if isinstance(message.id, str) and " " in message.id and gettext(message.id) != message.id
        }
    environment = build_templates()
    leftovers: dict[str, set[str]] = {}
    for page, (template, context) in PAGES.items():
        if template.startswith(IN_ENGLISH):
            continue
        held = repr(context)
        with speaking("de"):
            html = environment.get_template(template).render(context)
        assert '<html lang="de"' in html, page
        assert "%(" not in html, page
        if left := {text for text in _nodes(html) & english if text not in held}:
            leftovers[page] = left
    assert not leftovers


def test_figures_and_times_are_written_as_german_writes_them() -> None:
    at = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    with speaking("de"):
        assert money(123456, "eur") == "1.234,56\u00a0€"
        assert money(-980, "jpy") == "\u2212980\u00a0¥"
        assert money_short(124_000_000, "usd") == "1,24\u00a0Mio.\u00a0$"
        assert percent(0.0087) == "0,87\u00a0%"
        assert utc(at) == "01.03.2026, 09:05\u00a0UTC"
        assert moment_words(at) == "1. März 2026, 09:05 UTC"
    assert scale_word(10**9) == "B"


def test_a_mail_is_written_in_the_language_of_its_reader() -> None:
    words = {"greeting": "Guten Tag Erika,", "changed_at": "heute", "url": "https://payflux.example/forgot"}
    with speaking("de"):
        mail = write_mail("password_changed", **words)
    assert mail.subject == "Ihr PayFlux-Passwort wurde geändert"
    assert '<html lang="de">' in mail.html
    assert write_mail("password_changed", **words).subject == "Your PayFlux password was changed"


def test_what_is_spoken_ends_with_its_task() -> None:
    with speaking("de"):
        with speaking("xx"):
            assert language() == SOURCE_LANGUAGE
        assert language() == "de"
    assert language() == SOURCE_LANGUAGE
    with speaking("de"):
        assert gettext("") == ""  # what stands under it is the catalogue's own head


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT, en;q=0.9", "de"),
        ("fr, en;q=0.5, de;q=0.7", "de"),
        ("en;q=0.1, de;q=0", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("DE", "de"),
        ("xx;;;q=foo, de-;q=2, \x00", "en"),
    ],
)
def test_the_language_is_the_one_that_a_browser_wants_most(header: str, key: str) -> None:
    assert accepted(header) == key


async def test_what_a_form_refuses_is_said_in_the_language_of_who_sent_it() -> None:
    nowhere = cast("World", None)  # refused before anything is asked
    with speaking("de"):
        assert problems_of("owner", name="", scopes=(), days=90)["name"].startswith("Geben Sie dem Schlüssel")
        with pytest.raises(InvalidInput) as wrong:
            await authorize_with_key(nowhere, key="sk_live_x")
        assert wrong.value.fields["key"].startswith("Das ist ein geheimer Schlüssel")
        with pytest.raises(InvalidInput) as wrong:
            check_service_address(Settings(), "a chat", field="address")
        assert wrong.value.fields["address"].startswith("Das ist keine Adresse eines dieser Dienste")
