"""A subscription as it is kept: its period, its way to pay, its status, and what it has waiting on the clock."""

from __future__ import annotations

from collections.abc import Sequence

from payflux.sandbox.billing.items import during, items_list, recurrence_of
from payflux.sandbox.billing.rules import DAY, ENDED, TRIAL_NOTICE, Recurrence, turned
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

PERIOD_END, TRIAL_WILL_END, UPCOMING = "billing.period_end", "billing.trial_will_end", "billing.upcoming"
CANCEL, EXPIRE, UNPAUSE_COLLECTION = "billing.cancel", "billing.expire", "billing.unpause_collection"
_TASKS = (PERIOD_END, TRIAL_WILL_END, UPCOMING, CANCEL, EXPIRE, UNPAUSE_COLLECTION)
_UPCOMING_DAYS, _AFTER_RETRIES = "billing.upcoming_days", "billing.after_retries"
ENDINGS = ("cancel", "unpaid", "past_due", "pause")
"""What may become of a subscription when the last retry of a payment has failed."""


def items_of(subscription: Json) -> list[Json]:
    return subscription["items"]["data"]


def period_of(subscription: Json) -> tuple[int, int]:
    """The current period, unix seconds, its end excluded."""
    first = items_of(subscription)[0]
    return first["current_period_start"], first["current_period_end"]


def cycle_of(subscription: Json) -> Recurrence:
    return recurrence_of(items_of(subscription)[0])


def with_items(subscription: Json, items: Sequence[Json], period: tuple[int, int]) -> Json:
    """The change that gives a subscription these items in this period."""
    return {"items": items_list(subscription["id"], during(items, period))}


def is_over(subscription: Json) -> bool:
    return subscription["status"] in ENDED


def turn(work: Work, subscription: Json, status: str, changes: Json | None = None, event: str = "") -> Json:
    """Change a subscription's status and whatever changes with it; the event, by default, says `updated`."""
    changed = {**(changes or {}), "status": turned(subscription["status"], status)}
    if status != "paused":
        subscription.pop("status_details", None)
    if not event:
        return work.change(subscription, changed, "customer.subscription.updated")
    work.change(subscription, changed)
    work.tell(event, subscription)
    return subscription


def set_paused(work: Work, subscription: Json, why: str) -> Json:
    """Pause a subscription; `why` is one of the reasons that its status details can tell."""
    details = {"paused": {"subscription": {"type": why}, "transitioned_at": work.now, "type": "subscription"}}
    for task in (PERIOD_END, TRIAL_WILL_END, UPCOMING):
        work.never(task, subscription["id"])
    return turn(work, subscription, "paused", {"status_details": details}, "customer.subscription.paused")


def payment_method_of(work: Work, subscription: Json) -> str | None:
    """The payment method that its invoices are paid with: its own, else its customer's default."""
    customer = work.get("customer", subscription["customer"])
    default = customer["invoice_settings"]["default_payment_method"] if customer else None
    return subscription["default_payment_method"] or default


def schedule(work: Work, subscription: Json) -> None:
    """Put on the clock what the subscription's period and status bring about; what waited before is dropped."""
    for task in _TASKS[:4]:
        work.never(task, subscription["id"])
    if is_over(subscription):
        return
    subject, (_, end) = subscription["id"], period_of(subscription)
    if subscription["cancel_at"] is not None:
        work.later(subscription["cancel_at"], CANCEL, subject)
    if subscription["status"] in ("paused", "incomplete"):
        return
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    work.later(end, PERIOD_END, subject)
    if not ends and (notice := end - upcoming_days(work) * DAY) > work.now:
        work.later(notice, UPCOMING, subject)
    if subscription["status"] == "trialing" and end - TRIAL_NOTICE > work.now:
        work.later(end - TRIAL_NOTICE, TRIAL_WILL_END, subject)


def drop_schedule(work: Work, subscription: Json) -> None:
    for task in _TASKS:
        work.never(task, subscription["id"])


def after_retries(work: Work) -> str:
    """One of `ENDINGS`, by the sandbox's setting."""
    return work.store.setting(_AFTER_RETRIES, "cancel")


def upcoming_days(work: Work) -> int:
    """How many days before a renewal `invoice.upcoming` is sent."""
    return int(work.store.setting(_UPCOMING_DAYS, "7"))


def change_settings(work: Work, *, ending: str | None = None, days: int | None = None) -> Json:
    """Change the billing settings that Stripe's Dashboard has; what they are then. Raises ValueError."""
    if ending is not None:
        if ending not in ENDINGS:
            raise ValueError(f"after_retries is one of {', '.join(ENDINGS)}.")
        work.store.set(_AFTER_RETRIES, ending)
    if days is not None:
        if not 0 < days <= 60:
            raise ValueError("upcoming_days is 1 to 60.")
        work.store.set(_UPCOMING_DAYS, str(days))
    return {"after_retries": after_retries(work), "upcoming_days": upcoming_days(work)}
