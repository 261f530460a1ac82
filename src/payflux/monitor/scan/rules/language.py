"""Whether pages are written in English or German, which is what the checks read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from payflux.monitor.scan.rules.pages import Page

ENGLISH, GERMAN = "en", "de"
READ = (ENGLISH, GERMAN)
FEWEST_WORDS = 40
"""Of a website, below which nothing is said about it: it may be drawn by a script, which the scan does not run."""

_COMMON = {
    ENGLISH: re.compile(
        r"\b(?:the|of|and|to|in|is|for|that|on|with|are|be|this|you|your|we|our|at|by|from|or|as|it|not|can|will|all|"
        r"have)\b"
    ),
    GERMAN: re.compile(
        r"\b(?:der|die|das|und|in|zu|den|ist|mit|von|für|auf|nicht|eine?|wir|sie|ihre?|unsere|bei|oder|als|auch|nach|"
        r"im|dem|des|an|aus|kann|sind|werden|wird)\b"
    ),
}
_SHARE = 0.12
_WORD = re.compile(r"[^\W\d_]+")


def language_of(pages: Iterable[Page]) -> str:
    """ "en" or "de" for pages in English or German, by how often the most common words of each stand there (a fifth to
    a third of running text, about a tenth of lists); else the language that the first page names, or an empty
    string."""
    pages = list(pages)
    words = list(
        islice((word.lower() for page in pages for block in page.blocks for word in _WORD.findall(block)), 4000)
    )
    text = " ".join(words)
    shares = {key: len(common.findall(text)) / max(len(words), 1) for key, common in _COMMON.items()}
    likeliest = max(shares, key=lambda key: shares[key])
    if shares[likeliest] >= _SHARE:
        return likeliest
    named = next((page.language for page in pages if page.language), "").partition("-")[0]
    return "" if named in READ else named


def too_little(pages: Iterable[Page]) -> bool:
    return sum(page.words for page in pages) < FEWEST_WORDS
