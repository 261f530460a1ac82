"""A history as it would be had a change been in force throughout: exact counts, nothing counted twice."""

from __future__ import annotations

import numpy as np

from payflux.monitor.processors.codes import Kind, Method, Network, Status, reason_code
from payflux.monitor.risk.rules.history import History, history_of
from payflux.monitor.risk.rules.summary import GROUP_KEYS
from payflux.monitor.whatif.changes import SHIFTED_SHARE, Changes

MILLION = 1_000_000


def changed_history(history: History, changes: Changes) -> History:
    """`history` with `changes` made, each to what the ones before left.

    Authentication first, as a fraud it keeps away needs nothing further; then resolution before filing; then refunds
    of open warnings. A change takes its share of the events in the order of days, rounded over all of them, so that
    no fraction is lost in small groups. Fraud reports stay, whatever is done: Visa counts them all the same.
    """
    groups = history.summary.groups
    if changes.three_d_secure:
        groups = _authenticated(groups, changes.three_d_secure)
    if changes.rdr:
        groups = _resolved_before_filing(groups, changes.rdr)
    if changes.refund_warnings:
        groups = _refunded_warnings(groups, history.today)
    return history_of(
        history.summary._replace(groups=merged(groups)),
        as_of=history.as_of,
        account=history.account,
        balance=history.balance,
        window_days=history.window_days,
    )


def merged(groups: np.ndarray) -> np.ndarray:
    """Rows in the order of their keys, those of one key as one, those of nothing left out."""
    kept = groups[groups["count"] > 0]
    ordered = kept[np.lexsort([kept[name] for name in reversed(GROUP_KEYS)])]
    if not ordered.size:
        return ordered
    new = np.ones(len(ordered), bool)
    new[1:] = np.any([ordered[name][1:] != ordered[name][:-1] for name in GROUP_KEYS], axis=0)
    starts = np.flatnonzero(new)
    rows = ordered[starts]
    for name in ("count", "settled"):
        rows[name] = np.add.reduceat(ordered[name], starts)
    return rows


def taken(groups: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """`groups` cut into what is left and what is taken, `share` of the events to the millionth.

    The running count is rounded down and amounts follow the counts, so that both parts add up to the whole.
    """
    reached = np.cumsum(groups["count"], dtype=np.int64)
    floor = reached * round(share * MILLION) // MILLION
    part, rest = groups.copy(), groups.copy()
    part["count"] = np.diff(floor, prepend=0)
    whole = np.maximum(groups["count"], 1)
    part["settled"] = [
        amount * count // all_
        for amount, count, all_ in zip(groups["settled"].tolist(), part["count"].tolist(), whole.tolist(), strict=True)
    ]
    for name in ("count", "settled"):
        rest[name] -= part[name]
    return rest, part


def _authenticated(groups: np.ndarray, share: float) -> np.ndarray:
    """Payments by card authenticated, and the fraud disputes on them gone: the issuer is liable for those."""
    paid = (groups["kind"] == Kind.CHARGE) & (groups["status"] == Status.SUCCEEDED)
    open_to_it = paid & (groups["three_d_secure"] != 1) & (groups["method"] != Method.CARD_PRESENT)
    disputed = (groups["kind"] == Kind.DISPUTE) & (groups["reason"] == reason_code("fraudulent"))
    disputed &= groups["three_d_secure"] != 1
    payments, shielded = taken(groups[open_to_it], share)
    shielded["three_d_secure"] = 1
    left, _ = taken(groups[disputed], share * SHIFTED_SHARE)
    return np.concatenate([groups[~open_to_it & ~disputed], payments, shielded, left])


def _resolved_before_filing(groups: np.ndarray, share: float) -> np.ndarray:
    """Visa disputes refunded before they are filed: prevented, and refunds on the same day."""
    filed = (groups["kind"] == Kind.DISPUTE) & (groups["network"] == Network.VISA)
    filed &= (groups["status"] != Status.PREVENTED) & (groups["status"] != Status.INQUIRY)
    left, prevented = taken(groups[filed], share)
    refunds = prevented.copy()
    prevented["status"] = Status.PREVENTED
    refunds["kind"], refunds["status"], refunds["reason"] = Kind.REFUND, Status.SUCCEEDED, 0
    return np.concatenate([groups[~filed], left, prevented, refunds])


def _refunded_warnings(groups: np.ndarray, today: int) -> np.ndarray:
    """Warnings that can still be answered: settled, and their payments refunded today."""
    waiting = (groups["kind"] == Kind.EARLY_FRAUD_WARNING) & (groups["status"] == Status.ACTIONABLE)
    settled, refunds = groups[waiting], groups[waiting]
    settled["status"] = Status.SETTLED
    refunds["kind"], refunds["status"], refunds["reason"], refunds["day"] = Kind.REFUND, Status.SUCCEEDED, 0, today
    return np.concatenate([groups[~waiting], settled, refunds])
