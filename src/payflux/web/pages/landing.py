"""The landing page: what PayFlux does, in one screen."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.kit.phrases import spoken
from payflux.web.charts import tier_chart, trapped_capital_chart
from payflux.web.guards import Visitor
from payflux.web.launch import SelfServe
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render, see_other
from payflux.web.sample import sample_readout

router = APIRouter()


def sample_context() -> dict[str, object]:
    """The sample readout with its drawings, for the template."""
    sample = spoken(sample_readout())
    return {
        "sample": sample,
        "tier_scale": tier_chart(sample.surface),
        "sample_chart": trapped_capital_chart(sample.projection, width=420, height=200),
    }


@router.get("/", dependencies=[guard(Audience.PUBLIC)])
async def landing(request: Request, who: Visitor, open_to_all: SelfServe, welcome: str = "") -> Response:
    """What PayFlux does, with a sample of it. Whoever has just joined an account goes on to it, and is welcomed
    there."""
    if who is not None and welcome == "teammate":
        return see_other("/start?welcome=teammate")
    return render(request, "landing.html", **sample_context())
