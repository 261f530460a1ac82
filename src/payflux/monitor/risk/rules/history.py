"""What is known of one workspace at an instant: the summary of its events, and what the processor says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from payflux.kit.messages import mark
from payflux.kit.phrases import counted
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import unpack_letters
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.risk.rules.summary import DAY, Summary, check_amounts, summarise
from payflux.monitor.risk.surface import Readout


@dataclass(frozen=True)
class History:
    """A summary up to `as_of`, with the rows that signals read, of GROUP_DTYPE in the order of days.

    `payments` are charges that succeeded, `declines` those that failed, `disputes` those that the networks count (no
    inquiry, none prevented), `refunds` those that succeeded. `currency` is the packed settlement currency that amounts
    are told in: at first the one of most payments in the window, else of all payments, else of all events, 0 without
    any. Amounts of different currencies are never added. `earlier` are the connection's readouts of the last 90 days.
    Where the source leaves declines out, `reads_declines` is false and there are none.
    """

    summary: Summary
    as_of: datetime
    window_days: int
    currency: int
    account: AccountSnapshot | None
    balance: BalanceSnapshot | None
    payments: np.ndarray
    declines: np.ndarray
    disputes: np.ndarray
    refunds: np.ndarray
    warnings: np.ndarray
    payouts: np.ndarray
    earlier: tuple[Readout, ...] = ()
    reads_declines: bool = True

    @property
    def declines_unseen(self) -> str:
        """Why no decline can be seen; empty where they can. A connection shows all attempts, a file may hold payments
        only."""
        if not self.reads_declines:
            return mark("This account is read from Stripe's reports, which leave declined attempts out.")
        return "" if self.account or self.declines.size else mark("Declines cannot be seen in this data.")

    @property
    def now(self) -> int:
        return int(self.as_of.timestamp())

    @property
    def today(self) -> int:
        """The day of UTC, counted since 1970."""
        return self.now // DAY

    @property
    def currency_code(self) -> str:
        """ISO 4217, lower case; the account's default, else `usd`, when nothing was sold."""
        if self.currency:
            return unpack_letters(self.currency).lower()
        return self.account.default_currency if self.account else "usd"

    @property
    def event_count(self) -> int:
        """Events of every kind in the window."""
        return count(self.last(self.summary.groups, self.window_days))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the summary, and what cannot be seen."""
        notes = []
        if self.summary.later:
            notes.append(
                counted(
                    self.summary.later,
                    "Left out: %(count)s event dated after the readout's time.",
                    "Left out: %(count)s events dated after the readout's time.",
                )
            )
        if self.summary.repeated:
            notes.append(
                counted(
                    self.summary.repeated,
                    "Left out: %(count)s event that had come before.",
                    "Left out: %(count)s events that had come before.",
                )
            )
        if self.account is None:
            notes.append(mark("The account's state cannot be seen in this data."))
        if self.balance is None:
            notes.append(mark("The account's balance cannot be seen in this data."))
        return tuple(notes)

    def last(self, rows: np.ndarray, days: int, skip: int = 0) -> np.ndarray:
        """Of `rows` (in the order of days) those of `days` whole days: the last ones with today so far, or those that
        ended `skip` days ago; 1 is yesterday, the last day that is over."""
        end = self.today - skip
        first, after = np.searchsorted(rows["day"], [end - days + 1, end + 1])
        return rows[first:after]

    def in_currency(self, rows: np.ndarray) -> np.ndarray:
        """Those `rows` that settle in the main currency."""
        return rows[rows["currency"] == self.currency]

    def volume(self, rows: np.ndarray) -> int:
        """Settled minor units of `rows` in the main currency."""
        return int(self.in_currency(rows)["settled"].sum())


def count(rows: np.ndarray) -> int:
    """How many events `rows` stand for."""
    return int(rows["count"].sum())


def totals(rows: np.ndarray, column: str) -> dict[int, int]:
    """How many events `rows` stand for by the value of `column`, in the order of the values."""
    values, place = np.unique(rows[column], return_inverse=True)
    counts = np.zeros(len(values), np.int64)
    np.add.at(counts, place, rows["count"])
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def weighted_median(values: np.ndarray, counts: np.ndarray) -> int | None:
    """The lower median of integer `values`, each standing for `counts` observations; None without any."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order], dtype=np.int64)
    return int(values[order][np.searchsorted(reached, (int(reached[-1]) + 1) // 2)]) if reached.size else None


def history_of(
    summary: Summary,
    *,
    as_of: datetime,
    account: AccountSnapshot | None = None,
    balance: BalanceSnapshot | None = None,
    window_days: int = 90,
    earlier: tuple[Readout, ...] = (),
    reads_declines: bool = True,
) -> History:
    """The history that a summary made at `as_of`, with a window of `window_days`, stands for.

    Without `reads_declines`, the few that were read are left out: they are no sample of all.

    Raises ValueError for amounts that are too large to be added up.
    """
    groups = summary.groups
    check_amounts(groups["settled"])
    charges = groups[groups["kind"] == Kind.CHARGE]
    disputes = groups[groups["kind"] == Kind.DISPUTE]
    refunds = groups[groups["kind"] == Kind.REFUND]
    paid = charges[charges["status"] == Status.SUCCEEDED]
    return History(
        summary=summary,
        as_of=as_of,
        window_days=window_days,
        currency=_main_currency(summary, paid),
        account=account,
        balance=balance,
        payments=paid,
        declines=charges[charges["status"] == Status.FAILED] if reads_declines else charges[:0],
        disputes=disputes[(disputes["status"] != Status.PREVENTED) & (disputes["status"] != Status.INQUIRY)],
        refunds=refunds[refunds["status"] == Status.SUCCEEDED],
        warnings=groups[groups["kind"] == Kind.EARLY_FRAUD_WARNING],
        payouts=groups[groups["kind"] == Kind.PAYOUT],
        earlier=earlier,
        reads_declines=reads_declines,
    )


def _main_currency(summary: Summary, payments: np.ndarray) -> int:
    """That of a merchant who sold nothing in the window is what was sold in before: disputes and holds remain."""
    if summary.currency:
        return summary.currency
    for rows in (payments, summary.groups):
        known = totals(rows[rows["currency"] > 0], "currency")
        if known:
            return max(known, key=lambda currency: (known[currency], -currency))
    return 0


def prepare(
    events: np.ndarray,
    *,
    as_of: datetime,
    account: AccountSnapshot | None = None,
    balance: BalanceSnapshot | None = None,
    window_days: int = 90,
    earlier: tuple[Readout, ...] = (),
    reads_declines: bool = True,
) -> History:
    """The history of single events; see :func:`summarise` for what is left out and what is raised."""
    summary = summarise(events, as_of=as_of, window_days=window_days)
    return history_of(
        summary,
        as_of=as_of,
        account=account,
        balance=balance,
        window_days=window_days,
        earlier=earlier,
        reads_declines=reads_declines,
    )
