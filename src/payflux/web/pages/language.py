"""The choice of a language, made on any page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.frontdoor.accounts.team.members import choose_language
from payflux.kit.messages import LANGUAGES
from payflux.web.browsers import DAY, keep, local_path
from payflux.web.forms import Text
from payflux.web.guards import Visitor, get_world
from payflux.web.languages import COOKIE
from payflux.web.policies import Audience, guard
from payflux.web.rendering import see_other

router = APIRouter()


@router.post("/language", dependencies=[guard(Audience.PUBLIC)])
async def choose(request: Request, who: Visitor, language: Text = "", next: Text = "") -> Response:  # noqa: A002 -- the field's name
    """Go on in `language`: kept with the user where one is signed in, and in the browser. What is none of ours changes
    nothing."""
    answer = see_other(local_path(next) or "/start")
    if language not in LANGUAGES:
        return answer
    world = get_world(request)
    if who is not None:
        async with world.database.system() as session:
            await choose_language(session, user_id=who.user_id, language=language)
    return keep(answer, world, COOKIE, language, max_age=400 * DAY)
