"""How numbers, money and times read on a page, in the language of the task at hand. Registered as template filters by
:data:`FILTERS`.

Spaces inside a figure are no-break spaces, a minus is U+2212: a figure never breaks over two lines and lines up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from payflux.kit.figures import day_words, scale_word, symbol_comes_first, written
from payflux.kit.messages import gettext as _
from payflux.kit.money import exponent

NBSP = "\u00a0"
MINUS = "\u2212"

_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$", "nzd": "NZ$", "inr": "₹"}
_SCALES = (10**12, 10**9, 10**6)


def _major(minor: int, currency: str) -> tuple[Decimal, int]:
    digits = exponent(currency)
    return Decimal(minor).scaleb(-digits), digits


def _priced(amount: Decimal, digits: int, currency: str, suffix: str = "") -> str:
    symbol = _SYMBOLS.get(currency.lower(), currency.upper() + NBSP)
    quantised = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    sign, figure = MINUS if quantised < 0 else "", written(f"{abs(quantised):,}") + suffix
    return f"{sign}{symbol}{figure}" if symbol_comes_first() else f"{sign}{figure}{NBSP}{symbol.rstrip()}"


def money(minor: int, currency: str) -> str:
    """`minor` units of an ISO 4217 `currency` to the last unit: ``$12,412.37``, ``¥980``, ``KWD 1.250``."""
    amount, digits = _major(minor, currency)
    return _priced(amount, digits, currency)


def money_short(minor: int, currency: str) -> str:
    """`minor` units of `currency` as an estimate is read: whole units below a million, then ``$1.24M``."""
    amount, _digits = _major(minor, currency)
    for scale in _SCALES:
        if abs(amount) >= scale:
            return _priced(amount / scale, 2, currency, scale_word(scale))
    return _priced(amount, 0, currency)


def _plain(value: Decimal, digits: int) -> str:
    text = f"{abs(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)):,}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS if value < 0 and text != '0' else ''}{written(text)}"


def percent(rate: float) -> str:
    """A rate in [0, 1] with two decimals below 10 % and one above, without trailing zeros: ``0.87 %``, ``12.5 %``."""
    hundredfold = Decimal(repr(float(rate))) * 100
    return f"{_plain(hundredfold, 2 if abs(hundredfold) < 10 else 1)}{NBSP}%"


def count(number: int) -> str:
    """A whole number with thousands marked: ``3,412``."""
    return _plain(Decimal(number), 0)


def decimal(value: float, digits: int = 1) -> str:
    """`value` with exactly `digits` decimals, so that a column of them lines up: ``3.0``."""
    return written(f"{value:,.{digits}f}").replace("-", MINUS)


def measure(value: float | None, unit: str) -> str:
    """A signal's `value` with its unit (rate, count, level, days, ratio, nats); a dash when it cannot be said."""
    if value is None:
        return "–"
    if unit == "rate":
        return percent(value)
    if unit in ("count", "level"):
        return count(round(value))
    words = {"days": _("days"), "ratio": "×", "nats": _("nats")}.get(unit, unit)
    return f"{plain(value, 2)}{NBSP}{words}" if words else plain(value, 2)


def quantity(value: float | None, unit: str, currency: str) -> str:
    """A what-if's `value` in its unit: money in minor units of `currency`, a tier, a score, or a signal's measure."""
    if value is None:
        return _("cannot say")
    if unit == "money":
        return money_short(round(value), currency)
    if unit in ("tier", "score"):
        return count(round(value))
    return measure(value, unit)


def difference(before: float | None, after: float | None, unit: str, currency: str) -> str:
    """From `before` to `after` with its sign; that of rates in percentage points: ``−0.31 points``."""
    if before is None or after is None:
        return ""
    change = after - before
    points = _("points")
    size = f"{plain(abs(change) * 100, 2)}{NBSP}{points}" if unit == "rate" else quantity(abs(change), unit, currency)
    if not any("1" <= digit <= "9" for digit in size):
        return size
    return f"{MINUS if change < 0 else '+'}{size}"


def plain(value: float, digits: int) -> str:
    """`value` with up to `digits` decimals, thousands marked: ``1,250.5``."""
    return _plain(Decimal(repr(float(value))), digits)


def day(moment: date) -> str:
    """A day, or that of a time: ``21 Nov 2026``."""
    return day_words(moment).replace(" ", NBSP)


def exchange(rate: float, source: str, target: str) -> str:
    """A `rate` between minor units as people read one: ``1 EUR = 1.0842 USD``."""
    major = Decimal(repr(rate)).scaleb(exponent(source) - exponent(target))
    return f"1{NBSP}{source.upper()} = {_plain(major, 4 if major >= 1 else 6)}{NBSP}{target.upper()}"


def utc(moment: datetime) -> str:
    """An aware time in UTC, the zone named: ``21 Nov 2026, 10:59 UTC``. Raises ValueError when it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    moment = moment.astimezone(UTC)
    return f"{day(moment)}, {moment:%H:%M}{NBSP}UTC"


FILTERS: dict[str, Callable[..., str]] = {
    "money": money,
    "money_short": money_short,
    "percent": percent,
    "count_of": count,
    "decimal": decimal,
    "measure": measure,
    "day": day,
    "exchange": exchange,
    "utc": utc,
}
"""Template filters by name. `count` is `count_of` there, because Jinja's own `count` filter means length."""
