"""Reserves that are put on an account by hand: plans, holds on payments or on the balance, and their releases."""

from __future__ import annotations

from collections import defaultdict

import stripe
from stripe.reserve import Hold, Plan, Release

from payflux.sandbox.clock import Tasks
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.purchases import DAY
from payflux.sandbox.payments import ledger
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id

_BY_STRIPE = {"created_by": "stripe", "livemode": False, "metadata": {}}
_HOLD = ledger.Kind("reserve_hold", "risk_reserved_funds", "Reserve hold")
_RELEASE = ledger.Kind("reserve_release", "risk_reserved_funds", "Reserve release")


def open_plan(work: Work, percent: int, days: int) -> Json:
    """A rolling plan: `percent` of each payment for `days` days. It announces: what is held is held by hand."""
    return work.create(
        complete(
            Plan,
            _BY_STRIPE
            | {
                "id": new_id("resplan"),
                "created": work.now,
                "destination": "risk_reserved",
                "percent": percent,
                "rolling_release": {"days_after_charge": days, "expires_on": None},
                "status": "active",
                "type": "rolling_release",
            },
        ),
        "reserve.plan.created",
    )


def disable_plan(work: Work, plan: Json) -> Json:
    """End a plan; what it holds is released at once. Raises StripeError where it is over."""
    if plan["status"] != "active":
        raise StripeError(400, f"The reserve plan {plan['id']} is {plan['status']} already.")
    work.change(plan, {"status": "disabled", "disabled_at": work.now}, "reserve.plan.disabled")
    for hold in work.find("reserve.hold", {"reserve_plan": plan["id"], "is_releasable": 1}):
        release(work, hold, "plan_disabled")
    return plan


def hold_back(work: Work, amount: int, days: int, *, plan: Json | None = None, charge: Json | None = None) -> Json:
    """Move `amount` from the payments balance to the reserved one for `days` days."""
    after = work.now + days * DAY
    hold = complete(
        Hold,
        _BY_STRIPE
        | {
            "id": new_id("reshold"),
            "amount": amount,
            "amount_releasable": amount,
            "created": work.now,
            "currency": charge["currency"] if charge else work.view.currency,
            "destination": "risk_reserved",
            "is_releasable": True,
            "reason": "charge" if charge else "standalone",
            "release_details": [],
            "release_schedule": {"release_after": after, "scheduled_release": after - after % DAY + DAY},
            "reserve_plan": plan and plan["id"],
            "source_charge": charge and charge["id"],
            "source_type": "card",
        },
    )
    work.create(hold, "reserve.hold.created")
    _move(work, hold, _HOLD, -amount)
    work.later(hold["release_schedule"]["scheduled_release"], "release_hold", hold["id"])
    return hold


def release(work: Work, hold: Json, reason: str) -> Json:
    """Let go of a hold. Raises StripeError where nothing is left of it."""
    if not hold["is_releasable"]:
        raise StripeError(400, f"The reserve hold {hold['id']} is released already.")
    work.never("release_hold", hold["id"])
    amount = hold["amount_releasable"]
    released = complete(
        Release,
        _BY_STRIPE
        | {
            "id": new_id("resrel"),
            "amount": amount,
            "created": work.now,
            "currency": hold["currency"],
            "destination": "payments",
            "reason": reason,
            "released_at": work.now,
            "reserve_hold": hold["id"],
            "reserve_plan": hold["reserve_plan"],
        },
    )
    work.create(released, "reserve.release.created")
    details = [*hold["release_details"], {"amount": amount, "reserve_release": released["id"]}]
    changes = {"amount_releasable": 0, "is_releasable": False, "release_details": details}
    work.change(hold, changes, "reserve.hold.updated")
    _move(work, hold, _RELEASE, amount)
    return released


def _move(work: Work, hold: Json, kind: ledger.Kind, amount: int) -> None:
    """Two balance transactions, one of each balance."""
    source = hold["source_charge"] or hold["id"]
    own = ledger.book(work, kind, amount=amount, currency=hold["currency"], source=source)
    other = {"id": new_id("txn"), "amount": -amount, "net": -amount, "balance_type": "risk_reserved"}
    work.create(complete(stripe.BalanceTransaction, own | other))


def reserved(work: Work) -> dict[str, int]:
    """What the reserved balance holds of each currency, minor units."""
    sums: dict[str, int] = defaultdict(int)
    sums[work.view.currency] = work.view.merchant.balance(work.now)["reserved"]
    for movement in work.find("balance_transaction", {"balance_type": "risk_reserved"}):
        sums[movement["currency"]] += movement["net"]
    return dict(sums)


def release_hold(work: Work, hold_id: str) -> None:
    """The time of a hold is over."""
    release(work, work.require("reserve.hold", hold_id), "hold_expired")


TASKS: Tasks = {"release_hold": release_hold}
