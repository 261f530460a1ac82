"""Mails that came back: whose they were, and which addresses do not work.

Each mail to a user has a return path of its own: the address that the settings name, a ``+``, and a code of the user
and their address with a MAC. Only whoever was handed the mail knows it, so a report that arrives there is believed.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import MailBounce, User
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.verification.challenges import lock_user
from payflux.kit.crypto import TokenHasher

KEPT = timedelta(days=90)
MOST_SHOWN = 20

_ID_BYTES, _MAC_BYTES = 16, 10  # 80 bits: each guess is a request
_CODE_CHARACTERS = 42  # of base 32, which survives a mail server that changes the case
LONGEST_NAME = 64 - 1 - _CODE_CHARACTERS
"""How many characters may stand before the @ of the address that return paths are made of: RFC 5321 allows 64."""

_LONGEST_HEADER = 64 * 1024
_MOST_TRIED = 5


def return_path(base: str, tokens: TokenHasher, *, user_id: UUID, email: str) -> str:
    """Where a mail to `email` comes back to, below the address `base`."""
    name, _, domain = base.rpartition("@")
    code = base64.b32encode(user_id.bytes + _mac(tokens.digest(_claim(user_id, email)))).decode().rstrip("=").lower()
    return f"{name}+{code}@{domain}"


async def bounced_user(session: AsyncSession, tokens: TokenHasher, *, base: str, mail: bytes) -> User | None:
    """Whose return path the raw `mail` came to, locked. None where its header names none, where it was not made by us,
    or where the user has another address by now. As the system role."""
    header = mail[:_LONGEST_HEADER].replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
    name, _, domain = map(re.escape, base.rpartition("@"))
    codes = re.findall(rf"{name}\+([a-z2-7]{{{_CODE_CHARACTERS}}})@{domain}", header, re.IGNORECASE)
    for code in list(dict.fromkeys(codes))[:_MOST_TRIED]:
        raw = base64.b32decode(code.upper() + "=" * (-len(code) % 8))
        user = await session.get(User, UUID(bytes=raw[:_ID_BYTES]))
        if user is not None:
            digests = tokens.digests(_claim(user.id, user.email))
            if any(compare_digest(_mac(digest), raw[_ID_BYTES:]) for digest in digests):
                return await lock_user(session, user.id)
    return None


async def note_bounce(
    session: AsyncSession, user: User, *, bounce_id: UUID, status: str, permanent: bool, now: datetime
) -> bool:
    """Keep that a mail to `user` came back, once for each `bounce_id`; False where it was known."""
    row = {"id": bounce_id, "user_id": user.id, "at": now, "status": status, "permanent": permanent}
    added = insert(MailBounce).values(row).on_conflict_do_nothing().returning(MailBounce.id)
    if (await session.execute(added)).scalar_one_or_none() is None:
        return False
    if permanent:
        user.mail_returned_at = now
    return True


async def bounces_of(session: AsyncSession, *, user_id: UUID) -> list[MailBounce]:
    """What came back from a user's address, the newest first. As the system role."""
    query = select(MailBounce).where(MailBounce.user_id == user_id).order_by(MailBounce.at.desc()).limit(MOST_SHOWN)
    return list((await session.execute(query)).scalars())


async def delete_old_bounces(session: AsyncSession, *, now: datetime) -> None:
    """Remove what came back long ago; that an address does not work stays known."""
    await session.execute(delete(MailBounce).where(MailBounce.at <= now - KEPT))


def _claim(user_id: UUID, email: str) -> str:
    return f"return path {user_id} {normalize_email(email)}"


def _mac(digest: bytes) -> bytes:
    return digest[:_MAC_BYTES]
