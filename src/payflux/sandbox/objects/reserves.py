"""The reserve's own objects: its plan, what it holds of each payment, and what it has let go."""

from __future__ import annotations

from stripe.reserve import Hold, Plan, Release

from payflux.sandbox.merchants import tables
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.schema.objects import complete

_BY_STRIPE = {"created_by": "stripe", "livemode": False, "metadata": {}}


def render_plan(view: View, row: tables.Plan, _index: int) -> Json:
    """A rolling plan over every currency."""
    archetype = view.merchant.archetype
    return complete(
        Plan,
        _BY_STRIPE
        | {
            "id": print_id("plans", view.account_id, row.key),
            "created": row.created,
            "destination": "risk_reserved",
            "percent": round(archetype.reserve_rate * 100),
            "rolling_release": {"days_after_charge": archetype.reserve_days, "expires_on": None},
            "status": "active",
            "type": "rolling_release",
        },
    )


def render_hold(view: View, row: tables.Hold, _index: int) -> Json:
    """What is held of one payment; when it is released, nothing of it can be released any more."""
    released = row.until <= view.now
    details = [{"amount": row.amount, "reserve_release": view.id("releases", row.release)}] if released else []
    return complete(
        Hold,
        _BY_STRIPE
        | {
            "id": print_id("holds", view.account_id, row.key),
            "amount": row.amount,
            "amount_releasable": 0 if released else row.amount,
            "created": row.created,
            "currency": view.currency,
            "destination": "risk_reserved",
            "is_releasable": not released,
            "reason": "charge",
            "release_details": details,
            "release_schedule": {
                "release_after": row.created + view.merchant.archetype.reserve_days * 86_400,
                "scheduled_release": row.scheduled,
            },
            "reserve_plan": view.id("plans", 0),
            "source_charge": view.id("charges", row.charge),
            "source_type": "card",
        },
    )


def render_release(view: View, row: tables.Release, _index: int) -> Json:
    """Money that came back, at the end of its time or with a refund."""
    refund = int(view.merchant.holds.data["refund"][row.hold])
    return complete(
        Release,
        _BY_STRIPE
        | {
            "id": print_id("releases", view.account_id, row.key),
            "amount": row.amount,
            "created": row.created,
            "currency": view.currency,
            "destination": "payments",
            "reason": "hold_reversed" if refund >= 0 else "hold_expired",
            "released_at": row.created,
            "reserve_hold": view.id("holds", row.hold),
            "reserve_plan": view.id("plans", 0),
            "source_transaction": {"refund": view.id("refunds", refund), "type": "refund"} if refund >= 0 else None,
        },
    )
