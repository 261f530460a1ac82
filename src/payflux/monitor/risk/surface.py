"""The result of scoring a workspace: its baseline risk surface."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from payflux.kit.phrases import Phrasebook
from payflux.monitor.risk.outlook import Forecasting


class Band(StrEnum):
    LOW = "low"
    MODERATE = "moderate"
    ELEVATED = "elevated"
    HIGH = "high"
    CRITICAL = "critical"


BANDS: dict[int, Band] = dict(enumerate(Band, start=1))
"""The band of each tier, 1 low to 5 critical."""


class Trend(StrEnum):
    IMPROVING = "IMPROVING"
    STABLE = "STABLE"
    DEGRADING = "DEGRADING"


class Level(IntEnum):
    """How far a signal is over its own thresholds."""

    INSUFFICIENT_EVIDENCE = -1
    OK = 0
    WARN = 1
    HIGH = 2
    CRITICAL = 3


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One measured signal. `value` and the interval are in `unit`; None means it cannot be said, `note` says why.

    `judged` is the number that `level` was set on: the value itself, or the careful bound of its interval.
    """

    key: str  # dispute_activity, refund_rate, …
    label: str
    unit: str  # rate, count, days, ratio, nats
    window: str  # "last 30 days"
    value: float | None
    low: float | None = None  # bounds of the 80 % interval
    high: float | None = None
    numerator: int = 0
    denominator: int = 0
    basis_unit: str = "count"  # of numerator and denominator: "count", or "money" (minor units of the main currency)
    thresholds: tuple[float, float, float] | None = None  # warn, high, critical
    level: Level = Level.OK
    judged: float | None = None
    note: str = ""
    source: str = ""  # where formula and thresholds come from


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why the tier is what it is: the signal or rule, in a sentence, and what would lower it.

    `distance` is how far the number that was judged is beyond `threshold`, negative below it, in `unit`.
    """

    key: str  # of the signal, or of the hard rule
    tier: int  # the tier this reason alone asks for
    sentence: str
    lowers: str
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    distance: float | None = None


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """The chance that `signal` over the next `days_ahead` days asks for `tier` or worse.

    `events` are how many it takes on `payments` expected payments, `expected` how many are expected to come, with the
    80 % interval of that count.
    """

    signal: str
    tier: int
    probability: float
    events: int
    payments: int
    expected: float
    low: float
    high: float
    days_ahead: int


class DisputeOutlook(msgspec.Struct, frozen=True, kw_only=True):
    """The window's payments on one card network, and how many will be disputed for one reason in the end.

    `rate` is of all payments of that network, `to_come` how many disputes have not arrived yet; low and high are 80 %
    intervals. `over_threshold` is the chance that the rate is at or over `threshold`. Where `insufficient`, too little
    was seen: the figures are mostly what is usual.
    """

    network: str  # all, visa, mastercard, …
    reason: str  # all, fraud, other
    payments: int
    seen: int
    rate: float
    rate_low: float
    rate_high: float
    to_come: float
    to_come_low: float
    to_come_high: float
    threshold: float
    over_threshold: float
    insufficient: bool


class DisputeCost(msgspec.Struct, frozen=True, kw_only=True):
    """One part of what a dispute costs beyond its amount, as a range where sources conflict; minor units."""

    kind: str  # dispute fee, fine, event fee, issuer recovery
    programme: str  # its key; empty: the processor itself
    low: int
    high: int
    currency: str
    basis: str
    source: str


class NextDispute(msgspec.Struct, frozen=True, kw_only=True):
    """What one more dispute this month would cost on a card `network`; empty: the network cannot be seen."""

    network: str
    items: tuple[DisputeCost, ...]


class ToThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """How many further events of the running month reach a programme's step; 0: it is reached, None: cannot be said.

    `now` is on the payments so far, `month_end` on those expected by then. `blocked` names the figures that no event
    moves or that are not known.
    """

    programme: str
    name: str
    step: str
    needs: str
    events: int
    payments: int
    now: int | None
    month_end: int | None
    blocked: tuple[str, ...]
    confidence: str  # processor, secondary, unconfirmed
    source: str


class Readout(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier readout of the same connection said, as far as later ones look back at it."""

    as_of: datetime
    asked_tier: int
    payout_delay_days: int | None = None


class RiskSurface(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's risk as of one instant. `reasons` is ranked, the one that set the tier first.

    `asked_tier` is what the reasons ask for now; `risk_tier` is the tier that stands, which falls a day later only.
    `trend_note` says what moved, `notes` what was left out or cannot be seen.
    """

    model_version: str
    as_of: datetime
    window_days: int
    event_count: int  # events in the window
    risk_tier: int  # 1 to 5
    risk_band: Band
    stability_score: int  # 0 to 100, higher is calmer
    trend: Trend
    reasons: tuple[Reason, ...]
    signals: tuple[Signal, ...]
    inputs_hash: str  # hex SHA-256 of the canonical inputs
    trend_note: str = ""
    notes: tuple[str, ...] = ()
    asked_tier: int = 0
    payout_delay_days: int | None = None  # of the account's schedule, as of now
    escalation: Escalation | None = None  # None where it cannot be said
    forecasting: Forecasting | None = None  # None in readouts of earlier model versions
    dispute_outlook: tuple[DisputeOutlook, ...] = ()  # the whole first
    next_dispute: tuple[NextDispute, ...] = ()  # one for each network that can be seen
    to_threshold: tuple[ToThreshold, ...] = ()
    phrases: Phrasebook | msgspec.UnsetType = msgspec.UNSET
