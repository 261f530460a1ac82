"""The readout in a terminal: band, trapped capital with a chart, reasons, signals, and what it all rests on.

Everything is told by words and shapes; colour only underlines, so that it reads the same piped or with NO_COLOR.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from payflux.cli.comparison import what_if
from payflux.cli.outlook import currencies, disputes_to_come, next_step, releases, scenarios, trends
from payflux.monitor.processors.exports import ReadReport
from payflux.monitor.projections.projection import ReserveProjection, ScenarioKind
from payflux.monitor.risk.surface import Level, RiskSurface, Signal
from payflux.monitor.whatif.answers import Answer
from payflux.web.formatting import count, decimal, measure, money, money_short, percent, utc

LEVELS = {
    Level.INSUFFICIENT_EVIDENCE: ("too little data", "dim"),
    Level.OK: ("in range", "green"),
    Level.WARN: ("watch", "yellow"),
    Level.HIGH: ("high", "bold yellow"),
    Level.CRITICAL: ("critical", "bold red"),
}
TIERS = {1: "green", 2: "green", 3: "yellow", 4: "red", 5: "red"}
CHART_ROWS = 8
PROBLEMS_SHOWN = 8


def show(
    console: Console,
    surface: RiskSurface,
    projection: ReserveProjection,
    report: ReadReport,
    *,
    as_of_basis: str,
    answer: Answer | None = None,
) -> None:
    """Print the whole readout, in sections that fit the console's width, with the answer to a what-if if one came."""
    width = min(console.width, 120)
    for part in (
        _headline(surface, as_of_basis),
        _section("Trapped capital", _windows(projection), _terms(projection), "", trapped_chart(projection, width)),
        *_told("What if", what_if(answer) if answer else None),
        _section(f"Why tier {surface.risk_tier}, and what lowers it", _reasons(surface)),
        *_told("How near the next step is", next_step(surface)),
        *_told("Disputes still to come", disputes_to_come(surface)),
        *_told("If your processor chose otherwise", scenarios(projection)),
        *_told("When today's holds come back", releases(projection)),
        *_told("Each currency by itself", currencies(projection)),
        *_told("Where it is going", trends(surface, projection.currency)),
        _section("Signals", _signals(surface.signals, width)),
        _section("What a processor would cover itself against", _exposure(projection)),
        _section("What this rests on", _basis(surface, projection, report)),
        _section("How the files were read", _reading(report)),
    ):
        console.print(part, width=width)


def basis_sentence(surface: RiskSurface, report: ReadReport) -> str:
    """ "Based on N payment events from … over the last 90 days.", naming the kinds of files."""
    titles = list(dict.fromkeys(file.title for file in report.files))
    named = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
    days = surface.window_days
    return f"Based on {count(surface.event_count)} payment events from your {named} over the last {days} days."


def _section(title: str, *parts: RenderableType) -> RenderableType:
    return Group(
        Rule(Text(title, style="bold"), align="left", style="dim"), *(Padding(part, (0, 1)) for part in parts), ""
    )


def _told(title: str, part: RenderableType | None) -> list[RenderableType]:
    return [] if part is None else [_section(title, part)]


def _headline(surface: RiskSurface, as_of_basis: str) -> RenderableType:
    style = TIERS[surface.risk_tier]
    steps = "■" * surface.risk_tier + "□" * (5 - surface.risk_tier)
    arrow = {"IMPROVING": "↘", "STABLE": "→", "DEGRADING": "↗"}[surface.trend]
    line = Text.assemble(
        (f" {surface.risk_band.upper()} ", f"bold reverse {style}"),
        (f"  {steps}", style),
        f"  tier {surface.risk_tier} of 5",
        f"   stability {surface.stability_score} of 100",
        f"   risk {arrow} {surface.trend.lower()}",
    )
    when = Text(f"as of {utc(surface.as_of)}{f' ({as_of_basis})' if as_of_basis else ''}", style="dim")
    return Group("", Padding(line, (0, 1), expand=False), Padding(when, (0, 1), expand=False), "")


