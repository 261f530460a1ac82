"""How much of Stripe's attention older history may take. Pure."""

from __future__ import annotations

from datetime import timedelta

from payflux.monitor.processors.pull import Pace

BACKGROUND = Pace(share=0.25, at_once=2, for_at_most=timedelta(minutes=1))
"""A quarter of the rate, so that the merchant's own requests, and what somebody waits for, come first; and no worker
is held for longer than a minute."""

TAKEN_OVER_PAUSE = timedelta(seconds=5)
OUTAGE_PAUSE = timedelta(minutes=10)
ALLOWANCE_PAUSE = timedelta(days=1)

INTERRUPTED = "interrupted"
"""The problem of a pull whose job was given up for a reason that is none of Stripe's: it is read on."""

ALLOWANCE_PERIOD = timedelta(days=30)
_READS_A_TRANSACTION, _FEWEST_READS = 500, 10_000
_OUR_SHARE = 0.5


def reads_allowed(transactions: int) -> int:
    """How many requests we make of an account that had so many transactions in :data:`ALLOWANCE_PERIOD`: half of what
    Stripe allows everybody who reads it together (docs.stripe.com/rate-limits, "API read request allocations")."""
    return int(max(_FEWEST_READS, _READS_A_TRANSACTION * transactions) * _OUR_SHARE)
