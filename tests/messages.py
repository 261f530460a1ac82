"""Brings every catalogue of messages up to what the code says now: ``make messages``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from payflux.kit.messages import LANGUAGES, SOURCE_LANGUAGE
from payflux.monitor.processors.codes import REASONS
from payflux.monitor.risk.rules.programmes import REGISTRY
from payflux.web.sample import sample_readout

SOURCE = Path(str(files("payflux")))
LOCALES = SOURCE / "locales"

_SPOKEN_TO_OPERATORS = ("admin/**", "cli/**", "sandbox/**", "templates/admin/**", "templates/report.html")
"""What is English in every language: staff and whoever runs PayFlux read it."""

_METHODS = [
    *((place, "ignore") for place in _SPOKEN_TO_OPERATORS),
    ("**.py", "python"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
    ("emails/**", "jinja2.ext:babel_extract"),
]
_OPTIONS = {"**": {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None, "say": None, "counted": (2, 3)}
_SOLD = SOURCE / "frontdoor" / "catalogue" / "catalogue.toml"
_SOLD_TO_PEOPLE = ("name", "one", "many", "description", "title", "why", "verb")
_SOLD_TABLES = ("features", "team_sizes", "roles", "processors")


def catalogue_path(language: str) -> Path:
    return LOCALES / f"{language}.po"


def extracted() -> Catalog:
    """Every message that the code marks, the public words of what is sold and of registries, and the story of the
    landing page's sample."""
    catalog = Catalog(project="PayFlux", charset="utf-8")
    found = extract_from_dir(SOURCE, _METHODS, {"**": _OPTIONS["**"]}, _KEYWORDS)
    for _file, _line, message, _comments, context in found:
        catalog.add(message, context=context)
    for words in (*_sold(tomllib.loads(_SOLD.read_text())), *_registered(), sample_readout().story):
        catalog.add(words)
    return catalog


def _registered() -> Iterator[str]:
    """A processor's reason codes, and what the registry of programmes says of each."""
    yield from (reason.replace("_", " ") for reason in REASONS)
    for phase in REGISTRY:
        yield from (text for text in (phase.counts, phase.note) if text)
        yield from (step.name for step in phase.steps if not step.name.isupper())  # else it is a proper name


def _sold(table: dict[str, object], heading: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _sold(value, key)
        elif isinstance(value, str) and (heading in _SOLD_TABLES or key in _SOLD_TO_PEOPLE):
            yield value


def updated(language: str) -> Catalog:
    """The catalogue of `language` with the messages of today: none that is gone, no guess at one that is new."""
    with catalogue_path(language).open("rb") as file:
        catalog = read_po(file, locale=language)
    catalog.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    for message in catalog:
        message.flags.discard("python-format")
    return catalog


def written(catalog: Catalog) -> bytes:
    """`catalog` as it is kept: sorted, and without the places that messages stand at, so that only words change it."""
    # the writer stamps what it writes; a date that nobody reads would be in every change
    catalog.revision_date = catalog.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    into = BytesIO()
    write_po(into, catalog, width=120, no_location=True, sort_output=True, omit_header=False)
    return into.getvalue()


if __name__ == "__main__":
    for language in LANGUAGES:
        if language != SOURCE_LANGUAGE:
            catalogue_path(language).write_bytes(written(updated(language)))
