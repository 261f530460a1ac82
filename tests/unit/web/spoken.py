"""The sample pages as somebody reads them who speaks another language: built anew in it, data and all."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from gettext import NullTranslations
from typing import Any

import pytest

from payflux.kit import messages
from payflux.kit.messages import speaking
from payflux.web.rendering import build_templates
from tests.messages import extracted

OPENS, CLOSES = "⟦", "⟧"
SAMPLES = "tests.unit.web.samples"


class Bracketed(NullTranslations):
    """A language in which everything that the catalogue has stands in brackets."""

    def __init__(self) -> None:
        super().__init__()
        self._has = {text for message in extracted() if message.id for text in _texts(message.id)}

    def gettext(self, message: str) -> str:
        return f"{OPENS}{message}{CLOSES}" if message in self._has else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def _texts(message: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


@contextmanager
def bracketed() -> Generator[None]:
    """What speaks German inside speaks in brackets instead."""
    with pytest.MonkeyPatch.context() as patch:
        brackets, english = Bracketed(), NullTranslations()
        patch.setattr(messages, "_catalogue", lambda chosen: brackets if chosen == "de" else english)
        yield


def spoken_pages(language: str) -> dict[str, tuple[str, str]]:
    """The template and the HTML of every sample page by its name, built and rendered in `language`."""
    with speaking(language):
        samples = _samples_anew()
        environment = build_templates()
        return {
            name: (template, environment.get_template(template).render(context))
            for name, (template, context) in samples.PAGES.items()
        }


def _samples_anew() -> Any:
    """The module of samples, imported in the language of the task at hand; the one that others use stays theirs."""
    package = SAMPLES.rpartition(".")[0]
    theirs = {name: module for name, module in sys.modules.items() if name.startswith(package) and "samples" in name}
    for name in theirs:
        del sys.modules[name]
    try:
        return importlib.import_module(SAMPLES)
    finally:
        sys.modules.update(theirs)
