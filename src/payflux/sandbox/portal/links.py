"""What the links to the portal and to an invoice lead to, and what is said where they lead nowhere."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from payflux.sandbox.addresses import read_ticket, remember_address
from payflux.sandbox.pages import render_page
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

FIELDS = ("number", "expiry", "cvc", "price", "reason", "comment", "subscription", "view")
"""What the forms of these pages hold."""


def opened(request: Request, kind: str) -> tuple[Work, Json] | None:
    """The object that a link names."""
    state: SandboxState = request.app.state.sandbox
    named = read_ticket(request.path_params["ticket"])
    if named is None or named[0] not in state.archetypes:
        return None
    found = state.store.get(*named)
    if found is None or found["object"] != kind:
        return None
    remember_address(state.store, str(request.base_url).rstrip("/"))
    return Work(state, named[0], int(state.now().timestamp())), found


def over(status: int, title: str, text: str, link: str = "") -> Response:
    """The page of a link that leads nowhere."""
    return render_page("checkout_over.html", status, title=title, text=text, link=link)
