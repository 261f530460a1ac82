"""Where passkeys can be used, and what binds one to the browser that was asked for it."""

from __future__ import annotations

from fastapi import Request

from payflux.frontdoor.accounts.factors.relying_party import RelyingParty, relying_party
from payflux.kit.errors import Forbidden
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World


def passkeys_here(request: Request) -> bool:
    """Whether the page that is asked for stands under the name that passkeys are made for."""
    party = _party(request)
    return party is not None and request.url.hostname == party.id


def passkeys_elsewhere(request: Request) -> str:
    """The address under which this page could use passkeys, where it cannot here; empty where none could."""
    party = _party(request)
    return "" if party is None or passkeys_here(request) else f"{party.origin}{request.url.path}"


def require_party(request: Request) -> RelyingParty:
    """Whom passkeys are made for. Raises Forbidden where none can be made."""
    party = _party(request)
    if party is None:
        raise Forbidden(_("Passkeys need a domain name, and this is a network address."), way_out=_("Use a password."))
    return party


def browser_of(request: Request) -> str:
    """What tells this browser from another: the seed of its form tokens, which it keeps in a cookie."""
    return request.state.csrf_seed


def _party(request: Request) -> RelyingParty | None:
    world: World = request.app.state.world
    return relying_party(world.settings)
