"""The links of a scan: one that opens the whole of it, and one that opens its card alone.

Each ends in a token of the scan's id and 256 bits that only this product can compute, so that nothing stored opens a
scan, and a card does not lead to what it was drawn from.
"""

from __future__ import annotations

import re
from typing import Literal
from uuid import UUID

from payflux.kit.crypto import TokenHasher

_TOKEN = re.compile(r"([0-9a-f]{32})([0-9a-f]{64})", re.ASCII)

Opens = Literal["scan", "card"]


def token_of(tokens: TokenHasher, scan_id: UUID, opens: Opens = "scan") -> str:
    return f"{scan_id.hex}{tokens.digest(_text(scan_id, opens)).hex()}"


def scan_behind(tokens: TokenHasher, token: str, opens: Opens = "scan") -> UUID | None:
    """The scan that `token` opens; None for what is no token of ours."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    scan_id = UUID(found[1])
    return scan_id if tokens.matches(found[2], _text(scan_id, opens)) else None


def _text(scan_id: UUID, opens: Opens) -> str:
    return f"website {opens} {scan_id.hex}"
