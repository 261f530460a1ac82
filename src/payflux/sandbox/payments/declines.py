"""Why a card is refused, by decline code, as Stripe tells it. docs.stripe.com/declines/codes"""

from __future__ import annotations

from typing import NamedTuple


class Decline(NamedTuple):
    code: str  # of the error, and the failure code of the charge
    message: str
    advice: str = "try_again_later"
    blocked: bool = False  # by Radar, before the bank was asked
    shown_as: str = ""  # the decline code that the error tells, where it is another


_DECLINED = "Your card was declined."
FINAL = "do_not_try_again"
DECLINES = {
    "generic_decline": Decline("card_declined", _DECLINED),
    "insufficient_funds": Decline("card_declined", "Your card has insufficient funds."),
    "lost_card": Decline("card_declined", _DECLINED, FINAL),
    "stolen_card": Decline("card_declined", _DECLINED, FINAL),
    "expired_card": Decline("expired_card", "Your card has expired.", FINAL),
    "incorrect_cvc": Decline("incorrect_cvc", "Your card's security code is incorrect.", "confirm_card_data"),
    "processing_error": Decline(
        "processing_error", "An error occurred while processing your card. Try again in a little bit."
    ),
    "card_velocity_exceeded": Decline(
        "card_declined",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    ),
    "authentication_required": Decline(
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
        "confirm_card_data",
    ),
    "highest_risk_level": Decline("card_declined", _DECLINED, "", blocked=True, shown_as="fraudulent"),
}


def shown(decline_code: str) -> str:
    return DECLINES[decline_code].shown_as or decline_code
