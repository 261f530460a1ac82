"""Changes of a subscription: its items and their price, its trial, its end, and how it is paid."""

from __future__ import annotations

from typing import NamedTuple

from payflux.sandbox.billing import ending
from payflux.sandbox.billing.discounts import remaining
from payflux.sandbox.billing.invoices import make_invoice
from payflux.sandbox.billing.items import changed_item, check_items, make_item, recurrence_of
from payflux.sandbox.billing.lines import period_lines, proration_lines, trial_lines
from payflux.sandbox.billing.paying import attempt, finalize
from payflux.sandbox.billing.pending import hold, pending_lines, take_pending
from payflux.sandbox.billing.rules import TRIAL_NOTICE, next_boundary, turned
from payflux.sandbox.billing.subscribing import check_trial_end
from payflux.sandbox.billing.subscriptions import cycle_of, items_of, period_of, schedule, with_items
from payflux.sandbox.errors import StripeError
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

BILLED = ("active", "past_due", "unpaid")  # where a change in the middle of a period costs something


def changed_items(work: Work, subscription: Json, asked: list[Json]) -> list[Json]:
    """The items of a subscription after `items` of an update: each names one by `id`, or is a new one. Raises
    StripeError."""
    items = {item["id"]: item for item in items_of(subscription)}
    for n, one in enumerate(asked):
        param = f"items[{n}]"
        item_id = one.get("id")
        if item_id is None:
            made = make_item(work, subscription["id"], one, param, subscription["currency"])
            items[made["id"]] = made
        elif item_id not in items:
            raise StripeError(404, f"No such subscription_item: '{item_id}'", code="resource_missing", param=param)
        elif one.get("deleted"):
            del items[item_id]
        else:
            items[item_id] = changed_item(work, items[item_id], one, param)
    check_items(list(items.values()))
    return list(items.values())


class Plan(NamedTuple):
    """What a change of a subscription comes to, before anything is written."""

    changes: Json  # of the subscription's fields
    prorations: list[Json]  # lines for what the change gives back and asks for
    lines: list[Json]  # of the period that begins now
    restarts: bool  # whether one does


NOTHING = Plan({}, [], [], restarts=False)


def plan_change(
    work: Work,
    subscription: Json,
    items: list[Json],
    *,
    proration_behavior: str = "create_prorations",
    proration_date: int | None = None,
    trial_end: int | str | None = None,
    anchor_now: bool = False,
) -> Plan:
    """What it comes to to give a subscription these items now.

    Another interval, a trial that begins or ends (`trial_end` unix seconds, or "now") or an anchor set to now begins a
    new period; unused time of the old one is given back, unless `proration_behavior` is `none` or it was a trial's.
    Raises StripeError.
    """
    before, period, at = items_of(subscription), period_of(subscription), proration_date or work.now
    if not period[0] <= at <= period[1]:
        raise StripeError(400, "proration_date must lie in the subscription's current period.", param="proration_date")
    trialing, wants_trial = subscription["status"] == "trialing", trial_end is not None and trial_end != "now"
    bills = subscription["status"] in BILLED and proration_behavior != "none"
    if wants_trial:
        until = check_trial_end(work.now, int(str(trial_end)))
        trial = {"trial_end": until, "billing_cycle_anchor": until}
        if trialing:
            return Plan({**trial, **with_items(subscription, items, (period[0], until))}, [], [], restarts=False)
        trial |= {"trial_start": work.now, "status": turned(subscription["status"], "trialing")}
        given_back = proration_lines(work, before, [], period, at) if bills else []
        fresh = (work.now, until)
        lines = trial_lines(work, items, fresh)
        return Plan({**trial, **with_items(subscription, items, fresh)}, given_back, lines, restarts=True)
    ends_trial = trialing and (trial_end == "now" or anchor_now)
    another_cycle = recurrence_of(items[0]) != cycle_of(subscription)
    if not (ends_trial or (subscription["status"] in BILLED and (another_cycle or anchor_now))):
        prorations = proration_lines(work, before, items, period, at) if bills else []
        return Plan(with_items(subscription, items, period), prorations, [], restarts=False)
    fresh = (work.now, next_boundary(work.now, recurrence_of(items[0]), work.now))
    changes: Json = {**with_items(subscription, items, fresh), "billing_cycle_anchor": work.now}
    if trialing:
        changes |= {"status": turned("trialing", "active"), "trial_end": work.now}
    given_back = proration_lines(work, before, [], period, at) if bills else []
    return Plan(changes, given_back, period_lines(work, items, fresh), restarts=True)


