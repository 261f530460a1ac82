"""When an invite is open, how many may be sent, and how names are written in mail to strangers. Pure decisions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark

INVITE_LIFETIME = timedelta(days=14)
TRANSFER_LIFETIME = timedelta(days=7)

CAP_WINDOW = timedelta(hours=24)
BULK_MAX = 50
"""Addresses in one bulk invite."""
ACCOUNT_NAME_MAX = 255
USER_NAME_MAX = 200
"""Characters of a name."""


class Cap(NamedTuple):
    """At most `mails` invite mails within :data:`CAP_WINDOW`."""

    mails: int
    whose: str


INVITER_CAP = Cap(30, mark("you have sent"))
ACCOUNT_CAP = Cap(60, mark("your account has sent"))
INVITE_CAP = Cap(3, mark("have gone to this address"))
RECIPIENT_CAP = Cap(5, "")
"""What one address gets from all accounts together; beyond it a mail is held back without a word, so that nobody learns
who else invites an address."""


class InviteState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Lifecycle(Protocol):
    """The part of an invite that says whether it is open."""

    @property
    def accepted_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime: ...


def invite_state(invite: Lifecycle, now: datetime) -> InviteState:
    """How an invite stands at `now`. What was accepted stays so, whatever came after."""
    if invite.accepted_at is not None:
        return InviteState.ACCEPTED
    if invite.revoked_at is not None:
        return InviteState.REVOKED
    return InviteState.OPEN if now < invite.expires_at else InviteState.EXPIRED


def seats_left(seats: int | None, *, members: int, invites: int) -> int | None:
    """Seats that are still free where a plan has `seats`; None where it has no limit. An open invite holds a seat, so
    that nobody accepts one into a full account."""
    return None if seats is None else max(0, seats - members - invites)


@dataclass(frozen=True)
class SeatAllowance:
    """How many people an account may have, None without a limit, and who takes a seat of it elsewhere: the normalized
    addresses of members of its other workspaces, and of those invited into one. A person takes one seat of an account,
    in however many of its workspaces they are."""

    limit: int | None
    members_elsewhere: frozenset[str] = frozenset()
    invited_elsewhere: frozenset[str] = frozenset()

    @property
    def elsewhere(self) -> frozenset[str]:
        return self.members_elsewhere | self.invited_elsewhere


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*://\S*|\bwww\.\S*", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/:?#]\S*)?")


def name_in_mail(name: str, *, otherwise: str, longest: int = 60) -> str:
    """`name` as a mail to a stranger may hold it: without control and direction characters and without anything that a
    mail program makes a link of, so that an invite carries nobody's advertisement. `otherwise` where nothing is left.
    """
    plain = _CONTROL.sub(" ", unicodedata.normalize("NFKC", name))
    plain = _DOMAIN.sub(" ", _SCHEME.sub(" ", plain))
    plain = " ".join(plain.replace("<", " ").replace(">", " ").split())
    return plain[:longest].strip() or otherwise


def name_problem(name: str, *, longest: int) -> str:
    """Why a person or an account cannot be called `name`, or an empty string."""
    name = " ".join(name.split())
    if not name:
        return _("Enter a name.")
    if len(name) > longest:
        return _("Use at most %(longest)s characters.") % {"longest": longest}
    if _CONTROL.search(name):
        return _("Use letters, digits and punctuation; this holds a control character.")
    return ""
