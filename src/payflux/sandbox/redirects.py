"""The way back to the application that sent a browser here; it leads to this machine only."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse

_LOOPBACK = {"127.0.0.1", "localhost"}


def leads_here(redirect_uri: str) -> bool:
    """Whether this is an absolute http or https address of this machine, without a fragment."""
    try:
        target = urlsplit(redirect_uri)
        return target.scheme in ("http", "https") and target.hostname in _LOOPBACK and not target.fragment
    except ValueError:
        return False


def send_back(redirect_uri: str, answer: Mapping[str, str]) -> RedirectResponse:
    """Send the browser back with `answer`; what is empty in it is left out."""
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(
        f"{redirect_uri}{joint}{urlencode({name: value for name, value in answer.items() if value})}", 303
    )
