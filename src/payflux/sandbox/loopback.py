"""Which addresses are this machine's own: the sandbox listens on them and sends to them, and to no other."""

from __future__ import annotations

import ipaddress


def is_local(host: str) -> bool:
    """Whether a host name or address is of this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
