"""The setup steps of the dashboard: which are there, which are done, and which is next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payflux.frontdoor.billing.rules import Standing, state_of, trial_days_left
from payflux.frontdoor.catalogue.file import read_catalogue

VERIFY_EMAIL, SET_UP_BUSINESS = "verify_email", "set_up_business"
INVITE_TEAMMATE, PICK_PLAN = "invite_teammate", "pick_plan"
URGENT_DAYS = 3
"""From as many days before the end of a trial on, choosing a plan is what comes first."""


@dataclass(frozen=True)
class Facts:
    """What has happened, as far as the steps are ticked by it.

    `verified_at_signup`: the address was proven before there was anything to confirm, by a sign-in provider or an
    invite. `business_set_up`: a member has answered the wizard's first step, if only by skipping it or the whole.
    `invited`: somebody was invited, or has joined.
    """

    verified: bool
    verified_at_signup: bool
    business_set_up: bool
    milestones: frozenset[str]
    invited: bool
    standing: Standing | None


@dataclass(frozen=True)
class Item:
    """One step, a key of the catalogue's checklist; `urgent` in the last days of a trial."""

    key: str
    done: bool
    urgent: bool = False


def checklist(facts: Facts, now: datetime) -> list[Item]:
    """The steps that apply, in order."""
    state = state_of(facts.standing, now)
    days_left = None
    if facts.standing is not None and state == "trial":
        days_left = trial_days_left(
            status=facts.standing.status, current_period_end=facts.standing.current_period_end, now=now
        )
    done = {
        VERIFY_EMAIL: facts.verified,
        SET_UP_BUSINESS: facts.business_set_up,
        INVITE_TEAMMATE: facts.invited,
        PICK_PLAN: state in ("active", "past_due", "bought_trial", "bought_trial_ended"),
    }
    hidden = {
        key for key, there in ((VERIFY_EMAIL, facts.verified_at_signup), (PICK_PLAN, state == "complimentary")) if there
    }
    return [
        Item(
            key,
            done.get(key, step.milestone in facts.milestones),
            urgent=key == PICK_PLAN and not done[key] and days_left is not None and days_left <= URGENT_DAYS,
        )
        for key, step in read_catalogue().checklist.items()
        if key not in hidden
    ]


def up_next(items: list[Item]) -> Item | None:
    """The one step to take now; None where nothing is asked for.

    An address is asked for by the banner above every page, and a plan only when it is urgent; then it comes first.
    """
    open_items = [item for item in items if not item.done]
    urgent = [item for item in open_items if item.urgent]
    asked = urgent or [item for item in open_items if item.key not in (VERIFY_EMAIL, PICK_PLAN)]
    return asked[0] if asked else None
