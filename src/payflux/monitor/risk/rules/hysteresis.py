"""A tier is raised by one readout and cleared only by a whole day of calmer ones, so that it does not flicker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from payflux.kit.messages import mark
from payflux.kit.phrases import say
from payflux.monitor.risk.surface import Readout, Reason

CLEAR_AFTER = timedelta(days=1)
FORGET_AFTER = timedelta(days=30)
"""A readout older than this says nothing of today."""


def standing_tier(asked: int, as_of: datetime, earlier: Sequence[Readout]) -> int:
    """The tier that stands at `as_of` when the reasons ask for `asked`.

    The highest tier asked for by this readout and by every one since, and with, the last that is at least a day old:
    raise on one breach, clear after two readouts a day apart (Visa releases after one month, Mastercard after three;
    Gumroad lifts its holds by daily check, PR 6463). Readouts after `as_of` or over 30 days old do not count.
    """
    known = sorted(
        (readout for readout in earlier if as_of - FORGET_AFTER <= readout.as_of < as_of),
        key=lambda one: (one.as_of, one.asked_tier),
    )
    last_day = [readout for readout in known if readout.as_of > as_of - CLEAR_AFTER]
    before = known[: len(known) - len(last_day)][-1:]
    return max([asked, *(readout.asked_tier for readout in (*before, *last_day))])


def standing_reason(tier: int, asked: int) -> Reason:
    """Why a tier stands that no signal asks for any more."""
    return Reason(
        key="standing",
        tier=tier,
        sentence=say(
            "The signals ask for tier %(asked)s now. Tier %(tier)s stands until they have done so for a whole day.",
            asked=asked,
            tier=tier,
        ),
        lowers=mark("Nothing to do but keep it so: one more calm readout, a day later, clears it."),
    )
