"""What a subscription means at an instant. Pure; a trial's end is computed and never written."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

TRIAL = timedelta(days=14)
TRIAL_PLAN = "pro"


def is_entitled(*, status: str, current_period_end: datetime | None, now: datetime) -> bool:
    """Whether the account may use what its plan holds: active, complimentary, in dunning, or in a running trial."""
    if status == "trialing":
        return current_period_end is not None and current_period_end > now
    return status in ("active", "complimentary", "past_due")


def trial_days_left(*, status: str, current_period_end: datetime | None, now: datetime) -> int | None:
    """Started days left of a trial, 0 when it has ended; None outside of one."""
    if status != "trialing" or current_period_end is None:
        return None
    return max(0, math.ceil((current_period_end - now) / timedelta(days=1)))
