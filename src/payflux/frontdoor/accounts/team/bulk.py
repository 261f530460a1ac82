"""Invite several people at once: each address has its own outcome, and none holds up the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.inviting import invite
from payflux.frontdoor.accounts.team.rules import BULK_MAX, SeatAllowance
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import InvalidInput, UserError
from payflux.kit.messages import gettext as _


@dataclass(frozen=True)
class Outcome:
    """What became of one address: `invite_id` where it is invited, else why not."""

    email: str
    invite_id: UUID | None
    code: str  # "invited", or the refusal's
    message: str


def addresses_in(text: str) -> list[str]:
    """The addresses in a pasted list, each once, in order: separated by spaces, commas, semicolons or line ends, with
    or without the names and angle brackets of mail programs. What looks like no address is kept where it stands alone,
    so that it can be told."""
    parts: list[str] = []
    for entry in re.split(r"[,;\n]", re.sub(r'"[^"\n]*"', " ", text)):
        _, bracket, address = entry.rpartition("<")
        parts += [address.partition(">")[0].strip()] if bracket else entry.split()
    found: dict[str, str] = {}
    for part in filter(None, parts):
        found.setdefault(normalize_email(part), part)
    return list(found.values())


async def invite_many(
    session: AsyncSession,
    tokens: TokenHasher,
    who: SignedIn,
    *,
    emails: list[str],
    role: str,
    allowance: SeatAllowance,
    now: datetime,
) -> list[Outcome]:
    """Invite each of `emails` as `role`, in order, for as long as seats and caps last.

    Raises InvalidInput for an empty or too long list.
    """
    if not 0 < len(emails) <= BULK_MAX:
        raise InvalidInput({"emails": _("Give one to %(bulk_max)s addresses.") % {"bulk_max": BULK_MAX}})
    outcomes = []
    for email in emails:
        try:
            async with session.begin_nested():
                added = await invite(session, tokens, who, email=email, role=role, allowance=allowance, now=now)
            outcomes.append(Outcome(email, added.id, "invited", "Invited."))
        except UserError as refusal:
            reason = " ".join(refusal.fields.values()) if isinstance(refusal, InvalidInput) else refusal.message
            outcomes.append(Outcome(email, None, refusal.code, reason))
    return outcomes
