"""Reviews: the list of the open ones, and their approval."""

from __future__ import annotations

import stripe
from stripe import params

from payflux.sandbox.api.endpoints import Call, Endpoint, retrieving
from payflux.sandbox.listing import list_page
from payflux.sandbox.query import query_of
from payflux.sandbox.resources import REVIEWS
from payflux.sandbox.reviews import close_review
from payflux.sandbox.store import Json

PATH = "/v1/reviews"


def _list(call: Call) -> Json:
    """Only what is still open, as at Stripe."""
    query = query_of(call.params)
    return list_page(call.work, REVIEWS.kind, PATH, query._replace(filters={**query.filters, "open": True}))


def _approve(call: Call) -> Json:
    return close_review(call.work, call.work.require(REVIEWS.kind, call.id), "approved")


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", PATH, REVIEWS.permission, stripe.Review, _list, REVIEWS.params),
    retrieving(PATH, REVIEWS.permission, stripe.Review),
    Endpoint("POST", f"{PATH}/{{id}}/approve", "rak_review_write", stripe.Review, _approve, params.ReviewApproveParams),
)
