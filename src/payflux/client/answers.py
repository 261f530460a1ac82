"""What the API answers, typed. A field that a later server adds is passed over.

Money is integer minor units of its currency, a rate is in [0, 1], times are aware.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field


class Reason(Struct, frozen=True, kw_only=True):
    """Why the tier is what it is, and what would lower it."""

    key: str
    tier: int
    sentence: str
    lowers: str


class Signal(Struct, frozen=True, kw_only=True):
    """A measured signal; `value` None is what cannot be said. `level` is -1 (too little seen), 0 fine to 3 critical."""

    key: str
    label: str
    unit: str
    window: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: int = 0
    note: str = ""


class Surface(Struct, frozen=True, kw_only=True):
    """The risk surface. `reasons` is ranked, the one that set the tier first."""

    model_version: str
    as_of: datetime
    event_count: int
    trend: str
    reasons: list[Reason]
    signals: list[Signal]
    forecasting: dict[str, Any] | None = None


class Risk(Struct, frozen=True, kw_only=True):
    """What stands of a workspace: tier 1 (low) to 5 (critical), score 0 to 100, the higher the calmer."""

    merchant_id: str
    connection_id: str
    processor: str
    risk_tier: int
    risk_band: str
    stability_score: int
    known_until: datetime
    surface: Surface


class Finding(Struct, frozen=True, kw_only=True):
    """What one check of a website found; `severity` is 0 (none) to 4 (critical)."""

    check: str
    status: str
    severity: int
    title: str
    said: str
    url: str
    quote: str
    why: str
    mend: str


class WebsiteRisk(Struct, frozen=True, kw_only=True):
    """A scan of public pages. `tier` is None where they allow none, for the reason in `unjudged`."""

    url: str
    status: str
    problem: str
    tier: int | None
    unjudged: str
    reasons: list[str]
    findings: list[Finding]
    scanned_at: datetime | None
    basis: str


class Workspace(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a workspace has come."""

    workspace_id: str
    workspace_name: str
    activation_state: str
    is_live_monitored: bool
    connected_at: datetime | None
    first_projection_at: datetime | None
    live_monitored_at: datetime | None


class Window(Struct, frozen=True, kw_only=True):
    """Trapped capital at T+`horizon_days` with its 80 % interval; `trapped_bps` is of the sales forecast."""

    horizon_days: int
    trapped: int
    low: int
    high: int
    trapped_bps: int
    days_of_sales: float
    trapped_usd: int | None = None


class ReserveProjection(Struct, frozen=True, kw_only=True):
    model_version: str
    as_of: datetime
    currency: str
    windows: list[Window]


class Projection(Struct, frozen=True, kw_only=True):
    """What stands of a merchant's reserves."""

    merchant_id: str
    connection_id: str
    processor: str
    risk_tier: int
    risk_band: str
    projection: ReserveProjection


class PastProjection(Struct, frozen=True, kw_only=True):
    """What was said at `as_of`, at its horizons."""

    as_of: datetime
    reason: str
    risk_tier: int
    risk_band: str
    stability_score: int
    currency: str
    windows: list[Window]


class Outcome(Struct, frozen=True, kw_only=True):
    """A horizon of a projection beside what happened; `score` is None while it cannot be told, for `why_not`."""

    as_of: datetime
    horizon_days: int
    due_at: datetime
    score: dict[str, Any] | None
    why_not: str | None


class TrackRecord(Struct, frozen=True, kw_only=True):
    data: list[Outcome]
    next: Outcome | None


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened at the processor; amounts are never negative, `kind` says which way the money moved."""

    id: str
    kind: str
    status: str
    occurred_at: datetime
    amount: int
    currency: str
    settled_amount: int
    settled_currency: str
    charge_id: str | None = None
    network: str | None = None
    reason: str | None = None


class Alert(Struct, frozen=True, kw_only=True):
    """What a rule has raised; `history` is there where one alert was asked for."""

    id: str
    rule: str
    state: str
    headline: str
    raised_at: datetime
    snoozed_until: datetime | None
    resolved_at: datetime | None
    facts: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)


class AlertMetric(Struct, frozen=True, kw_only=True):
    """What a rule may watch, in `unit`; `falling`: a lower value is the worse one."""

    key: str
    label: str
    unit: str
    falling: bool


class AlertRule(Struct, frozen=True, kw_only=True):
    """When an alert is raised, which `asks` says in a sentence, and whom it is told: of `told_to` and `posted_to`, None
    is everybody. `threshold` is in `unit`, None where there is none to choose."""

    id: str
    trigger: str
    name: str
    asks: str
    metric: str | None
    comparison: str | None
    threshold: float | None
    unit: str | None
    armed: bool
    by_mail: bool
    told_to: list[str] | None
    posted_to: list[str] | None


class EvidenceImport(Struct, frozen=True, kw_only=True):
    """A file that was brought from elsewhere; the artifact `sequence` says that it came, and its SHA-256."""

    id: str
    form: str
    file_name: str
    source_hash: str
    origin: str | None
    records: int
    imported_at: datetime
    sequence: int


class Sink(Struct, frozen=True, kw_only=True):
    """An endpoint that alerts are posted to; `secret` is there where it was just added, and never again."""

    id: str
    name: str
    url: str
    secret: str = ""
    disabled_at: datetime | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    id: str
    event_id: str | None
    state: str
    created_at: datetime
    due_at: datetime
    tries: list[dict[str, Any]]


class Usage(Struct, frozen=True, kw_only=True):
    """How much of a limit is used; a `limit` of None is none."""

    key: str
    used: int
    limit: int | None
    left: int | None
    reset_at: datetime | None
