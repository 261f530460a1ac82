"""The legal pages and the page on security: what this installation does, and who answers for it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.frontdoor.billing.rules import HISTORY, TRIAL
from payflux.frontdoor.funnel.rules import STRANGERS_KEPT
from payflux.frontdoor.sales.rules import KEPT_AFTER_CLOSING
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.scan.service import KEPT_FOR_STRANGERS
from payflux.web.guards import CurrentWorld
from payflux.web.installation import cookies, operator, subprocessors
from payflux.web.launch import SelfServe
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render

router = APIRouter()

PAGES = {
    "terms": mark("Terms of service"),
    "privacy": mark("Privacy"),
    "trust": mark("Security"),
    "dpa": mark("Data processing"),
    "subprocessors": mark("Subprocessors"),
    "refunds": mark("Cancellation and refunds"),
}
"""The title of each page, by its address and its template."""


async def _show(request: Request, world: CurrentWorld, open_to_all: SelfServe) -> Response:
    page = request.scope["path"].strip("/")
    settings = world.settings
    return render(
        request,
        f"legal/{page}.html",
        pages={path: _(title) for path, title in PAGES.items()},
        here=page,
        operator=operator(settings),
        cookies=cookies(settings),
        subprocessors=subprocessors(settings),
        claims=settings.trust_claim_list,
        https=settings.url.startswith("https://"),
        trial_days=TRIAL.days,
        history_days=HISTORY.days,
        scans_days=KEPT_FOR_STRANGERS.days,
        leads_days=KEPT_AFTER_CLOSING.days,
        strangers_days=STRANGERS_KEPT.days,
    )


for _page in PAGES:
    router.add_api_route(f"/{_page}", _show, methods=["GET"], dependencies=[guard(Audience.PUBLIC)], name=_page)
