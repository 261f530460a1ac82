"""How long a mailed link and its code hold, and when the next may be sent. Pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a mail is for: proving an address, setting a new password, changing the address; or telling a user that
    somebody wanted to register theirs, which carries no link of its own."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGE = "change"
    TAKEN = "taken"


class LinkState(StrEnum):
    """What a link is worth to whoever opens it; each has a page of its own."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    OTHER_USER = "other_user"
    TAKEN = "taken"


LINK_LIFETIME = {
    Purpose.VERIFY: timedelta(days=1),
    Purpose.RESET: timedelta(hours=1),
    Purpose.CHANGE: timedelta(days=1),
    Purpose.TAKEN: timedelta(0),
}
CODE_LIFETIME = timedelta(minutes=10)
"""OWASP ASVS 5.0, 6.5.5."""
CODE_ATTEMPTS = 5

RESEND_AFTER = timedelta(minutes=1)
RESEND_AFTER_MOST = timedelta(hours=1)
RESEND_WINDOW = timedelta(days=1)

KEPT_AFTER_EXPIRY = timedelta(days=90)
"""For as long, whoever opens an old link is told what became of it."""


def link_state(
    *, used_at: datetime | None, superseded_at: datetime | None, expires_at: datetime, now: datetime
) -> LinkState:
    """The state of a link that is somebody's; half-open: at `expires_at` it has expired."""
    if used_at is not None:
        return LinkState.USED
    if superseded_at is not None:
        return LinkState.SUPERSEDED
    return LinkState.OPEN if now < expires_at else LinkState.EXPIRED


def code_is_open(*, created_at: datetime, attempts: int, now: datetime) -> bool:
    """Whether a mailed code is looked at: for 10 minutes, and five times."""
    return attempts < CODE_ATTEMPTS and now < created_at + CODE_LIFETIME


def resend_at(sent: Sequence[datetime], *, elsewhere: bool = False) -> datetime | None:
    """When the next mail may be sent after those `sent` within :data:`RESEND_WINDOW`: a minute after the first, then
    2, 4, … 60 minutes after the last. None: at once. With `elsewhere` it goes to another address than the last: once
    that is at once, for whoever mistyped theirs sees it as soon as the first mail is said to be sent."""
    if not sent or (elsewhere and len(sent) == 1):
        return None
    return max(sent) + min(RESEND_AFTER * 2 ** min(len(sent) - 1, 6), RESEND_AFTER_MOST)
