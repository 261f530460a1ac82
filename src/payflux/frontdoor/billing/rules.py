"""What a subscription means at an instant, and how it changes. Pure; a trial's end is computed and never written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from payflux.frontdoor.billing.models import Subscription

TRIAL = timedelta(days=14)
TRIAL_PLAN = "pro"
"""The plan whose entitlements a running trial has, whatever plan it goes on with."""

FREE_PLAN = "free"
PAID_PLANS = frozenset({"starter", "pro", "enterprise"})
PRO_PLANS = frozenset({"pro", "enterprise"})

HISTORY = timedelta(days=30)
"""How long what was seen before stays readable after the end of a trial or a subscription."""

CHECKOUT_TRIAL = timedelta(hours=48)
"""The shortest trial that Checkout takes over as an instant. Source: `subscription_data.trial_end` "has to be at least
48 hours in the future", docs.stripe.com/api/checkout/sessions/create."""
CHECKOUT_TRIAL_MARGIN = timedelta(minutes=10)

Status = Literal["active", "trialing", "past_due", "canceled", "incomplete", "complimentary"]

LOCAL_STATUS: MappingProxyType[str, Status] = MappingProxyType(
    {
        "incomplete": "incomplete",
        "incomplete_expired": "canceled",
        "trialing": "trialing",
        "active": "active",
        "past_due": "past_due",
        "unpaid": "incomplete",
        "paused": "incomplete",
        "canceled": "canceled",
    }
)
"""Our word for every status of a subscription at Stripe. Unpaid and paused ones are locked, but have not ended."""


class UnknownStripeStatus(ValueError):
    """Stripe has a status that this version does not know; nothing is written by guessing."""


@dataclass(frozen=True)
class Standing:
    """An account's subscription as the rules, the guards and the pages need it.

    `ended_at` is when it ended, or will by what is known now: a trial with its period, a canceled one when it was
    canceled. `stripe_status` is None for what Stripe does not know of: a trial, Free, a complimentary plan.
    """

    plan: str
    plan_version: int | None
    status: Status
    current_period_start: datetime
    current_period_end: datetime | None
    cancel_at_period_end: bool = False
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    next_payment_attempt_at: datetime | None = None
    seat_limit: int | None = None
    billing_interval: str | None = None
    stripe_status: str | None = None


def standing_of(subscription: Subscription) -> Standing:
    """What the rules need of a subscription's row."""
    status: Status = subscription.status  # ty: ignore[invalid-assignment] the table's check constraint holds it
    end = subscription.current_period_end
    return Standing(
        plan=subscription.plan,
        plan_version=subscription.plan_version,
        status=status,
        current_period_start=subscription.current_period_start,
        current_period_end=end,
        cancel_at_period_end=subscription.cancel_at_period_end,
        cancel_at=subscription.cancel_at,
        ended_at=(subscription.canceled_at or end) if status == "canceled" else end if status == "trialing" else None,
        next_payment_attempt_at=subscription.next_payment_attempt_at,
        seat_limit=subscription.seat_limit,
        billing_interval=subscription.billing_interval,
        stripe_status=subscription.stripe_status,
    )


def is_active(status: str) -> bool:
    """Whether the subscription has not failed or ended, going by its status alone."""
    return status in ("active", "trialing", "complimentary")


def is_paid(plan: str, status: str) -> bool:
    """Whether it counts among those that pay: a plan with a price, and not complimentary."""
    return plan in PAID_PLANS and status != "complimentary"


PAYING = ("active", "past_due")
"""The statuses in which a plan with a price brings money in; a missing payment is still owed."""


def monthly_cents(unit_cents: int, seats: int, interval: str) -> int:
    """What `seats` seats at `unit_cents` each month or year come to a month, rounded to the cent."""
    return unit_cents * seats if interval == "month" else (unit_cents * seats + 6) // 12


def has_pro_entitlement(plan: str, status: str, current_period_end: datetime | None, now: datetime) -> bool:
    """Whether the account may use what Pro holds: Pro or more, active or complimentary, or a running trial."""
    if status == "trialing":
        return _runs(current_period_end, now)
    return plan in PRO_PLANS and status in ("active", "complimentary")


def is_entitled(*, status: str, current_period_end: datetime | None, now: datetime) -> bool:
    """Whether the account may use what its plan holds: active, complimentary, in dunning, or in a running trial."""
    if status == "trialing":
        return _runs(current_period_end, now)
    return status in ("active", "complimentary", "past_due")


def is_locked(status: str, current_period_end: datetime | None, now: datetime) -> bool:
    """Whether the account stands before the wall: a trial that ended, or a canceled or incomplete subscription."""
    return not is_entitled(status=status, current_period_end=current_period_end, now=now)


def effective_plan(plan: str, status: str, current_period_end: datetime | None, now: datetime) -> str:
    """The plan whose entitlements hold now."""
    return TRIAL_PLAN if status == "trialing" and _runs(current_period_end, now) else plan


