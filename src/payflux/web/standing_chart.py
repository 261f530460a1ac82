"""Where one rate lies among those of other shops, as a strip."""

from __future__ import annotations

from markupsafe import Markup

from payflux.kit.messages import gettext as _
from payflux.monitor.benchmarks.service import Compared
from payflux.web.formatting import percent

WIDTH, HEIGHT = 320, 36
MARGIN = 8


def standing_chart(one: Compared) -> Markup:
    """A line from zero, the middle half of the others as a band with its median, and the shop's own rate as a dot.

    Both the rate and the others have to be known; ValueError otherwise. The figures stand in the row beside it.
    """
    if one.rate is None or one.others is None:
        raise ValueError("there is nothing to draw")
    others = one.others
    end = max(one.rate, others.upper) * 1.15 or 1

    def at(rate: float) -> str:
        return f"{MARGIN + rate / end * (WIDTH - 2 * MARGIN):.1f}"

    title = _("%(label)s: yours %(rate)s; of the others half between %(lower)s and %(upper)s, the middle at %(median)s")
    title %= {
        "label": _(one.metric.label),
        "rate": percent(one.rate),
        "lower": percent(others.lower),
        "upper": percent(others.upper),
        "median": percent(others.median),
    }
    middle = HEIGHT / 2
    return Markup(
        '<svg class="chart standing" viewBox="0 0 {w} {h}" role="img"><title>{title}</title>'
        '<path class="chart-grid" stroke="currentColor" d="M{x0} {y}H{x1}"/>'
        '<path class="chart-range" fill="currentColor" fill-opacity="0.18" '
        'd="M{lower} {top}H{upper}V{bottom}H{lower}Z"/>'
        '<path class="chart-reference" stroke="currentColor" stroke-width="2" d="M{median} {top}V{bottom}"/>'
        '<circle class="chart-mark" cx="{rate}" cy="{y}" r="5"/></svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        title=title,
        x0=MARGIN,
        x1=WIDTH - MARGIN,
        y=middle,
        top=middle - 9,
        bottom=middle + 9,
        lower=at(others.lower),
        upper=at(others.upper),
        median=at(others.median),
        rate=at(one.rate),
    )
