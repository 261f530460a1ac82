"""The readout as one self-contained HTML page: its styles inside it, no script, nothing fetched."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from markupsafe import Markup

from payflux.cli.readout import basis_sentence, reading_lines
from payflux.kit.charts import BandPoint, Bar, band_chart, bar_chart
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import pack_letters
from payflux.monitor.processors.exports import ReadReport
from payflux.monitor.projections.projection import ReserveProjection
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
    columns: np.ndarray,
    *,
    as_of_basis: str,
    answer: Answer | None = None,
) -> str:
    """The page as HTML text; `columns` are the events behind it, of EVENT_DTYPE, `answer` that of a what-if."""
    releases = releases_by_week(projection.calendar, projection.as_of.date())
    weeks = weekly_sales(columns, projection.currency, surface.as_of)
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


def weekly_sales(columns: np.ndarray, currency: str, as_of: datetime) -> list[tuple[datetime, int]]:
    """Settled sales in minor units of `currency` in each of the 13 weeks that end at `as_of`, with the week's start."""
    start = as_of - timedelta(weeks=WEEKS)
    sold = columns[
        (columns["kind"] == Kind.CHARGE)
        & (columns["status"] == Status.SUCCEEDED)
        & (columns["settled_currency"] == pack_letters(currency))
        & (columns["at"] >= start.timestamp())
        & (columns["at"] < as_of.timestamp())
    ]
    week = (sold["at"] - int(start.timestamp())) // (7 * 86_400)
    return [(start + timedelta(weeks=number), int(sold["settled"][week == number].sum())) for number in range(WEEKS)]


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
