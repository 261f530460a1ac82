"""The page for developers: every operation, field, scope and refusal, with examples, without a script."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.api.problems import API_PATH
from payflux.api.reference.operations import Group, Named, groups_of, objects_of
from payflux.api.routes import description
from payflux.frontdoor.accounts.keys.rules import SCOPES
from payflux.web.guards import CurrentWorld, Visitor
from payflux.web.policies import Audience, guard
from payflux.web.rendering import render

router = APIRouter()


@router.get("/developers", dependencies=[guard(Audience.PUBLIC)])
async def developers(request: Request, who: Visitor, world: CurrentWorld) -> Response:
    """The reference, for whoever reads it."""
    base = f"{world.settings.url}{API_PATH}"
    groups, objects = _made(base)
    return render(
        request, "developers.html", groups=groups, objects=objects, base=base, address=world.settings.url, scopes=SCOPES
    )


@lru_cache(maxsize=8)
def _made(base: str) -> tuple[list[Group], list[Named]]:
    """The same for every reader at one address."""
    return groups_of(description(), base), objects_of(description())
