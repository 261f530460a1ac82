"""Which attempts were made within an hour after the same card had been declined."""

from __future__ import annotations

import numpy as np

from payflux.monitor.processors.codes import Kind, Status

RETRY_SECONDS = 3_600
_SLOT_BITS = 22
_MANY = 1 << 11


def retry_times(charges: np.ndarray) -> np.ndarray:
    """Unix times of the charges whose card's previous charge was declined at most an hour before, in no order."""
    settled = (charges["status"] == Status.SUCCEEDED) | (charges["status"] == Status.FAILED)
    chosen = charges[settled & (charges["card"] != 0) & (charges["kind"] == Kind.CHARGE)]
    failed = chosen["status"] == Status.FAILED
    return times_of_retries(chosen["at"], chosen["card"], chosen["source"], failed)


def times_of_retries(at: np.ndarray, card: np.ndarray, source: np.ndarray | None, failed: np.ndarray) -> np.ndarray:
    """As :func:`retry_times`, on the columns of attempts with a known card; without `source` they are in order."""
    if not failed.any():
        return at[:0]
    if at.size >= _MANY:
        near = np.flatnonzero(_around_declines(at, card, failed))
        at, card, failed = at[near], card[near], failed[near]
        source = None if source is None else source[near]
    source = np.arange(at.size) if source is None else source
    in_order = (at[1:] > at[:-1]) | ((at[1:] == at[:-1]) & (source[1:] >= source[:-1]))
    order = np.argsort(card, kind="stable") if in_order.all() else np.lexsort((source, at, card))
    card, at, failed = card[order], at[order], failed[order]
    return at[1:][(card[1:] == card[:-1]) & failed[:-1] & (at[1:] - at[:-1] <= RETRY_SECONDS)]


def _around_declines(at: np.ndarray, card: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Which attempts may lie within an hour after a decline of their card, by a hashed set of (card, 4,096 seconds).

    Whatever lies between a decline and an attempt within the hour is among them, so that neighbours stay neighbours
    and the sort is small.
    """
    slot = ((card >> 7) + (at >> 12)) & ((1 << _SLOT_BITS) - 1)
    declined = np.zeros(1 << _SLOT_BITS, bool)
    places = slot[failed]
    declined[places] = True
    declined[(places + 1) & ((1 << _SLOT_BITS) - 1)] = True
    return declined[slot]
