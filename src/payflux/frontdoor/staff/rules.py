"""How long the doors of the staff stay open. Pure decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

SESSION_IDLE = timedelta(minutes=30)
SESSION_ABSOLUTE = timedelta(hours=8)

LINK_LIFETIME = timedelta(hours=24)
"""How long the link by which somebody joins the staff is good."""

VISIT_LENGTH = timedelta(minutes=30)
"""How long staff may look at an account as its member, however often they do something."""

REASON_MIN, REASON_MAX = 10, 500


def session_expiry(created_at: datetime, used_at: datetime) -> datetime:
    """When a session in the console ends: 30 minutes after its last use, at most 8 hours after it began."""
    return min(used_at + SESSION_IDLE, created_at + SESSION_ABSOLUTE)


def reason_problem(reason: str) -> str:
    """Why `reason` does not explain an act to the account's owner, or an empty string."""
    length = len(" ".join(reason.split()))
    if length < REASON_MIN:
        return f"Say in at least {REASON_MIN} characters why; the account's owner reads it in their log."
    return f"Use at most {REASON_MAX} characters." if length > REASON_MAX else ""
