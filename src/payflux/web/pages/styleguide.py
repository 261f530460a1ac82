"""The design system on one living page, for whoever builds pages: every token and component, light and dark."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.kit.phrases import spoken
from payflux.web.charts import tier_chart, trapped_capital_chart
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render
from payflux.web.sample import sample_readout

router = APIRouter()

_TOKEN = re.compile(r"^\s*--([\w-]+):\s*([^;]+);", re.MULTILINE)


class Token(NamedTuple):
    """A design token; its name without the two dashes."""

    name: str
    value: str


@cache
def tokens() -> dict[str, list[Token]]:
    """The tokens of tokens.css by what they are: colour, text, space, and the rest."""
    css = (files("payflux") / "static" / "css" / "tokens.css").read_text()
    found: dict[str, list[Token]] = {"colour": [], "text": [], "space": [], "other": []}
    for name, value in _TOKEN.findall(css):
        kind = name.partition("-")[0]
        found["colour" if value.startswith("light-dark(") else kind if kind in found else "other"].append(
            Token(name, value)
        )
    return found


def styleguide_context() -> dict[str, object]:
    """What the page shows: the tokens as the style sheet has them, and a readout to draw."""
    sample = spoken(sample_readout())
    return {
        "tokens": tokens(),
        "sample": sample,
        "tier_scale": tier_chart(sample.surface),
        "chart": trapped_capital_chart(sample.projection, width=480, height=220),
    }


@router.get("/styleguide", dependencies=[guard(Audience.PUBLIC)])
async def styleguide(request: Request, world: CurrentWorld) -> Response:
    """In development alone. Raises NotFound elsewhere."""
    if world.settings.environment != "development":
        raise NotFound(_("There is no page here."), way_out=_("Check the address, or start from the first page."))
    return render(request, "styleguide.html", **styleguide_context())