def _windows(projection: ReserveProjection) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Horizon")
    for name in ("Trapped", "80 % range", "Of its sales", "Days of sales"):
        table.add_column(name, justify="right")
    for window in projection.windows:
        table.add_row(
            f"T+{window.horizon_days}",
            Text(money(window.trapped, projection.currency), style="bold"),
            f"{money_short(window.low, projection.currency)} – {money_short(window.high, projection.currency)}",
            f"{count(window.trapped_bps)} bps",
            decimal(window.days_of_sales),
        )
    return table


def _terms(projection: ReserveProjection) -> Text:
    scenario = projection.scenario
    held = money(projection.currently_held, projection.currency)
    if scenario.kind == ScenarioKind.PAYOUT_PAUSE:
        terms = "Payouts are stopped: the balance and every sale from now on stay with the processor."
    elif scenario.rate:
        terms = (
            f"If {percent(scenario.rate)} of each day's sales is held for {scenario.hold_days} days ({scenario.name})."
        )
    else:
        terms = f"No new reserve is assumed ({scenario.name})."
    return Text(f"{terms} Held now: {held}.")


def trapped_chart(projection: ReserveProjection, width: int) -> RenderableType:
    """Trapped capital day by day in braille: a solid line the expected amount, dots the ends of the 80 % range."""
    daily = projection.daily
    top = max((high for _, _, _, high in daily), default=0)
    if len(daily) < 2 or top <= 0:
        return Text("Nothing would be trapped, so there is no path to draw.", style="dim")
    labels = [money_short(round(top * share), projection.currency) for share in (1, 0.5, 0)]
    gutter = max(map(len, labels)) + 1
    columns = min(width - gutter - 4, 72)
    canvas = _Canvas(columns, CHART_ROWS)
    last = len(daily) - 1
    for x in range(canvas.width):
        _, value, low, high = daily[round(x / (canvas.width - 1) * last)]
        canvas.dot(x, value / top)
        if x % 3 == 0:
            canvas.dot(x, low / top)
            canvas.dot(x, high / top)
    ticks = {0: labels[0], CHART_ROWS // 2: labels[1], CHART_ROWS - 1: labels[2]}
    rows = [
        Text.assemble((f"{ticks.get(row, ''):>{gutter - 1}} ", "dim"), ("│", "dim"), (line, "cyan"))
        for row, line in enumerate(canvas.lines())
    ]
    axis = [" "] * (columns + 6)
    for day in (0, *(window.horizon_days for window in projection.windows)):
        place, name = round(day / daily[-1][0] * (columns - 1)), f"T+{day}" if day else "now"
        start = max(0, min(place - len(name) // 2, columns - len(name))) if day else 0
        axis[start : start + len(name)] = name
    rule = Text(f"{' ' * gutter}└{'─' * columns}", style="dim")
    return Group(*rows, rule, Text(" " * (gutter + 1) + "".join(axis).rstrip(), style="dim"))


class _Canvas:
    """Dots in braille characters, two wide and four high each; y runs from 0 at the bottom to 1 at the top."""

    _BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

    def __init__(self, columns: int, rows: int) -> None:
        self.width, self._height = 2 * columns, 4 * rows
        self._cells = [[0] * columns for _ in range(rows)]

    def dot(self, x: int, share: float) -> None:
        y = self._height - 1 - round(min(max(share, 0.0), 1.0) * (self._height - 1))
        self._cells[y // 4][x // 2] |= self._BITS[y % 4][x % 2]

    def lines(self) -> list[str]:
        return ["".join(chr(0x2800 + cell) for cell in row) for row in self._cells]


def _reasons(surface: RiskSurface) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column()
    for place, reason in enumerate(surface.reasons, start=1):
        table.add_row(f"{place}.", Text(reason.sentence, style="bold" if place == 1 else ""))
        table.add_row("", Text(f"tier {reason.tier} · {reason.lowers}", style="dim"))
    return table


def _signals(signals: Sequence[Signal], width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Signal", min_width=34 if width >= 90 else None)
    table.add_column("Value", justify="right", no_wrap=True)
    between = [("80 % range", _range_of), ("Watch / high / critical", _thresholds_of)][: (width >= 90) + (width >= 110)]
    for title, _ in between:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Standing", no_wrap=True)
    for signal in signals:
        words, style = LEVELS[signal.level] if signal.value is not None else ("cannot say", "dim")
        name = Text.assemble(signal.label, (f"\n{signal.window}", "dim"))
        if signal.value is None and signal.note:
            name.append(f"\n{signal.note}", style="dim")
        details = (told(signal) for _, told in between)
        table.add_row(name, measure(signal.value, signal.unit), *details, Text(words, style=style))
    return table


def _range_of(signal: Signal) -> str:
    if signal.low is None or signal.high is None:
        return ""
    return f"{measure(signal.low, signal.unit)} – {measure(signal.high, signal.unit)}"


def _thresholds_of(signal: Signal) -> str:
    return " / ".join(measure(threshold, signal.unit) for threshold in signal.thresholds or ())


def _exposure(projection: ReserveProjection) -> Table:
    exposure, currency = projection.exposure, projection.currency
    unseen = "cannot be seen in a file"
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, amount in (
        ("Chargebacks still to come", exposure.chargebacks_to_come),
        ("Refunds still to come", exposure.refunds_to_come),
        ("Paid, not delivered yet", exposure.undelivered),
        ("Open disputes and fraud warnings", exposure.open_disputes),
    ):
        table.add_row(name, money_short(amount, currency))
    table.add_row(Text("Expected exposure", style="bold"), Text(money_short(exposure.gross, currency), style="bold"))
    covered = unseen if exposure.coverage is None else money_short(exposure.coverage, currency)
    table.add_row("Covered by your balance", covered)
    return table


def _basis(surface: RiskSurface, projection: ReserveProjection, report: ReadReport) -> RenderableType:
    models = f"Models {surface.model_version}, {projection.model_version}; inputs {projection.inputs_hash[:16]}."
    return Group(
        Text(basis_sentence(surface, report), style="bold"),
        _bullets([*projection.assumptions, *surface.notes]),
        Text("Not seen", style="bold"),
        _bullets(report.unseen),
        Text(models, style="dim"),
    )


def _reading(report: ReadReport) -> RenderableType:
    return Group(*(_bullets(lines) for lines in reading_lines(report)))


def reading_lines(report: ReadReport, shown: int = PROBLEMS_SHOWN) -> list[list[str]]:
    """What the reading met, in sentences: the files by their names, the troubles counted, the first places."""
    files = []
    for file in report.files:
        parts = [f"{count(file.rows)} rows", f"{count(file.used)} used"]
        parts += [f"{count(rows)} set aside ({reason})" for reason, rows in file.set_aside.items()]
        parts += [f"{count(file.refused)} refused"] if file.refused else []
        parts += [f"columns not used: {', '.join(file.unknown_columns)}"] if file.unknown_columns else []
        parts += file.notes
        files.append(f"{Path(file.file).name} ({file.title}): {'; '.join(parts)}.")
    if report.merged:
        files.append(f"{count(report.merged)} facts told more than once were counted once.")
    if len(report.currencies) > 1:
        settled = ", ".join(
            f"{currency.upper()} ({count(number)} payments)" for currency, number in report.currencies.items()
        )
        files.append(f"Payments settle in several currencies, which are never added: {settled}.")
    troubles = [f"{trouble.value}: {count(number)}" for trouble, number in report.troubles.items()]
    places = [
        f"{Path(problem.file).name}, line {problem.line}: {problem.message}" for problem in report.problems[:shown]
    ]
    more = sum(report.troubles.values()) - len(places)
    places += [f"and {count(more)} more; --json lists them"] if places and more > 0 else []
    return [lines for lines in (files, troubles, places) if lines]


def _bullets(lines: Iterable[str]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row("·", Text(line))
    return table
