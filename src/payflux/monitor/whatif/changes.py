"""The changes that can be asked about, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

RDR_SHARE = 0.9
"""Share of Visa disputes that rapid dispute resolution takes when it is on for all of them. Assumed: the merchant's own
rules decide it, and no public figure exists."""

SHIFTED_SHARE = 0.8
"""Share of fraud disputes that authentication keeps away from the merchant. Assumed: exempt and unauthenticated
payments stay the merchant's, and no public figure exists."""

_NAMES = "refund-warnings, rdr, 3ds, growth and reserve"
_SHARE = re.compile(r"(-?\d{1,3}(?:\.\d{1,4})?)\s*%")
_RESERVE = re.compile(r"(\d{1,3}(?:\.\d{1,2})?)\s*%(?:\s*x\s*(\d{1,3}))?")


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed, all at once; None and False leave things as they are. Raises ValueError for what means nothing.

    `rdr` is the share of Visa disputes resolved before they are filed, `three_d_secure` the share of payments that are
    authenticated, `growth` a share a month, `reserve_rate` and `hold_days` a rolling reserve.
    """

    refund_warnings: bool = False
    rdr: float | None = None
    three_d_secure: float | None = None
    growth: float | None = None
    reserve_rate: float | None = None
    hold_days: int | None = None

    def __post_init__(self) -> None:
        for name, share in (("rdr", self.rdr), ("3ds", self.three_d_secure), ("reserve", self.reserve_rate)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} is a share from 0 % to 100 %.")
        if self.growth is not None and not -0.5 <= self.growth <= 1:
            raise ValueError("growth is from -50 % to 100 % a month.")
        if self.hold_days is not None and not 1 <= self.hold_days <= 365:
            raise ValueError("a reserve holds each day's sales for 1 to 365 days.")

    def __bool__(self) -> bool:
        return self != Changes()


def parse_changes(texts: Iterable[str]) -> Changes:
    """Changes as they are written: `refund-warnings`, `rdr`, `rdr=80%`, `3ds=50%`, `growth=10%`, `reserve=15%x120`.

    Raises ValueError, with a sentence that says what to write, for anything else and for a change named twice.
    """
    chosen: dict[str, object] = {}
    for text in texts:
        name, has_value, value = (part.strip() for part in text.strip().lower().partition("="))
        found = _change(name, value if has_value else None, text)
        if chosen.keys() & found.keys():
            raise ValueError(f"{name} is named twice; once is enough.")
        chosen |= found
    return msgspec.convert(chosen, Changes)


def _change(name: str, value: str | None, text: str) -> dict[str, object]:
    match name, value:
        case "refund-warnings", None:
            return {"refund_warnings": True}
        case "rdr", None:
            return {"rdr": RDR_SHARE}
        case "rdr", share if share is not None:
            return {"rdr": _share(share, text, "rdr=80%")}
        case "3ds", share if share is not None:
            return {"three_d_secure": _share(share, text, "3ds=50%")}
        case "growth", share if share is not None:
            return {"growth": _share(share, text, "growth=10%")}
        case "reserve", terms if terms is not None:
            matched = _RESERVE.fullmatch(terms)
            if matched is None:
                raise ValueError(f"{text!r} is no reserve; write reserve=15% or, with its days, reserve=15%x120.")
            rate, days = matched.groups()
            return {"reserve_rate": float(rate) / 100} | ({"hold_days": int(days)} if days else {})
        case (("3ds" | "growth" | "reserve"), None):
            raise ValueError(f"{name} needs a share, as in {name}=10%.")
        case "refund-warnings", _:
            raise ValueError("refund-warnings takes no value.")
    raise ValueError(f"{text!r} is not a change; there are {_NAMES}.")


def _share(value: str, text: str, example: str) -> float:
    matched = _SHARE.fullmatch(value)
    if matched is None:
        raise ValueError(f"{text!r} is not a share; write it as in {example}.")
    return float(matched[1]) / 100