def carry_out(
    work: Work,
    subscription: Json,
    plan: Plan,
    changes: Json,
    *,
    invoice_now: bool = False,
    payment_behavior: str = "allow_incomplete",
    off_session: bool = False,
) -> StripeError | None:
    """Write a plan and further `changes` of a subscription's fields as one change.

    A new period is invoiced at once, prorations with the next invoice or, with `invoice_now`, at once. The answer is
    why the payment of that invoice failed, if it did; it is raised where `payment_behavior` is `error_if_incomplete`.
    """
    hold(work, subscription, plan.prorations)
    changed, invoice = {**changes, **plan.changes}, None
    if plan.changes and changed.get("cancel_at_period_end", subscription["cancel_at_period_end"]):
        changed["cancel_at"] = period_of(subscription | changed)[1]
    if plan.restarts or (plan.prorations and invoice_now):
        after = subscription | changed
        lines = [*pending_lines(work, subscription), *plan.lines]
        invoice = make_invoice(work, after, lines, reason="subscription_update")
        changed |= {
            "discounts": remaining(work, after["discounts"], invoice["subtotal"]),
            "latest_invoice": invoice["id"],
        }
    work.change(subscription, changed, "customer.subscription.updated")
    if "trial_end" in plan.changes and work.now < plan.changes["trial_end"] <= work.now + TRIAL_NOTICE:
        work.tell("customer.subscription.trial_will_end", subscription)
    refusal = None
    if invoice is not None:
        work.create(invoice, "invoice.created")
        take_pending(work, subscription, invoice)
        finalize(work, invoice)
        if invoice["status"] == "open" and payment_behavior != "default_incomplete":
            refusal = attempt(work, invoice, off_session=off_session)
    schedule(work, work.require("subscription", subscription["id"]))
    if refusal is not None and payment_behavior == "error_if_incomplete":
        raise refusal
    return refusal


def end_later(work: Work, subscription: Json, given: Json) -> Json:
    """The changes that `cancel_at_period_end`, `cancel_at` and `cancellation_details` of an update make. Raises
    StripeError."""
    if "cancel_at" in given and "cancel_at_period_end" in given:
        raise StripeError(
            400, "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
        )
    before, details = subscription["cancellation_details"], given.get("cancellation_details") or {}
    end, at = period_of(subscription)[1], given.get("cancel_at")
    if given.get("cancel_at_period_end"):
        moment, at_period_end = end, True
    elif at in ("min_period_end", "max_period_end"):
        moment, at_period_end = end, False
    elif isinstance(at, int):
        if at <= work.now:
            raise StripeError(400, "cancel_at must be a timestamp in the future.", param="cancel_at")
        moment, at_period_end = at, False
    elif given.get("cancel_at_period_end") is False or at == "":
        kept = {} if details else {"comment": None, "feedback": None}
        return {
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": ending.cancellation({**kept, **details}, before, None),
        }
    else:
        kept_reason = (before or {}).get("reason")
        return {"cancellation_details": ending.cancellation(details, before, kept_reason)} if details else {}
    return {
        "cancel_at": moment,
        "cancel_at_period_end": at_period_end,
        "canceled_at": work.now,
        "cancellation_details": ending.cancellation(details, before, "cancellation_requested"),
    }
