"""Who may control a sandbox: whoever is on this machine, but no page of another site that a browser here shows."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from payflux.sandbox.errors import StripeError
from payflux.sandbox.loopback import is_local


def require_own(request: Request) -> None:
    """Raises a 403 StripeError for what another site sends, by its Origin or by a name that only points here."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    try:
        own = is_local(urlsplit(f"//{host}").hostname or "") and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:
        own = False
    if not own:
        raise StripeError(403, "The sandbox is controlled from its own pages and from this machine only.")
