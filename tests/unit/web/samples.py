"""A context for every page, as a route would pass it, and the pages rendered from them as the product renders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from markupsafe import Markup

from payflux.activation.conditions import Condition
from payflux.activation.obstacles import not_ready_problem, too_little_problem
from payflux.activation.progress import Progress, Stage
from payflux.activation.readiness import Check as ReadinessCheck
from payflux.frontdoor.billing.rules import Standing
from payflux.kit.charts import BandPoint, band_chart, step_scale
from payflux.kit.phrases import spoken
from payflux.monitor.processors.backfill.queries import BackfillProgress
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.events import pack_letters
from payflux.monitor.processors.live.freshness import Freshness, Staleness
from payflux.monitor.processors.live.models import WebhookEvent
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.news import ReadingReason
from payflux.monitor.processors.permissions import CAPABILITIES, KEY_PERMISSIONS, key_creation_url
from payflux.monitor.processors.reconciling.rules import Check, Identity, State
from payflux.monitor.processors.snapshots import AccountSnapshot
from payflux.monitor.projections.projection import Exposure, ProjectedWindow, ReserveProjection, ReserveScenario
from payflux.monitor.projections.scorebook import Outcome, ProjectionScore, Scorebook
from payflux.monitor.projections.timeline import ReadingPoint
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import (
    BANDS,
    DisputeCost,
    Level,
    NextDispute,
    Reason,
    RiskSurface,
    Signal,
    ToThreshold,
    Trend,
)
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.service import Reply, reply
from payflux.web.books import lines_of
from payflux.web.charts import comparison_chart, release_chart, tier_timeline_chart, trapped_timeline_chart
from payflux.web.comparison import changes_in_words, comparison
from payflux.web.explaining import rolling_example, signal_rows, tier_rows
from payflux.web.formatting import money_short
from payflux.web.freshness import line_of
from payflux.web.outlook import releases_by_week, series_rows
from payflux.web.pages.explanation import DEFAULTS
from payflux.web.programmes import programme_rows
from payflux.web.readouts import REASONS, ReadingLine
from payflux.web.rendering import build_templates
from payflux.web.whatif_form import EXAMPLES, FIELDS, typed
from tests.unit.projections.building import projected
from tests.unit.risk.building import AS_OF, DAY, FULL, SOUND, about, elevated_merchant, sales
from tests.unit.risk.building import NOW as NOW_SECONDS
from tests.unit.web.access_samples import access_pages
from tests.unit.web.alert_samples import OPEN_ALERTS, alert_pages
from tests.unit.web.benchmark_samples import benchmark_pages
from tests.unit.web.billing_samples import FORECASTING, billing_pages
from tests.unit.web.evidence_samples import evidence_pages
from tests.unit.web.identity_samples import UNVERIFIED, identity_pages
from tests.unit.web.launch_samples import launch_pages
from tests.unit.web.onboarding_samples import onboarding_pages
from tests.unit.web.provider_samples import provider_pages
from tests.unit.web.public_samples import public_pages
from tests.unit.web.retention_samples import retention_pages
from tests.unit.web.scan_samples import scan_pages
from tests.unit.web.security_samples import security_pages
from tests.unit.web.source_samples import source_pages
from tests.unit.web.staff_samples import staff_pages
from tests.unit.web.team_samples import team_pages
from tests.unit.web.workspace_samples import workspace_pages

ROOT = Path(__file__).parents[3] / "src" / "payflux"
NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
TRIAL = Standing("pro", None, "trialing", NOW - timedelta(days=5), NOW + timedelta(days=9))

SURFACE = RiskSurface(
    model_version="risk-1.0.0",
    as_of=NOW,
    window_days=90,
    event_count=847,
    risk_tier=3,
    risk_band=BANDS[3],
    stability_score=62,
    trend=Trend.DEGRADING,
    reasons=(
        Reason(
            key="dispute_activity",
            tier=3,
            sentence="21 disputes on 2,412 payments in the last 30 days is 0.87 %; processors start to act at 0.75 %.",
            lowers="Below 18 disputes on this volume the reason disappears: refund the 4 open fraud warnings first.",
            value=0.0087,
            threshold=0.0075,
            unit="rate",
        ),
        Reason(
            key="growth",
            tier=2,
            sentence="The last 7 days' sales are 1.6 times your usual week.",
            lowers="Tell your processor before a promotion.",
        ),
    ),
    signals=(
        Signal(
            key="dispute_activity",
            label="Dispute activity",
            unit="rate",
            window="last 30 days",
            value=0.0087,
            low=0.0065,
            high=0.0115,
            numerator=21,
            denominator=2412,
            thresholds=(0.004, 0.0075, 0.01),
            level=Level.HIGH,
        ),
        Signal(
            key="coverage",
            label="Coverage",
            unit="ratio",
            window="now",
            value=1.4,
            thresholds=(2.0, 1.0, 0.5),
            level=Level.WARN,
        ),
        Signal(
            key="refund_rate",
            label="Refund rate",
            unit="rate",
            window="last 30 days",
            value=0.0446,
            numerator=347_567,
            denominator=7_801_508,
            thresholds=(0.08, 0.15, 0.25),
        ),
        Signal(
            key="failure_entropy",
            label="Variety of decline reasons",
            unit="nats",
            window="last 30 days",
            value=1.77,
            denominator=156,
        ),
        Signal(
            key="ticket_drift",
            label="Ticket drift",
            unit="nats",
            window="7 against 60 days",
            value=-0.12,
            thresholds=(0.3, 0.6, 1.0),
        ),
        Signal(
            key="efw_rate",
            label="Early fraud warnings",
            unit="rate",
            window="last 30 days",
            value=None,
            level=Level.INSUFFICIENT_EVIDENCE,
            note="1 warning: fewer than 3 say nothing.",
        ),
    ),
    inputs_hash="9f2c" * 16,
    trend_note="dispute activity up from 0.61 % to 0.87 %",
    notes=("2 events from the future are left out.",),
)


def _window(days: int) -> ProjectedWindow:
    held = 46_000 * days
    return ProjectedWindow(
        horizon_days=days,
        trapped=held,
        low=held * 9 // 10,
        high=held * 23 // 20,
        trapped_bps=1000,
        days_of_sales=days / 10,
        forecast_sales=10 * held,
    )


PROJECTION = ReserveProjection(
    model_version="reserve-1.0.0",
    as_of=NOW,
    currency="usd",
    event_count=847,
    window_days=90,
    current_reserve_rate=0.0,
    currently_held=0,
    scenario=ReserveScenario(name="rolling reserve, tier 3", rate=0.1, hold_days=90, basis="The commonest terms."),
    windows=(_window(30), _window(60), _window(90)),
    daily=tuple((day, 46_000 * day, 41_000 * day, 53_000 * day) for day in range(91)),
    daily_sales=460_000,
    trend_multiplier=1.0,
    exposure=Exposure(
        chargebacks_to_come=310_000,
        refunds_to_come=820_000,
        undelivered=1_240_000,
        open_disputes=190_000,
        gross=2_560_000,
        coverage=2_100_000,
        shortfall=460_000,
    ),
    assumptions=("Delivery takes 8 days.", "Amounts in US dollars; 12 events in other currencies are left out."),
    inputs_hash="41ab" * 16,
)

SCORE = ProjectionScore(
    currency="usd",
    sales_said=13_800_000,
    sales_low=12_900_000,
    sales_high=14_700_000,
    sales=14_210_000,
    trapped_said=1_380_000,
    trapped_low=1_290_000,
    trapped_high=1_400_000,
    trapped=1_421_000,
    held=0,
    tier_said=3,
    tier=2,
)


def outcome(horizon: int, *, score: ProjectionScore | None = None, why_not: str | None = None) -> Outcome:
    """A horizon of the projection made 40 days before :data:`NOW`, over or not."""
    made = NOW - timedelta(days=40)
    due = made.replace(hour=0, minute=0) + timedelta(days=horizon + 1)
    return Outcome(as_of=made, horizon_days=horizon, due_at=due, score=score, why_not=why_not)


UNSCORED = Scorebook(next=outcome(60))
SCORED = Scorebook(
    due=(outcome(30, score=SCORE), outcome(25, why_not="The history is known without a gap until 3 Nov 2026 only.")),
    next=outcome(60),
)

PROBLEM = {
    "title": "Stripe did not connect",
    "what_happened": "You, or Stripe, ended the connection before it was confirmed.",
    "what_is_safe": "Nothing was read and nothing changed in your Stripe account.",
    "what_to_do": "Choose Connect Stripe again, or use a restricted key.",
}
USER = {
    "name": "Alice Archer",
    "email": "alice@example.com",
    "email_verified": True,
    "mail_returns": False,
    "impersonated_by": None,
}
SIGNED_OUT = {"csrf_token": "token", "sandbox": False, "user": None, "providers": [], "passkeys_here": True}
SIGNED_IN = {
    "csrf_token": "token",
    "sandbox": True,
    "user": USER,
    "workspace": {"name": "Archer Supplies"},
    "live": True,
    "standing": TRIAL,
    "now": NOW,
}
FORM = SIGNED_OUT | {
    "form": {"name": "", "email": "", "plan": ""},
    "errors": {},
    "next": "",
    "last_method": "",
}
ACTIVATE = SIGNED_IN | {
    "entitled_at": NOW - timedelta(minutes=12),
    "in_trial": True,
    "problem": None,
    "oauth_available": True,
    "app_available": True,
    "key_permissions": KEY_PERMISSIONS,
    "key_creation_url": key_creation_url(),
    "form": {},
    "errors": {},
}


STAGES = (
    ("pull", "Pulling processor data", "Retrieving payment events from your Stripe account..."),
    ("baseline", "Computing risk baseline", "Analyzing failure patterns, retry pressure, geographic entropy..."),
    ("projection", "Generating reserve projection", "Modeling reserve exposure across T+30, T+60, T+90 windows..."),
    ("alerts", "Arming default alerts", "Setting up tier escalation, reserve spike, and trend monitors..."),
)


def stages(finished: int, counted: str = "", then: str = "running") -> list[dict[str, str]]:
    """The four stages with the first `finished` done and the next one as `then` says."""
    states = ["done"] * finished + [then] + ["waiting"] * 3
    return [
        {"key": key, "label": label, "detail": detail, "state": state, "count": counted if key == "pull" else ""}
        for (key, label, detail), state in zip(STAGES, states, strict=False)
    ]


ARMING = SIGNED_IN | {
    "stages": stages(1, "3,412 charges · 118 refunds · 21 disputes"),
    "done": False,
    "slow": False,
    "live": False,
    "problem": None,
    "waiting": False,
    "again": False,
    "dashboard": False,
    "ask_host": False,
    "suggested_host": "",
    "may_change": True,
    "errors": {},
    "form": {},
}
WAITING = {"waiting": True, "dashboard": True}
NOT_READY = not_ready_problem(
    AccountSnapshot(
        external_id="acct_1",
        taken_at=NOW,
        charges_enabled=False,
        disabled_reason="requirements.past_due",
        past_due=("individual.verification.document", "external_account"),
    )
)
READINESS = SIGNED_IN | {
    "checks": None,
    "errors": {},
    "problem": None,
    "key_permissions": KEY_PERMISSIONS,
    "key_creation_url": key_creation_url(),
}
EMPTY = SIGNED_IN | {"live": False, "problem": None, "notices": [], "first_run": None}
PARTIAL = SIGNED_IN | {
    "notices": [],
    "first_run": None,
    "live": False,
    "progress": Progress(
        "connected_generating", tuple(Stage(**stage) for stage in stages(1, "3,412 charges")), False, True, None
    ),
}


def charts(surface: RiskSurface, projection: ReserveProjection) -> dict[str, Any]:
    """The drawings of the dashboard."""

    def dollars(minor: float) -> str:
        return money_short(round(minor), projection.currency)

    def drawn(*, width: int, height: int) -> Markup:
        return band_chart(
            [BandPoint(*day) for day in projection.daily],
            title="Capital trapped, day by day",
            description="Expected trapped capital over 90 days with its 80 % range.",
            format_x=lambda day: f"T+{day:.0f}",
            format_y=dollars,
            marks=(30, 60, 90),
            width=width,
            height=height,
        )

    return {
        "tier_scale": step_scale(
            ["Low", "Moderate", "Elevated", "High", "Critical"], surface.risk_tier, title="Risk tier", danger_from=4
        ),
        "projection_chart": drawn(width=720, height=260),
        "projection_chart_narrow": drawn(width=360, height=240),
    }


def going_elsewhere() -> np.ndarray:
    """A merchant with a reserve in force, a few undated holds among them, who also sells in euros."""
    dollars = elevated_merchant()
    charges = dollars[(dollars["kind"] == Kind.CHARGE) & (dollars["status"] == Status.SUCCEEDED)]
    held = about(Kind.RESERVE_HOLD, charges[charges["at"] > NOW_SECONDS - 60 * DAY], 0)
    held["settled"] //= 10
    held["ends_at"] = np.where(np.arange(len(held)) % 5, held["at"] + 90 * DAY, 0)
    euros = sales(per_day=9, days=200, amount=4_100, currency=pack_letters("eur"), settled_currency=pack_letters("eur"))
    euros["source"] += 1
    converted = sales(per_day=1, days=80, currency=pack_letters("eur"), settled=1_084)
    converted["source"] += 2
    return np.concatenate([dollars, held, euros, converted])


def outlooks(surface: RiskSurface, projection: ReserveProjection) -> dict[str, Any]:
    """What the dashboard shows below the first look."""
    weeks = releases_by_week(projection.calendar, projection.as_of.date())
    return {
        "release_weeks": weeks,
        "release_charts": [release_chart(weeks, projection.currency, width) for width in (720, 360)] if weeks else [],
        "series": series_rows(surface.forecasting, projection.currency) if surface.forecasting else [],
    }


HOUR = (NOW - timedelta(hours=1), NOW)
BOOKS = [
    Check(Identity.MOVEMENTS_STORED, "charge", "usd", *HOUR, 41_200, 40_000, State.DIFFERS, "1 not stored."),
    Check(Identity.BALANCE_CHANGE, "payments", "usd", *HOUR, 38_700, 38_700, State.HOLDS),
    Check(Identity.OPEN_RESERVES, "balance", "usd", *HOUR, None, None, State.CANNOT_TELL, "Stripe does not show it."),
]
READING = ReadingLine(NOW - timedelta(hours=2), REASONS[ReadingReason.EVENT], NOW, None, failed=False)
DASHBOARD = (
    SIGNED_IN
    | charts(SURFACE, PROJECTION)
    | outlooks(SURFACE, PROJECTION)
    | {
        "live_version": "a1b2c3d4",
        "surface": SURFACE,
        "projection": PROJECTION,
        "scorebook": UNSCORED,
        "first_visit": True,
        "processor": "Stripe",
        "freshness": line_of(Freshness(NOW - timedelta(minutes=12)), NOW),
        "reading": READING,
        "books": lines_of(BOOKS[1:]),
        "degraded": [],
        "forecasting_offer": None,
        "notices": [],
        "open_alerts": OPEN_ALERTS,
    }
)
PROJECTION_SETTINGS = SIGNED_IN | {
    "typed": {"rate": "10", "hold_days": "90", "horizons": "14, 120"},
    "errors": {},
    "may_change": True,
    "who_may": "The owner, an admin or an analyst",
    "projection": PROJECTION,
    "furthest": 180,
    "most_added": 3,
}
FULL_PROJECTION = spoken(projected(going_elsewhere()))
FULL_SURFACE = msgspec.structs.replace(
    spoken(score(prepare(going_elsewhere(), as_of=AS_OF, account=SOUND, balance=FULL))),
    to_threshold=(
        ToThreshold(
            programme="vamp",
            name="Visa Acquirer Monitoring Program",
            step="excessive",
            needs="events at least 1.5 % of payments and at least 1,500 events",
            events=21,
            payments=1_204,
            now=1_479,
            month_end=1_479,
            blocked=(),
            confidence="processor",
            source="docs.stripe.com/disputes/monitoring-programs",
        ),
        ToThreshold(
            programme="amex",
            name="American Express excessive disputes",
            step="excessive",
            needs="disputes less won ones more than 1 % of payments less refunded ones",
            events=0,
            payments=0,
            now=None,
            month_end=None,
            blocked=("net_payments",),
            confidence="secondary",
            source="support.paya.com",
        ),
    ),
    next_dispute=(
        NextDispute(
            network="visa",
            items=(
                DisputeCost(
                    kind="dispute fee",
                    programme="",
                    low=1_500,
                    high=3_000,
                    currency="usd",
                    basis="on receipt; the higher figure when it is answered and not won",
                    source="support.stripe.com",
                ),
            ),
        ),
    ),
)
CONNECTION = SIGNED_IN | {
    "connection": Connection(
        name="Archer Supplies Ltd",
        host="archer.example",
        host_source="account",
        external_account_id="acct_1PayFluxSample",
        method="restricted_key",
        status="degraded",
        livemode=False,
        connected_at=NOW - timedelta(days=2),
        hook_endpoint_id="we_1PayFluxSample",
    ),
    "ended": False,
    "may_change": True,
    "problem": None,
    "errors": {},
    "form": {},
    "last_pulled_at": NOW,
    "capabilities": [
        (capability, {"balance": "forbidden", "reserves": "not_enabled"}.get(name, "ok"))
        for name, capability in CAPABILITIES.items()
    ],
    "event_counts": [("Charges", 3412), ("Refunds", 118), ("Disputes", 21)],
    "reach": "endpoint",
    "reachable": True,
    "reads_declines": True,
    "older": BackfillProgress(
        read_back_to=NOW - timedelta(days=120),
        goal=NOW - timedelta(days=400),
        finished_at=None,
        problem="",
        objects=4210,
    ),
    "latest_events": [
        WebhookEvent(type="charge.succeeded", received_at=NOW, state="applied", outcome=""),
        WebhookEvent(type="mandate.updated", received_at=NOW, state="ignored", outcome="unknown type"),
    ],
    "endpoint_url": "https://payflux.example/hooks/stripe/0123456789abcdef",
    "event_types": EVENT_TYPES,
    "secret_endings": ["4f2a"],
    "key_creation_url": key_creation_url(),
    "freshness": line_of(Freshness(NOW - timedelta(minutes=12)), NOW),
    "books": lines_of(BOOKS),
}
ERROR = SIGNED_OUT | {
    "status": 404,
    "request_id": "req_01JD",
    "what_happened": "",
    "what_is_safe": "",
    "what_to_do": "",
}


def readings(count: int) -> list[ReadingPoint]:
    """The newest first, a day apart."""
    return [
        ReadingPoint(
            NOW - timedelta(days=number),
            ReadingReason.EVENT if number % 3 else ReadingReason.SWEEP,
            2 + number % 2,
            70 - number,
            "usd",
            tuple(
                msgspec.structs.replace(window, trapped=window.trapped * (30 - number) // 30)
                for window in PROJECTION.windows
            ),
        )
        for number in range(count)
    ]


PROJECTIONS = SIGNED_IN | {
    "live_version": "a1b2c3d4",
    "surface": SURFACE,
    "projection": PROJECTION,
    "reading": READING,
    "freshness": line_of(Freshness(NOW - timedelta(minutes=12)), NOW),
    "reasons": REASONS,
    "asked": False,
    "readings": readings(12),
    "left_out": 1,
    "trapped_charts": [trapped_timeline_chart(readings(12)[::-1], width) for width in (720, 360)],
    "tier_charts": [tier_timeline_chart(readings(12)[::-1], width) for width in (720, 360)],
}


def replied(changes: Changes) -> Reply:
    """What a merchant made of columns is answered."""
    return spoken(reply(prepare(elevated_merchant(), as_of=AS_OF, account=SOUND, balance=FULL), changes))


def what_if(changes: Changes, **query: str) -> dict[str, Any]:
    """The context of the what-if page, asked by `query` and understood as `changes`."""
    replied_to = replied(changes)
    found = replied_to.answer
    return SIGNED_IN | {
        "form": typed(query),
        "errors": {},
        "fields": FIELDS,
        "examples": EXAMPLES,
        "reply": replied_to,
        "standing_tier": 4,
        "event_count": 847,
        "asked": changes_in_words(changes),
        "comparison": comparison(found) if found else [],
        "charts": [comparison_chart(found, 720, 260), comparison_chart(found, 360, 240)] if found else [],
    }


PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    **access_pages(SIGNED_OUT, SIGNED_IN),
    **alert_pages(SIGNED_IN),
    **billing_pages(SIGNED_OUT, SIGNED_IN, (SURFACE, PROJECTION)),
    **benchmark_pages(SIGNED_IN),
    **evidence_pages(SIGNED_IN),
    **identity_pages(SIGNED_OUT, SIGNED_IN),
    **launch_pages(SIGNED_OUT, SIGNED_IN, ARMING),
    **provider_pages(SIGNED_OUT, SIGNED_IN),
    **public_pages(SIGNED_OUT, SIGNED_IN),
    **scan_pages(SIGNED_OUT, SIGNED_IN),
    **retention_pages(SIGNED_IN),
    **security_pages(SIGNED_OUT, SIGNED_IN),
    **source_pages(SIGNED_IN),
    **staff_pages(SIGNED_OUT, ARMING),
    **team_pages(SIGNED_OUT, SIGNED_IN),
    **workspace_pages(SIGNED_IN),
    "arming-unverified": ("arming.html", ARMING | {"user": UNVERIFIED}),
    "dashboard-unverified": ("dashboard.html", DASHBOARD | {"user": UNVERIFIED}),
    "register": ("register.html", FORM),
    "register-refused": (
        "register.html",
        FORM
        | {
            "form": {"name": "Alice", "email": "alice@", "plan": "pro"},
            "errors": {"email": "Enter a whole e-mail address.", "password": "This password is too short."},
        },
    ),
    "sign-in": ("sign_in.html", FORM),
    "sign-in-refused": ("sign_in.html", FORM | {"errors": {"": "E-mail address and password do not match."}}),
    "activate": ("activate.html", ACTIVATE),
    "activate-problem": ("activate.html", ACTIVATE | {"problem": PROBLEM}),
    "activate-key-only": (
        "activate.html",
        ACTIVATE
        | {
            "oauth_available": False,
            "app_available": False,
            "errors": {"key": "This is a secret key. Create a restricted one."},
        },
    ),
    "arming": ("arming.html", ARMING),
    "arming-waiting": (
        "arming.html",
        ARMING | WAITING | {"stages": stages(3, "12 charges"), "problem": NOT_READY},
    ),
    "arming-host": ("arming.html", ARMING | {"ask_host": True}),
    "arming-host-refused": (
        "arming.html",
        ARMING | {"ask_host": True, "errors": {"host": "This is not the address of a website."}, "form": {"host": "x"}},
    ),
    "readiness": ("readiness.html", READINESS),
    "readiness-refused": ("readiness.html", READINESS | {"errors": {"key": "Stripe does not accept this key."}}),
    "readiness-found": (
        "readiness.html",
        READINESS
        | {
            "checks": [
                ReadinessCheck("The key", True, "Stripe accepts it."),
                ReadinessCheck("The activity", False, "There are 3 payments in the last 90 days."),
                ReadinessCheck("The website", False, "Stripe does not say which.", needed=False),
            ]
        },
    ),
    "dashboard-partial": ("dashboard_partial.html", PARTIAL),
    "settings": (
        "settings.html",
        SIGNED_IN
        | {
            "conditions": [
                Condition("processor_connected", "A processor is connected", True, NOW, "", "", "/activate"),
                Condition("baseline_generated", "The baseline is computed", False, None, "Wait.", "Watch", "/activate"),
            ],
            "may_see_audit": True,
        },
    ),
    "projection-settings": ("projection_settings.html", PROJECTION_SETTINGS),
    "projection-settings-refused": (
        "projection_settings.html",
        PROJECTION_SETTINGS
        | {"typed": {"rate": "110", "hold_days": "", "horizons": "soon"}}
        | {"errors": {"rate": "Write a share of sales from 0 to 100 %, such as 10 or 7.5."}},
    ),
    "projection-settings-read": ("projection_settings.html", PROJECTION_SETTINGS | {"may_change": False}),
    "arming-slow": ("arming.html", ARMING | {"slow": True}),
    "arming-done": ("arming.html", ARMING | {"stages": stages(4, "3,412 charges"), "done": True, "live": True}),
    "arming-problem": ("arming.html", ARMING | {"stages": stages(1, "3,412 charges", "failed"), "problem": PROBLEM}),
    "dashboard": ("dashboard.html", DASHBOARD),
    "dashboard-too-little": (
        "dashboard.html",
        DASHBOARD | {"live": False, "workspace": {"name": "Archer Supplies", "problem": too_little_problem(12)}},
    ),
    "dashboard-on-starter": (
        "dashboard.html",
        DASHBOARD | {"forecasting_offer": FORECASTING, "notices": ["trial_ending", "complimentary"]},
    ),
    "dashboard-stale": (
        "dashboard.html",
        DASHBOARD
        | {
            "first_visit": False,
            "scorebook": SCORED,
            "freshness": line_of(Freshness(NOW - timedelta(days=3), Staleness.SILENT), NOW),
            "books": lines_of(BOOKS),
            "degraded": ["balance", "payouts"],
            "reading": READING._replace(looked_at=None, due_at=NOW + timedelta(hours=1), failed=True),
        },
    ),
    "dashboard-full": (
        "dashboard.html",
        DASHBOARD
        | charts(FULL_SURFACE, FULL_PROJECTION)
        | outlooks(FULL_SURFACE, FULL_PROJECTION)
        | {"surface": FULL_SURFACE, "projection": FULL_PROJECTION, "first_visit": False},
    ),
    "projections": ("projections.html", PROJECTIONS),
    "projections-first": (
        "projections.html",
        PROJECTIONS | {"asked": True, "readings": readings(1), "trapped_charts": [], "tier_charts": [], "left_out": 0},
    ),
    "dashboard-empty": ("dashboard_empty.html", EMPTY),
    **onboarding_pages(SIGNED_IN, EMPTY),
    "connection": ("connection.html", CONNECTION),
    "connection-none": ("connection.html", CONNECTION | {"connection": None}),
    "connection-polling": (
        "connection.html",
        CONNECTION | {"reach": "polling", "latest_events": [], "older": None, "secret_endings": []},
    ),
    "connection-ended": ("connection.html", CONNECTION | {"ended": True, "problem": PROBLEM}),
    "how-it-works": (
        "how_it_works.html",
        SIGNED_IN
        | {
            "tiers": tier_rows(),
            "example": rolling_example(tier=3),
            "signals": signal_rows(NOW),
            "programmes": programme_rows(NOW.date()),
            "default": DEFAULTS,
        },
    ),
    "what-if": ("what_if.html", what_if(Changes())),
    "what-if-answer": (
        "what_if.html",
        what_if(
            Changes(refund_warnings=True, rdr=0.9, three_d_secure=0.5, reserve_rate=0.25, hold_days=120),
            refund_warnings="yes",
            rdr="90",
            three_d_secure="50",
            reserve_rate="25",
            hold_days="120",
        ),
    ),
    "what-if-refused": (
        "what_if.html",
        what_if(Changes(), growth="a lot")
        | {"errors": {"growth": "Growth a month: write a number such as 10 or 12.5."}},
    ),
} | {f"error-{status}": ("error.html", ERROR | {"status": status}) for status in (403, 404, 409, 422, 500, 503)}


def render(page: str, **changes: object) -> str:
    """`page` of :data:`PAGES`, its context updated with `changes`."""
    template, context = PAGES[page]
    return build_templates().get_template(template).render(context | changes)
