"""Ultimate disputes by card network and by reason: fraud and all else, which arrive and are judged apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from payflux.monitor.risk.rules.lag.curves import NO_LAGS, Lags, Reporting, reporting
from payflux.monitor.risk.rules.lag.posterior import Posterior
from payflux.monitor.risk.rules.lag.rates import Ultimate, cape_cod

GROUP_EVENTS = 4.0
"""What the merchant's own rate weighs in that of one network, in events: networks' rates are assumed to differ by half
(a Gamma of shape 4 has a relative standard deviation of 1/2)."""


class Group(NamedTuple):
    network: int
    fraud: bool


class Breakdown(NamedTuple):
    """The whole, and its parts: their expected disputes to come, and in the end, add up to those of the whole."""

    whole: Ultimate
    groups: dict[Group, Ultimate]
    reporting: Reporting  # of the whole


def break_down(exposure: Mapping[int, np.ndarray], disputes: Mapping[Group, Lags], window_days: int) -> Breakdown:
    """The disputes on the last `window_days` days' payments in the end, by network and reason.

    `exposure` holds each network's payments by age in days (as :func:`~.rates.cape_cod` takes them, all of one length).
    All networks together are estimated first, and fraud and the rest of them apart, each with its own curve shrunk to
    the common one. A network's prior is that rate, worth :data:`GROUP_EVENTS` events. Then all parts are scaled by one
    factor to the whole, which rests on the most data. Networks without payments are left out.
    """
    networks = [network for network, payments in exposure.items() if payments.any()]
    days = max((len(payments) for payments in exposure.values()), default=1)
    total = np.zeros(days, np.int64)
    for network in networks:
        total = total + exposure[network]
    common = reporting(_together(*disputes.values()), days)
    whole = cape_cod(total, _together(*disputes.values()), common, window_days)
    groups = {}
    for fraud in (True, False):
        these = _together(*(lags for group, lags in disputes.items() if group.fraud is fraud))
        own = reporting(these, days, common)
        rate = cape_cod(total, these, own, window_days).rate
        prior = Posterior(GROUP_EVENTS, GROUP_EVENTS / rate.mean)
        for network in networks:
            lags = disputes.get(Group(network, fraud), NO_LAGS)
            groups[Group(network, fraud)] = cape_cod(exposure[network], lags, own, window_days, prior)
    return Breakdown(whole, _scaled(groups, whole), common)


def _scaled(groups: dict[Group, Ultimate], whole: Ultimate) -> dict[Group, Ultimate]:
    coming = math.fsum(part.coming.mean * part.unripe for part in groups.values())
    rated = math.fsum(part.rate.mean * part.payments for part in groups.values())
    to_coming = whole.coming.mean * whole.unripe / coming if coming else 1.0
    to_rated = whole.rate.mean * whole.payments / rated if rated else 1.0
    return {
        group: part._replace(
            coming=Posterior(part.coming.shape, part.coming.exposure / to_coming),
            rate=Posterior(part.rate.shape, part.rate.exposure / to_rated),
        )
        for group, part in groups.items()
    }


def _together(*parts: Lags) -> Lags:
    return Lags(*(np.concatenate(columns) for columns in zip(NO_LAGS, *parts, strict=True)))
