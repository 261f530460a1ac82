"""What each kind is called, and what goes when its time is over."""

from __future__ import annotations

from typing import NamedTuple

from payflux.activation.retention.rules import Kept
from payflux.kit.messages import mark


class Named(NamedTuple):
    name: str
    goes: str


NAMES = {
    Kept.EVIDENCE: Named(
        mark("Signed evidence"),
        mark(
            "What each artifact says is dropped. Its hash, its signature and its place in the chain stay, so that the "
            "rest still verifies."
        ),
    ),
    Kept.PAYMENT_EVENTS: Named(
        mark("Payment events"),
        mark(
            "Payments, refunds, disputes and payouts are deleted. Figures rest on the last 400 days, so those are "
            "always kept."
        ),
    ),
    Kept.DELIVERIES: Named(
        mark("What became of alerts"),
        mark("The tries of mails and posts about alerts that are over are deleted. The alerts themselves stay."),
    ),
}
