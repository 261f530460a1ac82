"""The readout as one self-contained HTML page: its styles inside it, no script, nothing fetched."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from markupsafe import Markup

from payflux.cli.readout import basis_sentence, reading_lines
from payflux.kit.charts import BandPoint, Bar, band_chart, bar_chart
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.exports import ReadReport
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.summary import DAY
from payflux.monitor.risk.surface import RiskSurface
from payflux.monitor.whatif.answers import Answer
from payflux.web.charts import comparison_chart, release_chart, tier_chart
from payflux.web.comparison import changes_in_words, comparison
from payflux.web.formatting import money, money_short
from payflux.web.outlook import releases_by_week, series_rows
from payflux.web.rendering import build_templates

PACKAGE = Path(__file__).parents[1]
STYLES = ("tokens", "base", "components", "app", "dashboard")
"""The style sheets of the product's own pages, so that the report looks like its dashboard."""

SIZES = ((720, 260), (360, 240))
"""Width and height of a chart on a desk and on a phone."""

WEEKS = 13


def report_page(
    surface: RiskSurface,
    projection: ReserveProjection,
    report: ReadReport,
    history: History,
    *,
    as_of_basis: str,
    answer: Answer | None = None,
) -> str:
    """The page as HTML text; `history` is what is behind it, `answer` that of a what-if."""
    releases = releases_by_week(projection.calendar, projection.as_of.date())
    weeks = weekly_sales(history)
    return (
        build_templates()
        .get_template("report.html")
        .render(
            styles=Markup("\n").join(_style(name) for name in STYLES),
            surface=surface,
            projection=projection,
            report=report,
            as_of_basis=as_of_basis,
            basis=basis_sentence(surface, report),
            reading=reading_lines(report, shown=50),
            tier_scale=tier_chart(surface),
            trapped_charts=[_trapped_chart(projection, width, height) for width, height in SIZES],
            answer=answer,
            asked=changes_in_words(answer.changes) if answer else [],
            comparison=comparison(answer) if answer else [],
            comparison_charts=[comparison_chart(answer, width, height) for width, height in SIZES] if answer else [],
            release_weeks=releases,
            release_charts=[release_chart(releases, projection.currency, width) for width, _ in SIZES]
            if releases
            else [],
            series=series_rows(surface.forecasting, projection.currency) if surface.forecasting else [],
            weeks=weeks,
            sales_charts=[_sales_chart(weeks, projection.currency, width) for width in (720, 360)],
        )
    )


def weekly_sales(history: History) -> list[tuple[datetime, int]]:
    """Settled sales in minor units of the main currency in each of the 13 weeks of whole days of UTC that end with the
    readout's day, with the week's start."""
    after = (history.now - 1) // DAY + 1
    starts = [after - 7 * weeks for weeks in range(WEEKS, 0, -1)]
    edges = np.searchsorted(history.payments["day"], [*starts, after])
    weeks = [history.volume(history.payments[first:end]) for first, end in pairwise(edges.tolist())]
    return [(moment(start * DAY), sales) for start, sales in zip(starts, weeks, strict=True)]


def _style(name: str) -> Markup:
    # The styles are the product's own; "</" could end the style element early and never occurs in them.
    return Markup((PACKAGE / "static" / "css" / f"{name}.css").read_text("utf-8").replace("</", ""))  # noqa: S704


def _trapped_chart(projection: ReserveProjection, width: int, height: int) -> Markup:
    currency, last = projection.currency, projection.windows[-1]
    return band_chart(
        [BandPoint(*point) for point in projection.daily],
        title="Capital trapped, day by day",
        description=f"Rises to {money_short(last.trapped, currency)} on day {last.horizon_days}, 80 % range "
        f"{money_short(last.low, currency)} to {money_short(last.high, currency)}.",
        format_x=lambda day: f"T+{day:.0f}" if day else "Now",
        format_y=lambda amount: money(round(amount), currency),
        tick_y=lambda amount: money_short(round(amount), currency),
        marks=[window.horizon_days for window in projection.windows],
        width=width,
        height=height,
    )


def _sales_chart(weeks: list[tuple[datetime, int]], currency: str, width: int) -> Markup:
    return bar_chart(
        [Bar(f"{start.day} {start:%b}", max(sales, 0)) for start, sales in weeks],
        title="Sales by week",
        description=f"Settled sales of the last {WEEKS} weeks, each named by its first day.",
        format_y=lambda amount: money(round(amount), currency),
        tick_y=lambda amount: money_short(round(amount), currency),
        width=width,
        height=200,
    )
