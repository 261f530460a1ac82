"""Where mail servers, or whoever takes mail in for them, hand over the mails that came to a return path of ours.

A report is believed for the code in the return path that it came to (see :mod:`payflux.frontdoor.accounts.bounces`).
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from payflux.activation.bounces import take_report
from payflux.kit.errors import NotFound
from payflux.world.bootstrap import World

router = APIRouter()


class BouncesNotSetUp(NotFound):
    """Mails of ours have no return path of their own, so nothing comes in by one."""

    code = "bounces_not_set_up"


@router.post("/mail/bounces")
async def receive_bounce(request: Request) -> JSONResponse:
    """A mail to a return path of ours, as it came in (RFC 5322): `noted` says whether it reports that one of ours was
    not delivered, and is new."""
    world: World = request.app.state.world
    if not world.settings.bounce_address:
        raise BouncesNotSetUp(
            "No return path is set up.", way_out="Set PAYFLUX_BOUNCE_ADDRESS to the address whose mail comes here."
        )
    return JSONResponse({"noted": await take_report(world, await request.body())})
