"""Browsers that somebody has signed in with before, and what a browser and the place it is at are called."""

from __future__ import annotations

import re
import secrets
from ipaddress import ip_address

from ua_parser import parse

from payflux.kit.crypto import TokenHasher
from payflux.kit.messages import gettext as _


def device_cookie(tokens: TokenHasher, address: str) -> str:
    """What a browser keeps to show that `address` (normalized) was signed in to in it."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{tokens.digest(_claim(nonce, address)).hex()}"


def known_device(tokens: TokenHasher, cookie: str, address: str) -> str:
    """The name of the device whose `cookie` this is; empty unless `address` was signed in to in it."""
    nonce, _, mark = cookie.partition(".")
    if not re.fullmatch(r"[\w-]{22}", nonce, re.ASCII) or not re.fullmatch(r"[0-9a-f]{64}", mark):
        return ""
    return nonce if tokens.matches(mark, _claim(nonce, address)) else ""


def _claim(nonce: str, address: str) -> str:
    return f"known device {nonce} {address}"


def device_name(user_agent: str) -> str:
    """A browser as a person would name it, such as "Firefox on Windows"."""
    known = parse(user_agent)
    parts = [part.family for part in (known.user_agent, known.os) if part is not None and part.family != "Other"]
    if len(parts) == 2:
        return _("%(browser)s on %(system)s") % {"browser": parts[0], "system": parts[1]}
    return parts[0] if parts else _("An unknown device")


def place_name(address: str, country: str) -> str:
    """Where a network address is, as far as that can be told without asking anybody: the machine that PayFlux runs on,
    its own network, or the country that the proxy in front named, with the address."""
    try:
        known = ip_address(address)
    except ValueError:
        return _("An unknown network")
    if known.is_loopback:
        return _("The machine that PayFlux runs on")
    if known.is_private:
        return _("Your own network, %(address)s") % {"address": address}
    return f"{country}, {address}" if country else address
