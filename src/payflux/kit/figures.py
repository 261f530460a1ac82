"""How figures and times read in the language of the task at hand: Unicode's CLDR, by Babel."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from babel.core import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import get_decimal_symbol, get_group_symbol

from payflux.kit.messages import SOURCE_LANGUAGE, language


def written(figure: str) -> str:
    """A `figure` that was written in English, with the marks of the language: ``1,234.5`` is ``1.234,5`` in German."""
    spoken = language()
    if spoken == SOURCE_LANGUAGE:
        return figure
    return figure.translate(str.maketrans({",": get_group_symbol(spoken), ".": get_decimal_symbol(spoken)}))


def understood(typed: str) -> Decimal:
    """The number that was `typed` with the marks of the language: ``1.234,5`` in German is 1234.5. Raises ValueError
    where a mark stands elsewhere than that language writes it, for then another number may be meant."""
    spoken = language()
    group, point = re.escape(get_group_symbol(spoken)), re.escape(get_decimal_symbol(spoken))
    found = re.fullmatch(rf"([+-]?)([1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d*)(?:{point}(\d+))?", typed, re.ASCII)
    if found is None or not (found[2] or found[3]):
        raise ValueError("no number in this language")
    whole = re.sub(group, "", found[2])
    return Decimal(f"{found[1]}{whole or '0'}.{found[3] or '0'}")


def symbol_comes_first() -> bool:
    """Whether a currency's symbol stands before the amount: ``$5`` in English, ``5 $`` in German."""
    return Locale.parse(language()).currency_formats["standard"].pattern.startswith("¤")


def scale_word(scale: int) -> str:
    """The short word for the power of ten `scale`, with the space before it: ``M`` in English, `` Mio.`` in German."""
    return Locale.parse(language()).compact_decimal_formats["short"]["other"][str(scale)].suffix[0].replace("'", "")


def day_words(moment: date, *, long: bool = False) -> str:
    """A day: ``21 Nov 2026``, or ``21.11.2026`` in German; `long` with the name of the month in full."""
    spoken = language()
    if spoken != SOURCE_LANGUAGE:
        return format_date(moment, "long" if long else "medium", spoken)
    return f"{moment:%d %B %Y}" if long else f"{moment.day} {moment:%b} {moment.year}"


def short_day(moment: date) -> str:
    """A day without its year, as an axis names it: ``21 Nov``, or ``21. Nov.`` in German."""
    spoken = language()
    if spoken != SOURCE_LANGUAGE:
        return format_skeleton("MMMd", moment, locale=spoken)
    return f"{moment.day} {moment:%b}"


def moment_words(at: datetime) -> str:
    """An aware time in UTC as mails say it: ``21 November 2026, 10:59 UTC``."""
    at = at.astimezone(UTC)
    return f"{day_words(at, long=True)}, {at:%H:%M} UTC"
