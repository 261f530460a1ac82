"""Payments that a rule of Radar puts under review, and how each review ends."""

from __future__ import annotations

import numpy as np

from payflux.sandbox.merchants.chance import Chance, quantile
from payflux.sandbox.merchants.orders import Orders
from payflux.sandbox.merchants.tables import Charge, Dispute, Refund, Review, Table

RULE = "review_if_elevated_risk"
RULE_SCORE = 65  # the rule takes payments of elevated risk
REVIEW_LAG = ((0.0, 600.0), (0.5, 14_400.0), (0.9, 86_400.0), (1.0, 172_800.0))  # seconds until somebody approves
CLOSED_REASONS = ("approved", "refunded", "refunded_as_fraud", "disputed")
_APPROVED, _REFUNDED, _AS_FRAUD, _DISPUTED = range(4)
_FRAUDULENT = 2  # index into REFUND_REASONS
NEVER = 2**62


def make_reviews(
    charges: Table[Charge], refunds: Table[Refund], disputes: Table[Dispute], orders: Orders
) -> Table[Review]:
    """One review for each successful payment of elevated risk, opened with it. It ends when somebody approves it, or
    earlier with a refund or a dispute; never by itself where a call has closed it."""
    rows = np.flatnonzero((charges.data["paid"] == 1) & (charges.data["risk_score"] >= RULE_SCORE))
    found = charges.data[rows]
    chance = Chance("reviews")
    keys = chance.bits("review", found["key"])
    lag = quantile(REVIEW_LAG, chance.uniform("lag", found["key"])).astype(np.int64)
    closed_at, closed = found["created"] + lag, np.full(len(rows), _APPROVED)
    for table, reason in (
        (refunds, np.where(refunds.data["reason"] == _FRAUDULENT, _AS_FRAUD, _REFUNDED)),
        (disputes, np.full(len(disputes), _DISPUTED)),
    ):
        at, why = np.full(len(charges), NEVER), np.zeros(len(charges), np.int64)
        at[table.data["charge"]], why[table.data["charge"]] = table.created, reason
        sooner = at[rows] < closed_at
        closed_at, closed = np.where(sooner, at[rows], closed_at), np.where(sooner, why[rows], closed)
    closed_at[np.isin(keys, list(orders.approved))] = NEVER
    return Table(
        Review, {"created": found["created"], "key": keys, "charge": rows, "closed_at": closed_at, "closed": closed}
    )
