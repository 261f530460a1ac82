"""Reviews that calls open and close."""

from __future__ import annotations

import stripe

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.objects import complete
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work, new_id


def open_review(work: Work, charge: Json) -> Json:
    """Somebody puts a payment under review. Raises StripeError where it failed or was reviewed before."""
    if not charge["paid"] or charge["review"]:
        raise StripeError(400, f"Charge {charge['id']} is not paid or was reviewed before.", param="charge")
    review = work.create(
        complete(
            stripe.Review,
            {
                "id": new_id("prv"),
                "charge": charge["id"],
                "created": work.now,
                "livemode": False,
                "open": True,
                "opened_reason": "manual",
                "payment_intent": charge["payment_intent"],
                "reason": "manual",
            },
        ),
        "review.opened",
    )
    work.change(charge, {"review": review["id"]}, "charge.updated")
    if charge["payment_intent"]:
        work.change(work.require("payment_intent", charge["payment_intent"]), {"review": review["id"]})
    return review


def close_review(work: Work, review: Json, reason: str) -> Json:
    """Raises StripeError where the review is closed already."""
    if not review["open"]:
        raise StripeError(400, f"The review {review['id']} is closed already.", param="id")
    return work.change(review, {"open": False, "closed_reason": reason, "reason": reason}, "review.closed")
