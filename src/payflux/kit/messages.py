"""The one catalogue of what people read: English stands in the code, every other language in `locales/`.

`gettext` looks a sentence up when it is shown, in the language of the task at hand. Text that is defined once and shown
later is wrapped in `mark`, so that the extractor finds it, and looked up where it is shown.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE_LANGUAGE = "en"
LANGUAGES = {"en": "English", "de": "Deutsch"}  # each by its own name, as a choice of languages shows it

_language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


def language() -> str:
    """The language of the task at hand, a key of `LANGUAGES`."""
    return _language.get()


@contextmanager
def speaking(chosen: str) -> Generator[None, None, None]:
    """What is looked up inside is in `chosen`; a language that nobody translated is English."""
    token = _language.set(chosen if chosen in LANGUAGES else SOURCE_LANGUAGE)
    try:
        yield
    finally:
        _language.reset(token)


def speak(chosen: str) -> None:
    """From here to the end of the task at hand what is looked up is in `chosen`."""
    _language.set(chosen if chosen in LANGUAGES else SOURCE_LANGUAGE)


def gettext(message: str) -> str:
    """`message` in the language of the task at hand; as it stands where no translation is there."""
    return _catalogue(language()).gettext(message) if message else ""  # what stands under "" is the catalogue's head


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of a message that `count` things need."""
    return _catalogue(language()).ngettext(singular, plural, count)


def sentence_start(words: str) -> str:
    """`words` as a sentence begins with them; the rest as it is, for a language may write nouns with a capital."""
    return words[:1].upper() + words[1:]


def mark(message: str) -> str:
    """`message` itself: says to the extractor that it is looked up where it is shown."""
    return message


@cache
def _catalogue(chosen: str) -> NullTranslations:
    if chosen == SOURCE_LANGUAGE:
        return NullTranslations()
    source = files("payflux") / "locales" / f"{chosen}.po"
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=chosen))
    compiled.seek(0)
    return GNUTranslations(compiled)
