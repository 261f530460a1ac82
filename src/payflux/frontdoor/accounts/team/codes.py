"""The code in the link of an invite: its id, and a MAC of it.

Nothing that opens an invite is stored: the code is made when the mail is written, by the key that only the product
holds. It leaves the product in that mail alone, so whoever brings it reads mail at the invited address.
"""

from __future__ import annotations

import base64
from uuid import UUID

from payflux.kit.crypto import TokenHasher

_ID_BYTES, _MAC_BYTES = 16, 32


def invite_code(tokens: TokenHasher, invite_id: UUID) -> str:
    """The code of an invite, 64 characters that are safe in an address."""
    return base64.urlsafe_b64encode(invite_id.bytes + tokens.digest(f"invite {invite_id}")).decode()


def read_code(tokens: TokenHasher, code: str) -> UUID | None:
    """The invite that `code` opens; None where it is not one of ours."""
    try:
        raw = base64.b64decode(code.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != _ID_BYTES + _MAC_BYTES:
        return None
    invite_id = UUID(bytes=raw[:_ID_BYTES])
    return invite_id if tokens.matches(raw[_ID_BYTES:].hex(), f"invite {invite_id}") else None
