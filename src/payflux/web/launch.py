"""What is closed while not everybody may register by themselves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from payflux.frontdoor.billing.launch import self_serve_enabled
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render
from payflux.world.bootstrap import World


async def open_to_all(request: Request, world: CurrentWorld) -> bool:
    """Whether everybody may register and see the prices, as it is switched now. The page of a route that asks leads
    there where they may."""
    async with world.database.system() as session:
        request.state.self_serve = await self_serve_enabled(session, world.settings)
    return request.state.self_serve


SelfServe = Annotated[bool, Depends(open_to_all)]


async def require_self_serve(is_open: SelfServe) -> None:
    """For a page that is only there when everybody may register. Raises NotFound."""
    if not is_open:
        raise NotFound(_("There is no page here."), way_out=_("Check the address, or start from the first page."))


def not_open(request: Request) -> Response:
    """The page for somebody who may not register yet, the same whoever they are."""
    world: World = request.app.state.world
    return render(request, "not_open.html", HTTPStatus.FORBIDDEN, sales_email=world.settings.sales_email)
