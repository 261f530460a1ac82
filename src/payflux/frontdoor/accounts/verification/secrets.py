"""The link and the code that a mail carries. Both are computed from the id of their challenge, so the database holds
neither, a mail that is sent again says the same, and a job in the queue names the challenge alone."""

from __future__ import annotations

import re
from uuid import UUID

from payflux.kit.crypto import TokenHasher

_TOKEN = re.compile(r"([0-9a-f]{32})([0-9a-f]{64})")


def link_token(tokens: TokenHasher, challenge_id: UUID) -> str:
    """What the link of a challenge carries: its id, and a mark of 256 bits that nobody else can compute."""
    return challenge_id.hex + tokens.digest(_link(challenge_id)).hex()


def challenge_of(tokens: TokenHasher, token: str) -> UUID | None:
    """The challenge whose link carries `token`, or None for one that we never made."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    challenge_id = UUID(found[1])
    return challenge_id if tokens.matches(found[2], _link(challenge_id)) else None


def code_of(tokens: TokenHasher, challenge_id: UUID) -> str:
    """The six digits of a challenge."""
    return f"{int.from_bytes(tokens.digest(f'mailed code {challenge_id}')) % 1_000_000:06}"


def _link(challenge_id: UUID) -> str:
    return f"mailed link {challenge_id}"
