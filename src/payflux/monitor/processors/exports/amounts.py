"""Amounts as exports write them, in major units, to integer minor units as the processor's API counts them."""

from __future__ import annotations

import re

from payflux.kit.money import exponent

LARGEST = 10**15
"""The largest amount accepted, in minor units: sums of thousands of them still fit 64 bits."""

_PLAIN = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")


def minor_units(text: str, currency: str, *, decimal_comma: bool = False) -> int:
    """The amount `text`, in major units of `currency`, as minor units.

    Reads `1234.5`, `1,234.50` and `-3`; with `decimal_comma` `1234,50` and `1.234,50`. Raises ValueError, with a reason
    that can be shown, for anything else, for more decimals than the currency has and for amounts over :data:`LARGEST`.
    """
    written = text.translate(str.maketrans(".,", ",.")) if decimal_comma and "," in text else text
    if "," in written and _GROUPED.fullmatch(written) and ("." in written or written.count(",") > 1):
        written = written.replace(",", "")
    match = _PLAIN.fullmatch(written)
    if not match:
        raise ValueError(f"{text!r} is not an amount such as 1234.56")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    places = exponent(currency)
    if len(fraction) > places:
        raise ValueError(f"{text!r} has more decimals than {currency.upper()} has ({places})")
    minor = int(whole + fraction.ljust(places, "0")) if len(whole) <= 18 else LARGEST + 1
    if minor > LARGEST:
        raise ValueError(f"{text!r} is larger than any amount accepted")
    return -minor if sign == "-" else minor
