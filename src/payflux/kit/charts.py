"""Charts as SVG, drawn on the server: no script, no style attribute, no business words.

Every chart is one `<svg role="img">` with a `<title>` and a `<desc>`, scales with its `viewBox`, and carries plain
presentation attributes as its look of last resort (text and axes in `currentColor`, so that they suit light and dark).
A style sheet overrides them through classes, since any CSS rule beats a presentation attribute:

    .chart              the svg element                 .chart-line, .chart-range, .chart-mark    band chart
    .chart-text         labels and ticks                .chart-bar                               bar chart
    .chart-grid         lines of the grid               .chart-step, .chart-step-on, .chart-danger  step scale
    .chart-reference    the dashed line of a band chart
    .chart-hit          the invisible area of a point

Each point's `.chart-hit` carries `data-index`, `data-label`, `data-value` and, where there is an interval,
`data-low` and `data-high` as formatted text (`data-reference` where there is a second line), and `data-x`, `data-y` in
the units of the `viewBox`; its own `<title>` is the tooltip without JavaScript. A page shows the same data as a table
beside the chart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from payflux.kit.messages import gettext as _

ACCENT = "#3f7ee8"
DANGER = "#d6483f"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

Format = Callable[[float], str]


class BandPoint(NamedTuple):
    """A value with its interval at position `x`; all numbers, in units the caller's formatters know."""

    x: float
    value: float
    low: float
    high: float


class Bar(NamedTuple):
    """One labelled bar; `value` is not negative."""

    label: str
    value: float


def nice_ticks(top: float, count: int = 4) -> list[float]:
    """Round axis values from 0 to at least `top`: steps of 1, 2, 2.5 or 5 × 10ⁿ, about `count` of them.

    A `top` of 0 or less gives [0, 1], so that an empty chart still has an axis.
    """
    if top <= 0 or not math.isfinite(top):
        return [0.0, 1.0]
    magnitude = 10.0 ** math.floor(math.log10(top / count))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude * count >= top * (1 - 1e-9))
    return [round(index * step, 10) for index in range(math.ceil(top / step - 1e-9) + 1)]


