"""Contexts for the console's pages of what people do: the funnel, and the numbers of each day and week."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from payflux.admin.funnel import METHOD_WORDS, SPANS, STAGE_WORDS, funnel_chart
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.funnel.counting import Funnel, FunnelRow, Visits
from payflux.frontdoor.staff.reporting import DAYS, WEEKS, WIZARD_STEPS, DayReport, Report, WeekReport
from payflux.kit.metrics import Reading
from tests.unit.web.selling_samples import NOW

TODAY = NOW.date()
FUNNEL = Funnel(
    [
        FunnelRow(
            TODAY - timedelta(days=back),
            method,
            {stage: 40 // (number + back + 1) for number, stage in enumerate(STAGE_WORDS)},
        )
        for back in range(4)
        for method in ("google", "password")
    ],
    {TODAY - timedelta(days=back): Visits(1_204 // (back + 1), 61) for back in range(0, 6, 2)},
    {TODAY - timedelta(days=back): Visits(980 // (back + 1), 48) for back in range(5)},
)
NOBODY = Funnel([], {}, {})
FEATURES = read_catalogue().features
REPORT = Report(
    at=NOW,
    paying=214,
    revenue_cents=10_678_600,
    days=[
        DayReport(TODAY - timedelta(days=back), 9 - back % 5, back % 3, (back % 5 - 2) * 49_900) for back in range(DAYS)
    ],
    weeks=[
        WeekReport(
            week=TODAY - timedelta(days=TODAY.weekday(), weeks=back),
            trials=41 if back < WEEKS - 1 else 0,
            converted=back if back < WEEKS - 1 else 0,
            methods={"password": 20, "google": 17, "microsoft": 4} if back < WEEKS - 1 else {},
            wizard_skips={step: (4 * step, 38) if back < WEEKS - 1 else (0, 0) for step in WIZARD_STEPS},
            blocks=dict.fromkeys(FEATURES, 3) if back == 0 else {},
        )
        for back in range(WEEKS)
    ],
)
HEALTH = [
    Reading("payflux_activations_stuck", "Workspaces held up on their way to live.", 2),
    Reading("payflux_webhook_events_failed", "Webhook events given up.", 12, ("source", "stripe")),
    Reading("payflux_sweep_age_seconds", "Since the last sweep over all workspaces began.", 21_604.4),
]


def counting_pages(staff: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    funnel = staff | {"funnel": FUNNEL, "span": 30, "spans": SPANS, "stages": STAGE_WORDS, "methods": METHOD_WORDS}
    operations = staff | {
        "report": REPORT,
        "features": FEATURES,
        "methods": METHOD_WORDS,
        "steps": WIZARD_STEPS,
        "health": HEALTH,
    }
    return {
        "staff-funnel": (
            "admin/funnel.html",
            funnel | {"charts": [funnel_chart(FUNNEL, width) for width in (720, 360)]},
        ),
        "staff-funnel-nobody": ("admin/funnel.html", funnel | {"funnel": NOBODY, "charts": []}),
        "staff-operations": ("admin/operations.html", operations),
        "staff-operations-all-well": ("admin/operations.html", operations | {"health": []}),
    }