def history_until(status: str, ended_at: datetime | None) -> datetime | None:
    """Until when (exclusive) what was seen before stays readable behind the wall; None where nothing has an end."""
    if status not in ("trialing", "canceled") or ended_at is None:
        return None
    return ended_at + HISTORY


def may_read_history(standing: Standing, now: datetime) -> bool:
    """Whether what was seen before may be read: always while entitled or while a payment is missing, and for 30 days
    after the end."""
    until = history_until(standing.status, standing.ended_at)
    return until is None or now < until


def trial_days_left(*, status: str, current_period_end: datetime | None, now: datetime) -> int | None:
    """Started days left of a trial, 0 when it has ended; None outside of one."""
    if status != "trialing" or current_period_end is None:
        return None
    return max(0, math.ceil((current_period_end - now) / timedelta(days=1)))


def trial_end_for_checkout(current_period_end: datetime | None, now: datetime) -> datetime | None:
    """When a trial that runs ends if it goes on at Stripe; None when none runs, so that Checkout charges at once.

    Never less than was promised, and never less than Checkout takes: a shorter rest is rounded up to 48 hours and ten
    minutes, which also spares who has 48 hours and a second left a refusal because the request took two.
    """
    if not _runs(current_period_end, now):
        return None
    assert current_period_end is not None
    return max(current_period_end, now + CHECKOUT_TRIAL + CHECKOUT_TRIAL_MARGIN)


def local_status(stripe_status: str) -> Status:
    """Our word for Stripe's. Raises UnknownStripeStatus."""
    try:
        return LOCAL_STATUS[stripe_status]
    except KeyError:
        raise UnknownStripeStatus(f"Stripe's subscription status {stripe_status!r} is not known") from None


def _runs(current_period_end: datetime | None, now: datetime) -> bool:
    return current_period_end is not None and current_period_end > now


State = Literal[
    "none",
    "trial",
    "trial_ended",
    "free",
    "complimentary",
    "bought_trial",
    "bought_trial_ended",
    "active",
    "past_due",
    "incomplete",
    "canceled",
]
"""Where an account stands. `bought_trial` is a trial that goes on at Stripe, with a card; when it has ended, Stripe's
word about the first payment is on its way."""

Event = Literal[
    "registered",
    "trial_elapsed",
    "free_chosen",
    "complimentary_granted",
    "stripe_trialing",
    "stripe_active",
    "stripe_past_due",
    "stripe_incomplete",
    "stripe_unpaid",
    "stripe_paused",
    "stripe_canceled",
    "stripe_incomplete_expired",
]
"""What moves it: an act of ours, the passing of time, or the status that Stripe gives a subscription when it is read
again after any of its events."""

_STRIPE: dict[Event, State] = {
    "stripe_trialing": "bought_trial",
    "stripe_active": "active",
    "stripe_past_due": "past_due",
    "stripe_unpaid": "incomplete",
    "stripe_paused": "incomplete",
    "stripe_canceled": "canceled",
}
_STRIPE_OWN: dict[Event, State] = _STRIPE | {
    "stripe_incomplete": "incomplete",
    "stripe_incomplete_expired": "canceled",
}

TRANSITIONS: MappingProxyType[State, dict[Event, State]] = MappingProxyType(
    {
        # nobody loses a running trial, Free or a complimentary plan to a subscription whose first payment never came
        "none": {"registered": "trial", "free_chosen": "free", "complimentary_granted": "complimentary"} | _STRIPE,
        "trial": {"trial_elapsed": "trial_ended", "free_chosen": "free", "complimentary_granted": "complimentary"}
        | _STRIPE,
        "trial_ended": {"free_chosen": "free", "complimentary_granted": "complimentary"} | _STRIPE,
        "free": {"complimentary_granted": "complimentary"} | _STRIPE,
        "complimentary": _STRIPE,
        "canceled": {"free_chosen": "free", "complimentary_granted": "complimentary"} | _STRIPE,
        # what Stripe knows of follows Stripe alone
        "bought_trial": {"trial_elapsed": "bought_trial_ended"} | _STRIPE_OWN,
        "bought_trial_ended": _STRIPE_OWN,
        "active": _STRIPE_OWN,
        "past_due": _STRIPE_OWN,
        "incomplete": _STRIPE_OWN,
    }
)
"""State and event to the next state; an event that is not listed leaves the state as it is. The end of a subscription
at Stripe ends what was begun before it was bought, and not what began after."""


def state_of(standing: Standing | None, now: datetime) -> State:
    """Where an account with this standing is in :data:`TRANSITIONS`."""
    if standing is None:
        return "none"
    if standing.status == "trialing":
        bought, runs = standing.stripe_status is not None, _runs(standing.current_period_end, now)
        if bought:
            return "bought_trial" if runs else "bought_trial_ended"
        return "trial" if runs else "trial_ended"
    if standing.status == "active" and standing.stripe_status is None and standing.plan == FREE_PLAN:
        return "free"
    return standing.status