def band_chart(
    points: Sequence[BandPoint],
    *,
    title: str,
    description: str,
    format_x: Format = str,
    format_y: Format = str,
    tick_y: Format | None = None,
    marks: Sequence[float] = (),
    reference: Sequence[float] = (),
    reference_name: str = "",
    width: int = 720,
    height: int = 300,
) -> Markup:
    """A line through `points` inside the band of their intervals, with the points at `marks` dotted and labelled.

    `points` are in rising order of x. `format_x` and `format_y` give the words of a tooltip, `tick_y` the shorter ones
    of the axis (default: `format_y`). `reference` is a second, dashed line: one value for each point, or none at all.
    Raises ValueError when there are fewer than two points, or a reference of another length.
    """
    if len(points) < 2:
        raise ValueError("a band chart needs at least two points")
    if reference and len(reference) != len(points):
        raise ValueError("a reference line has one value for each point")
    tick_y = tick_y or format_y
    ticks = nice_ticks(max(*(max(point.high, point.value) for point in points), *reference))
    labels = _distinct([tick_y(tick) for tick in ticks])
    left, right, top, bottom = 14 + 7.2 * max(map(len, labels)), width - 24.0, 26.0, height - 34.0
    first, span = points[0].x, (points[-1].x - points[0].x) or 1

    def at_x(x: float) -> float:
        return left + (x - first) / span * (right - left)

    def at_y(y: float) -> float:
        return bottom - y / ticks[-1] * (bottom - top)

    upper = [(at_x(point.x), at_y(point.high)) for point in points]
    lower = [(at_x(point.x), at_y(point.low)) for point in reversed(points)]
    line = [(at_x(point.x), at_y(point.value)) for point in points]
    body = [_y_axis(ticks, labels, at_y, left, right)]
    body.append(
        Markup('<path class="chart-range" fill="{}" fill-opacity="0.18" d="{}Z"/>').format(ACCENT, _path(upper + lower))
    )
    body.append(
        Markup(
            '<path class="chart-line" fill="none" stroke="{}" stroke-width="2.5" stroke-linejoin="round" d="{}"/>'
        ).format(ACCENT, _path(line))
    )
    if reference:
        dashed = [(at_x(point.x), at_y(value)) for point, value in zip(points, reference, strict=True)]
        body.append(
            Markup(
                '<path class="chart-reference" fill="none" stroke="currentColor" stroke-width="2" '
                'stroke-dasharray="5 4" d="{}"/>'
            ).format(_path(dashed))
        )
    marked = [point for point in points if point.x in marks]
    for point in marked:
        x, y = at_x(point.x), at_y(point.value)
        body.append(
            Markup('<line class="chart-grid" x1="{0}" y1="{1}" x2="{0}" y2="{2}" {3} stroke-dasharray="2 4"/>').format(
                _number(x), _number(y), _number(bottom), _RULE
            )
        )
        body.append(
            Markup('<circle class="chart-mark" cx="{}" cy="{}" r="4.5" fill="{}"/>').format(
                _number(x), _number(y), ACCENT
            )
        )
        body.append(_text(x - 4, max(y - 11, 14), tick_y(point.value), "end", weight=600))
    ends = {first: "start", points[-1].x: "end"}
    body += [
        _text(at_x(x), height - 12, format_x(x), ends.get(x, "middle")) for x in [first, *(point.x for point in marked)]
    ]
    half = (right - left) / (len(points) - 1) / 2
    body += [
        _hit(
            (at_x(point.x) - half, top, 2 * half, bottom - top),
            (at_x(point.x), at_y(point.value)),
            index,
            format_x(point.x),
            format_y(point.value),
            (format_y(point.low), format_y(point.high)),
            f"{reference_name}: {format_y(reference[index])}" if reference else "",
        )
        for index, point in enumerate(points)
    ]
    return _svg("chart-band", width, height, title, description, body)


def bar_chart(
    bars: Sequence[Bar],
    *,
    title: str,
    description: str,
    format_y: Format = str,
    tick_y: Format | None = None,
    width: int = 720,
    height: int = 220,
) -> Markup:
    """Upright bars from zero, the first, the last and, where there is room, some labels between them named below.

    Raises ValueError when there is no bar.
    """
    if not bars:
        raise ValueError("a bar chart needs at least one bar")
    tick_y = tick_y or format_y
    ticks = nice_ticks(max(bar.value for bar in bars), 3)
    labels = [tick_y(tick) for tick in ticks]
    left, right, top, bottom = 14 + 7.2 * max(map(len, labels)), width - 12.0, 14.0, height - 34.0
    slot = (right - left) / len(bars)
    gap = min(slot * 0.25, 8.0)

    def at_y(y: float) -> float:
        return bottom - y / ticks[-1] * (bottom - top)

    body = [_y_axis(ticks, labels, at_y, left, right)]
    every = max(1, math.ceil((8.0 * max(len(bar.label) for bar in bars) + 12) / slot))
    for index, bar in enumerate(bars):
        x, y = left + index * slot, at_y(bar.value)
        body.append(
            Markup('<rect class="chart-bar" x="{}" y="{}" width="{}" height="{}" rx="1.5" fill="{}"/>').format(
                _number(x + gap / 2), _number(y), _number(slot - gap), _number(bottom - y), ACCENT
            )
        )
        if index % every == 0:
            body.append(_text(x + slot / 2, height - 12, bar.label, "middle"))
        body.append(_hit((x, top, slot, bottom - top), (x + slot / 2, y), index, bar.label, format_y(bar.value)))
    return _svg("chart-bars", width, height, title, description, body)


