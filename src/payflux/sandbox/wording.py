"""Amounts, rhythms and dates as the hosted pages say them."""

from __future__ import annotations

from datetime import UTC, datetime

from payflux.sandbox.store import Json

# docs.stripe.com/currencies#zero-decimal
ZERO_DECIMAL = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: `$1,234.50`, `¥500`, `12.00 CHF`."""
    text = f"{abs(amount):,}" if currency in ZERO_DECIMAL else f"{abs(amount) / 100:,.2f}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{sign}{text} {currency.upper()}"


def rhythm(price: Json) -> str:
    """`per month`, `every 3 months`, "" for a price that is paid once."""
    every = price["recurring"]
    if not every:
        return ""
    count, unit = every["interval_count"], every["interval"]
    return f"per {unit}" if count == 1 else f"every {count} {unit}s"


def day(moment: int) -> str:
    """`21 November 2026`, UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%-d %B %Y}"


def discount(coupon: Json) -> str:
    """`25% off for 3 months`."""
    if coupon["percent_off"] is not None:
        off = f"{coupon['percent_off']:g}% off"
    else:
        off = f"{money(coupon['amount_off'], coupon['currency'])} off"
    months = coupon["duration_in_months"]
    return off + {"forever": "", "once": " once", "repeating": f" for {months} months"}[coupon["duration"]]


def unit(price: Json) -> str:
    """One piece of a price."""
    if price["unit_amount"] is not None:
        return money(price["unit_amount"], price["currency"])
    return f"{price['unit_amount_decimal']} {price['currency'].upper()} in the smallest unit"


def grouped(number: str) -> str:
    """A card number in groups of four."""
    return " ".join(number[n : n + 4] for n in range(0, len(number), 4))
