"""A history as the months that the card networks' programmes look at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payflux.kit.messages import mark
from payflux.kit.phrases import say
from payflux.monitor.processors.codes import REASONS, Method, Network, Status
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.programmes import Month, Programme, programme
from payflux.monitor.risk.rules.summary import DAY

NETWORKS = {"vamp": Network.VISA, "ecm": Network.MASTERCARD, "efm": Network.MASTERCARD, "amex": Network.AMEX}
"""The programmes that a history can be held against, by key."""

_CARD_NOT_PRESENT = ("vamp", "efm")
_FROM_THE_FIFTH = ("ecm", "efm")
_FRAUD = tuple(REASONS.index(reason) for reason in ("fraudulent", "unrecognized"))
"""How a processor tells Mastercard's 4837 (no authorisation) and 4863 (not recognised). Assumed."""


class Standing(NamedTuple):
    """The phase of a programme in force, and the months to hold against it: oldest first, the last one running.

    `elapsed` and `length` are seconds of the running month.
    """

    phase: Programme
    months: list[Month]
    elapsed: int
    length: int

    @property
    def pairs(self) -> list[tuple[Month | None, Month]]:
        """Each month with the one before."""
        return list(zip([None, *self.months], self.months, strict=False))

    @property
    def expected_payments(self) -> int:
        """Payments of the whole running month at its pace so far."""
        return self.months[-1].payments * self.length // max(1, self.elapsed)


def standing(history: History, key: str) -> Standing | str:
    """The history held against programme `key`, or why it cannot be.

    A month that the history may not hold whole is left out: its payments are not known. Amounts are in the currency
    of settlement, known where that is the programmes' own: United States dollars, for Mastercard also euros.
    """
    network, country = NETWORKS[key], _country(history)
    phase = programme(key, history.as_of.date(), country)
    if phase is None:
        if country:
            return say("The programme is not in force on this day in %(country)s.", country=country)
        return mark("The programme is not in force on this day.")
    of_network = history.payments["network"]
    if not (of_network == network).any():
        known = (of_network != Network.UNKNOWN).any()
        if known:
            return say("No payment by %(network)s.", network=_NAMES[network])
        return mark("The card network cannot be seen in this data.")
    shift = 4 if key in _FROM_THE_FIFTH and country == "US" else 0
    first, last = _first_whole_month(history), month_of(history.today - shift)
    if first > last:
        return mark("The history holds no whole month yet.")
    starts = np.array([_first_day(month) for month in range(first, last + 2)])
    begun = (int(starts[-2]) + shift) * DAY
    return Standing(
        phase,
        _months(history, key, network, first, starts, shift),
        history.now - begun,
        int(starts[-1] - starts[-2]) * DAY,
    )


def standings(history: History) -> dict[str, Standing]:
    """The history held against each programme that it can be."""
    held = {key: standing(history, key) for key in NETWORKS}
    return {key: stands for key, stands in held.items() if isinstance(stands, Standing)}


def month_of(day: int) -> int:
    """The calendar month of a day, both counted since 1970."""
    return int(np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64))


_NAMES = {Network.VISA: "Visa", Network.MASTERCARD: "Mastercard", Network.AMEX: "American Express"}


def _months(history: History, key: str, network: Network, first: int, starts: np.ndarray, shift: int) -> list[Month]:
    def mine(rows: np.ndarray) -> np.ndarray:
        kept = rows["network"] == network
        if key in _CARD_NOT_PRESENT:
            kept &= rows["method"] != Method.CARD_PRESENT
        return rows[kept]

    def by_month(rows: np.ndarray, column: str = "count", later: int = 0) -> list[int]:
        total = np.concatenate([[0], np.cumsum(rows[column])])
        return np.diff(total[np.searchsorted(rows["day"], starts + later)]).tolist()

    payments, disputes, warnings = mine(history.payments), mine(history.disputes), mine(history.warnings)
    frauds = disputes[np.isin(disputes["reason"], _FRAUD)]
    code, unknown = history.currency_code, [None] * (len(starts) - 1)
    in_dollars = code == "usd"
    in_terms = in_dollars or (code == "eur" and network == Network.MASTERCARD)
    secured = (payments["three_d_secure"] >= 0).any()
    events = history.in_currency(np.concatenate([disputes, warnings]))
    events = events[np.argsort(events["day"], kind="stable")]
    columns = {
        "payments": by_month(payments),
        "disputes": by_month(disputes, later=shift),
        "fraud_reports": by_month(warnings),
        "fraud_disputes": by_month(frauds, later=shift),
        "reversals": by_month(disputes[disputes["status"] == Status.WON], later=shift),
        "credits": by_month(mine(history.refunds)),
        "vamp_amount": by_month(events, "settled") if in_dollars else unknown,
        "fraud_dispute_amount": by_month(history.in_currency(frauds), "settled", shift) if in_terms else unknown,
        "secured_payments": by_month(payments[payments["three_d_secure"] == 1]) if secured else unknown,
    }
    return [
        Month(first + place, **dict(zip(columns, figures, strict=True)))
        for place, figures in enumerate(zip(*columns.values(), strict=True))
    ]


def _first_whole_month(history: History) -> int:
    first = month_of(int(history.payments["day"][0]))
    created = history.account.created_at if history.account else None
    opened = month_of(int(created.timestamp()) // DAY) if created else first - 1
    return first if opened >= first else first + 1


def _first_day(month: int) -> int:
    return int(np.datetime64(month, "M").astype("datetime64[D]").astype(np.int64))


def _country(history: History) -> str:
    return history.account.country.upper() if history.account else ""