def step_scale(
    labels: Sequence[str],
    current: int,
    *,
    title: str,
    danger_from: int | None = None,
    width: int = 480,
    height: int = 56,
) -> Markup:
    """A row of steps, one per label, lit up to `current` (1 is the first), in the danger colour from `danger_from` on.

    Raises ValueError when `current` is not one of the steps.
    """
    if not 1 <= current <= len(labels):
        raise ValueError(f"step {current} is not between 1 and {len(labels)}")
    slot, gap = width / len(labels), 6.0
    danger = danger_from is not None and current >= danger_from
    body = []
    for step, label in enumerate(labels, start=1):
        x = (step - 1) * slot
        lit = step <= current
        names = " ".join(
            ["chart-step", *(["chart-step-on"] if lit else []), *(["chart-danger"] if lit and danger else [])]
        )
        body.append(
            Markup('<rect class="{}" x="{}" y="6" width="{}" height="{}" rx="3" fill="{}" fill-opacity="{}"/>').format(
                names,
                _number(x + gap / 2),
                _number(slot - gap),
                14,
                (DANGER if danger else ACCENT) if lit else "currentColor",
                1 if lit else 0.16,
            )
        )
        body.append(_text(x + slot / 2, 42, label, "middle", weight=700 if step == current else 400))
    said = _("Step %(step)s of %(steps)s: %(label)s.")
    description = said % {"step": current, "steps": len(labels), "label": labels[current - 1]}
    return _svg("chart-steps", width, height, title, description, body)


_RULE = Markup('stroke="currentColor" stroke-opacity="0.16" stroke-width="1"')


def _svg(kind: str, width: float, height: float, title: str, description: str, body: Sequence[Markup]) -> Markup:
    described = Markup("<desc>{}</desc>").format(description) if description else Markup("")
    return Markup(
        '<svg class="chart {}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" font-family="{}" '
        'font-size="13"><title>{}</title>{}{}</svg>'
    ).format(kind, _number(width), _number(height), FONT, title, described, Markup("").join(body))


def _distinct(labels: Sequence[str]) -> list[str]:
    """`labels` without those that repeat an earlier one, as round amounts do on an axis of next to nothing."""
    return [label if label not in labels[:index] else "" for index, label in enumerate(labels)]


def _y_axis(
    ticks: Sequence[float], labels: Sequence[str], at_y: Callable[[float], float], left: float, right: float
) -> Markup:
    return Markup("").join(
        Markup('<line class="chart-grid" x1="{1}" y1="{0}" x2="{2}" y2="{0}" {3}/>').format(
            _number(at_y(tick)), _number(left), _number(right), _RULE
        )
        + _text(left - 8, at_y(tick) + 4.5, label, "end")
        for tick, label in zip(ticks, labels, strict=True)
    )


def _hit(
    box: tuple[float, float, float, float],
    spot: tuple[float, float],
    index: int,
    label: str,
    value: str,
    interval: tuple[str, str] | None = None,
    reference: str = "",
) -> Markup:
    bounds = Markup(' data-low="{}" data-high="{}"').format(*interval) if interval else Markup("")
    bounds += Markup(' data-reference="{}"').format(reference) if reference else Markup("")
    words = f"{label}: {value}" + (f" ({interval[0]} – {interval[1]})" if interval else "")
    words += f"; {reference}" if reference else ""
    return Markup(
        '<rect class="chart-hit" x="{}" y="{}" width="{}" height="{}" fill="none" pointer-events="all" data-index="{}" '
        'data-label="{}" data-value="{}"{} data-x="{}" data-y="{}"><title>{}</title></rect>'
    ).format(*map(_number, box), index, label, value, bounds, *map(_number, spot), words)


def _text(x: float, y: float, words: str, anchor: str, weight: int = 400) -> Markup:
    return Markup(
        '<text class="chart-text" x="{}" y="{}" text-anchor="{}" fill="currentColor" font-weight="{}">{}</text>'
    ).format(_number(x), _number(y), anchor, weight, words)


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in spots)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
