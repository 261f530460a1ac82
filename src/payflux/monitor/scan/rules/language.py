"""Whether pages are written in English, which is what the checks read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from payflux.monitor.scan.rules.pages import Page

ENGLISH = "en"
FEWEST_WORDS = 40
"""Of a website, below which nothing is said about it: it may be drawn by a script, which the scan does not run."""

_COMMON = re.compile(
    r"\b(?:the|of|and|to|in|is|for|that|on|with|are|be|this|you|your|we|our|at|by|from|or|as|it|not|can|will|all|have)\b"
)
_SHARE = 0.12
_WORD = re.compile(r"[^\W\d_]+")


def language_of(pages: Iterable[Page]) -> str:
    """ "en" for pages in English, by how often its most common words stand there (a fifth to a third of running
    text, about a tenth of lists); else the language that the first page names, or an empty string."""
    pages = list(pages)
    words = list(
        islice((word.lower() for page in pages for block in page.blocks for word in _WORD.findall(block)), 4000)
    )
    if words and len(_COMMON.findall(" ".join(words))) / len(words) >= _SHARE:
        return ENGLISH
    named = next((page.language for page in pages if page.language), "").partition("-")[0]
    return "" if named == ENGLISH else named


def too_little(pages: Iterable[Page]) -> bool:
    return sum(page.words for page in pages) < FEWEST_WORDS
