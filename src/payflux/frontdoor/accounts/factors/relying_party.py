"""Whom passkeys are made for (WebAuthn Level 3, section 5.1.2): a domain name, as browsers know no address there."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from payflux.settings import Settings

RELYING_PARTY_NAME = "PayFlux"


@dataclass(frozen=True)
class RelyingParty:
    """`id` is the domain that passkeys are bound to, `origin` the only one whose pages may ask for them."""

    id: str
    origin: str


def relying_party(settings: Settings) -> RelyingParty | None:
    """Whom passkeys are made for, or None where people open a network address: no passkey can be made there.

    A loopback address is also called localhost, and passkeys work under that name.
    """
    parts = urlsplit(settings.url)
    host = parts.hostname or ""
    try:
        if not ip_address(host).is_loopback:
            return None
    except ValueError:
        return RelyingParty(host, f"{parts.scheme}://{parts.netloc}")
    port = f":{parts.port}" if parts.port else ""
    return RelyingParty("localhost", f"{parts.scheme}://localhost{port}")
