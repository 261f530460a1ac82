"""How far the accounts of a time have come, from the prices to the first payment."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.funnel.counting import Funnel, Visits, count_funnel
from payflux.kit.charts import Bar, bar_chart
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.formatting import count, percent
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render
from payflux.world.bootstrap import World

router = APIRouter()

FUNNEL = f"{PATH}/funnel"
SPANS = (7, 30, 90)
"""Days that the page offers."""

STAGE_WORDS: Mapping[str, str] = {
    "registered": mark("Registered"),
    "verified": mark("Verified"),
    "wizard": mark("Wizard"),
    "connected": mark("Connected"),
    "live": mark("Live"),
    "paid": mark("Paid"),
}
METHOD_WORDS: Mapping[str, str] = {"password": mark("Password"), "google": "Google", "microsoft": "Microsoft"}


@router.get(FUNNEL, dependencies=STAFF)
async def funnel_page(request: Request, staff: CurrentStaff, world: CurrentWorld, days: int = 30) -> Response:
    """The stages of all accounts opened in the last `days` days, then by day and by the way they registered."""
    span = days if days in SPANS else 30
    funnel = await _counted(world, span)
    somebody = funnel.scanned.looked or funnel.looked.looked or funnel.total["registered"]
    return render(
        request,
        "admin/funnel.html",
        staff=staff,
        funnel=funnel,
        charts=[funnel_chart(funnel, width) for width in (720, 360)] if somebody else [],
        span=span,
        spans=SPANS,
        stages=STAGE_WORDS,
        methods=METHOD_WORDS,
    )


@router.get(f"{FUNNEL}.csv", dependencies=STAFF)
async def funnel_file(staff: CurrentStaff, world: CurrentWorld, days: int = 30) -> Response:
    """The same as a table: one row a day and method, and one a day of those who scanned or saw the prices."""
    funnel = await _counted(world, days if days in SPANS else 30)
    text = StringIO()
    rows = csv.writer(text)
    visitors = ("scan_visitors", "scan_visitors_registered", "pricing_visitors", "pricing_visitors_registered")
    rows.writerow(["day", "method", *visitors, *STAGE_WORDS])
    for day in sorted({*funnel.scans, *funnel.visits}, reverse=True):
        both = [visits.get(day, Visits(0, 0)) for visits in (funnel.scans, funnel.visits)]
        counts = [count for each in both for count in (each.looked, each.registered)]
        rows.writerow([day.isoformat(), "", *counts, *[""] * len(STAGE_WORDS)])
    for row in funnel.rows:
        blank = [""] * len(visitors)
        rows.writerow([row.day.isoformat(), row.method, *blank, *(row.reached[stage] for stage in STAGE_WORDS)])
    named = {"Content-Disposition": 'attachment; filename="payflux-funnel.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=named)


async def _counted(world: World, days: int) -> Funnel:
    now = world.clock.now()
    midnight = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    async with world.database.system() as session:
        return await count_funnel(session, since=midnight - timedelta(days=days - 1), until=now + timedelta(seconds=1))


def funnel_chart(funnel: Funnel, width: int) -> Markup:
    """The stages of everybody as bars, after those who scanned and who saw the prices; `width` in pixels."""
    reached = [(_("Scanned"), funnel.scanned.looked), (_("Saw prices"), funnel.looked.looked)]
    reached += ((_(STAGE_WORDS[key]), n) for key, n in funnel.total.items())
    registered = funnel.total["registered"]
    paid = percent(funnel.total["paid"] / registered) if registered else _("none")
    return bar_chart(
        [Bar(label, number) for label, number in reached],
        title=_("How far they came"),
        description=_("%(registered)s accounts were opened, and %(paid)s of them have paid.")
        % {"registered": count(registered), "paid": paid},
        format_y=lambda number: count(round(number)),
        width=width,
    )
