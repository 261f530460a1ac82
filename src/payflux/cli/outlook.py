"""What stands below the readout's headline in a terminal: the next step, other scenarios, releases, currencies, trends.

Each function gives None when there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection
from payflux.monitor.risk.surface import RiskSurface
from payflux.web.formatting import count, day, decimal, exchange, money, money_short, percent
from payflux.web.outlook import dispute_costs, dispute_outlook_name, escalation_sentence, releases_by_week, series_rows


def next_step(surface: RiskSurface) -> RenderableType | None:
    """How near the networks' steps are, what the next dispute costs, and how likely the next tier is."""
    parts: list[RenderableType] = []
    if surface.escalation is not None:
        parts.append(Text(escalation_sentence(surface.escalation)))
    if surface.to_threshold:
        table = _table("Step", "This month", "By month's end")
        for step in surface.to_threshold:
            further = "reached" if step.month_end == 0 else "cannot say"
            if step.month_end:
                further = f"{count(step.month_end)} more"
            mark = "" if step.confidence == "processor" else f" ({step.confidence})"
            table.add_row(
                Text.assemble(f"{step.name}, {step.step}{mark}", (f"\n{step.needs}", "dim")),
                f"{count(step.events)} on {count(step.payments)}",
                further,
            )
        parts.append(table)
    for networks, items in dispute_costs(surface):
        for item in items:
            most = f" to {money(item.high, item.currency)}" if item.high != item.low else ""
            where = f" on {networks}" if networks else ""
            cost = f"{money(item.low, item.currency)}{most} {item.kind}"
            parts.append(Text(f"The next dispute{where}: {cost}, {item.basis}."))
    return Group(*parts) if parts else None


def disputes_to_come(surface: RiskSurface) -> RenderableType | None:
    """Disputes that have not arrived yet, by network and kind."""
    if not surface.dispute_outlook:
        return None
    table = _table("Payments", "Seen", "Still to come", "Disputed in the end")
    for place, one in enumerate(surface.dispute_outlook):
        if place and one.insufficient:
            continue
        table.add_row(
            dispute_outlook_name(one) + (" (too little seen)" if one.insufficient else ""),
            f"{count(one.seen)} of {count(one.payments)}",
            f"{decimal(one.to_come)} ({decimal(one.to_come_low)} – {decimal(one.to_come_high)})",
            f"{percent(one.rate)} ({percent(one.rate_low)} – {percent(one.rate_high)})",
        )
    return table


def scenarios(projection: ReserveProjection) -> RenderableType | None:
    """What else a processor may do, beside what is projected."""
    if len(projection.scenarios) < 2 and projection.stress is None:
        return None
    table = _horizons("Scenario", projection.windows)
    for place, outlook in enumerate(projection.scenarios):
        mark = " (projected above)" if place == 0 else ""
        table.add_row(outlook.scenario.name + mark, *_trapped(outlook.windows, projection.currency))
    if projection.stress is not None:
        name = f"{projection.stress.name} (one tier up)"
        table.add_row(name, *_trapped(projection.stress_windows, projection.currency))
    return table


def releases(projection: ReserveProjection) -> RenderableType | None:
    """When today's holds come back, by week."""
    if not projection.calendar:
        return None
    table = _table("Seven days from", "Released", "with an assumed date", "Holds")
    for week in releases_by_week(projection.calendar, projection.as_of.date()):
        if week.count:
            amounts = (money(amount, projection.currency) for amount in (week.amount, week.assumed))
            table.add_row(day(week.start), *amounts, count(week.count))
    for release in projection.calendar:
        if release.on is None:
            table.add_row("no date, overdue", money(release.amount, projection.currency), "", count(release.count))
    return table


def currencies(projection: ReserveProjection) -> RenderableType | None:
    """Every settlement currency by itself, and the total at the account's own rates."""
    if not projection.currencies:
        return None
    table = _horizons("Currency", projection.windows)
    table.add_row(projection.currency.upper(), *_trapped(projection.windows, projection.currency))
    for other in projection.currencies:
        table.add_row(other.currency.upper(), *_trapped(other.windows, other.currency))
    total = projection.total
    if total is None or not total.windows:
        return table
    table.add_row(Text(f"Total in {total.currency.upper()}", style="bold"), *_trapped(total.windows, total.currency))
    said = [f"At your own rates: {exchange(rate.rate, rate.source, rate.target)}." for rate in total.rates]
    if total.left_out:
        said.append(f"Without {', '.join(total.left_out).upper()}: no payment of yours gives a rate.")
    return Group(table, *map(Text, said))


def trends(surface: RiskSurface, currency: str) -> RenderableType | None:
    """Forecasting mode: where each daily series is going."""
    forecasting = surface.forecasting
    if forecasting is None:
        return None
    if not forecasting.active:
        return Text(forecasting.why_not, style="dim")
    table = _table("Series", "Level now", "In 30 days", "Ahead", "Unsteady", width=30)
    for row in series_rows(forecasting, currency):
        name = Text.assemble(f"{row.arrow or ' '} {row.label}", (f"\n{row.because}", "dim"))
        ahead = f"{row.projected} {row.horizon}" if row.projected else "too unsteady"
        table.add_row(name, row.level, row.change, ahead, row.instability)
    return table


def _table(first: str, *others: str, width: int | None = None) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(first, min_width=width)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _horizons(first: str, windows: Sequence[ProjectedWindow]) -> Table:
    return _table(first, *(f"T+{window.horizon_days}" for window in windows))


def _trapped(windows: Sequence[ProjectedWindow], currency: str) -> list[str]:
    return [money_short(window.trapped, currency) for window in windows]
