"""Addresses that a person is sent to: on this machine and nowhere else."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from payflux.sandbox.errors import StripeError
from payflux.sandbox.loopback import is_local


def require_local_url(url: str, param: str) -> None:
    """Raises a 400 StripeError that names `param` for what is no address, or one of another machine."""
    target = urlsplit(url)
    if target.scheme not in ("http", "https") or not target.hostname:
        raise StripeError(400, "Not a valid URL", code="url_invalid", param=param)
    if not is_local(target.hostname):
        raise StripeError(
            400,
            "The sandbox sends nobody beyond this machine: use an address on 127.0.0.1 or localhost.",
            param=param,
        )


def with_query(url: str, **values: str) -> str:
    """`url` with these parameters added to its query."""
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{urlencode(values)}"
