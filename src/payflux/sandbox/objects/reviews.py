"""Reviews: payments that a person was asked to look at."""

from __future__ import annotations

import stripe

from payflux.sandbox.merchants.reviews import CLOSED_REASONS
from payflux.sandbox.merchants.tables import Review
from payflux.sandbox.objects.ids import print_id
from payflux.sandbox.objects.view import Json, View
from payflux.sandbox.schema.objects import complete


def render_review(view: View, row: Review, _index: int) -> Json:
    """A review that a rule opened; `reason` is why it is open, then why it was closed."""
    closed = CLOSED_REASONS[row.closed] if row.closed_at <= view.now else None
    return complete(
        stripe.Review,
        {
            "id": print_id("reviews", view.account_id, row.key),
            "charge": view.id("charges", row.charge),
            "closed_reason": closed,
            "created": row.created,
            "livemode": False,
            "open": closed is None,
            "opened_reason": "rule",
            "payment_intent": view.id("intents", int(view.merchant.charges.data["intent"][row.charge])),
            "reason": closed or "rule",
        },
    )
