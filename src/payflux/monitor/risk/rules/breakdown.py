"""Disputes that are still to come, by card network and by reason."""

from __future__ import annotations

import numpy as np

from payflux.monitor.processors.codes import Network, reason_code
from payflux.monitor.risk.rules import lag
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.cohorts import by_age, dispute_lags
from payflux.monitor.risk.rules.history import History, totals
from payflux.monitor.risk.rules.lag import Breakdown, Group, Ultimate
from payflux.monitor.risk.surface import DisputeOutlook

FRAUD = reason_code("fraudulent")


def break_down(history: History) -> Breakdown:
    """The ultimate disputes on the window's payments, whole and by network and reason (module `lag.groups`)."""
    networks = list(totals(history.payments, "network"))
    fraud = history.disputes["reason"] == FRAUD
    payments = {
        network: by_age(history, history.payments[history.payments["network"] == network]) for network in networks
    }
    disputes = {
        Group(network, of_fraud): dispute_lags(history, _of(history.disputes, network, fraud == of_fraud, networks))
        for network in networks
        for of_fraud in (True, False)
    }
    return lag.break_down(payments, disputes, history.window_days)


def dispute_outlook(breakdown: Breakdown) -> tuple[DisputeOutlook, ...]:
    """The whole first, then each network's fraud and other disputes; nothing without payments."""
    if not breakdown.whole.payments:
        return ()
    parts = [
        _row(Network(group.network).name.lower(), "fraud" if group.fraud else "other", ultimate)
        for group, ultimate in breakdown.groups.items()
        if ultimate.payments
    ]
    return (_row("all", "all", breakdown.whole), *parts)


def _of(disputes: np.ndarray, network: int, reason: np.ndarray, networks: list[int]) -> np.ndarray:
    """Those of a network; one that no payment shows counts with the first network, so that none is lost."""
    mine = disputes["network"] == network
    if network == networks[0]:
        mine |= ~np.isin(disputes["network"], networks)
    return disputes[mine & reason]


def _row(network: str, reason: str, ultimate: Ultimate) -> DisputeOutlook:
    rate, coming = ultimate.rate.estimate, ultimate.to_come
    threshold = BANDINGS["ultimate_dispute_rate"].thresholds[1]
    return DisputeOutlook(
        network=network,
        reason=reason,
        payments=ultimate.payments,
        seen=ultimate.seen,
        rate=rate.value,
        rate_low=rate.low,
        rate_high=rate.high,
        to_come=coming.value,
        to_come_low=coming.low,
        to_come_high=coming.high,
        threshold=threshold,
        over_threshold=ultimate.rate.probability_over(threshold),
        insufficient=ultimate.insufficient,
    )
