"""The card of a scan that its owner shares, as SVG and, for those who take none, as PNG of the same drawing."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import typst
from markupsafe import Markup

from payflux.kit.messages import gettext as _
from payflux.monitor.scan.models import Part, SiteScan
from payflux.monitor.scan.rules.findings import Assessment, Status
from payflux.web.formatting import day
from payflux.web.scan_views import band_of

WIDTH, HEIGHT = 1200, 630
_FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_INK, _SOFT, _PAPER, _RAIL = "#e9eef1", "#a2b0ba", "#0a0f13", "#26333d"
_TONES = {1: "#4fd8ae", 2: "#4fd8ae", 3: "#f0b453", 4: "#ff8371", 5: "#ff8371"}
_LONGEST_HOST = 44

_PAGE = b"""#set page(width: 1200pt, height: 630pt, margin: 0pt)
#image(bytes(sys.inputs.drawing), format: "svg", width: 1200pt)
"""


def card_svg(scan: SiteScan, found: Assessment) -> Markup:
    """The card with what `scan.shared` allows: the band and the day always, and nothing that was found in words."""
    parts = scan.shared or []
    tier, band = found.tier or 0, band_of(found.tier) or _("No band")
    subject = scan.host if Part.HOST in parts else _("A website")
    subject = subject if len(subject) <= _LONGEST_HOST else f"{subject[: _LONGEST_HOST - 1]}…"
    lines = [
        _text(80, 110, _("Website scan"), 30, _SOFT),
        _text(80, 190, subject, 46, _INK, 700),
        _text(80, 330, band, 84, _TONES.get(tier, _INK), 700),
        *(_step(number, tier) for number in range(1, 6)),
    ]
    if Part.COUNTS in parts:
        present = sum(each.status is Status.PRESENT and not each.severity for each in found.findings)
        counts = _("%(mend)s to mend, %(good)s in order") % {"mend": len(found.reasons), "good": present}
        lines.append(_text(80, 478, counts, 34, _INK))
    lines.append(
        _text(80, 540, _("Directional: from public pages alone, on %(day)s.") % {"day": _day(scan)}, 26, _SOFT)
    )
    lines.append(_text(WIDTH - 80, 540, _("PayFlux"), 30, _INK, 700, "end"))
    title = f"{subject}: {band}"
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" '
        'font-family="{2}"><title>{3}</title><rect width="{0}" height="{1}" fill="{4}"/>{5}</svg>'
    ).format(WIDTH, HEIGHT, _FONT, title, _PAPER, Markup("").join(lines))


@lru_cache(maxsize=64)
def card_png(drawing: str) -> bytes:
    """The drawing as a PNG of its own size. Takes about 50 ms once; call it beside the event loop."""
    made = typst.compile(_PAGE, format="png", ppi=72.0, sys_inputs={"drawing": drawing})
    assert isinstance(made, bytes), "the page is one"
    return made


def _day(scan: SiteScan) -> str:
    at: datetime = scan.finished_at or scan.created_at
    return day(at)


def _step(number: int, tier: int) -> Markup:
    return Markup('<rect x="{}" y="370" width="190" height="20" rx="6" fill="{}"/>').format(
        80 + (number - 1) * 208, _TONES[tier] if tier and number <= tier else _RAIL
    )


def _text(x: int, y: int, words: str, size: int, fill: str, weight: int = 400, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" font-size="{}" fill="{}" font-weight="{}" text-anchor="{}">{}</text>').format(
        x, y, size, fill, weight, anchor, words
    )
