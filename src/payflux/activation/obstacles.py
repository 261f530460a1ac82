"""What keeps a scored workspace from going live and is nobody's fault: the account is not ready, or has too few
payments. And how long until it, or a failure, is looked at again by itself. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from payflux.activation.problems import PASSES_BY_ITSELF, PERMISSION_MISSING, Problem
from payflux.kit.messages import mark
from payflux.kit.phrases import joined, kept_words, say
from payflux.monitor.processors.snapshots import AccountSnapshot
from payflux.monitor.risk.rules.bands import MINIMUM_PAYMENTS

REQUIREMENTS = "https://dashboard.stripe.com/account/status"


class Obstacle(StrEnum):
    NOT_READY = "account_not_ready"
    TOO_LITTLE = "too_little_activity"


LOOK_AGAIN: dict[str, timedelta] = {
    Obstacle.NOT_READY: timedelta(minutes=15),
    Obstacle.TOO_LITTLE: timedelta(minutes=1),
    PERMISSION_MISSING: timedelta(minutes=15),
}
"""How soon each is looked at again: an account and a permission are asked for at Stripe, payments are counted here."""

LONGEST_PAUSE = timedelta(hours=1)

SUPPORT_AFTER = timedelta(minutes=5)
"""How long a step may fail before support is told."""

_DISABLED = {
    "under_review": mark("Stripe is reviewing the account."),
    "listed": mark("Stripe found the account on a list of prohibited persons or companies and is looking into it."),
    "platform_paused": mark("The platform that manages the account has paused it."),
    "other": mark("Stripe is reviewing the account."),
}


def is_obstacle(problem: Problem | None) -> bool:
    """Whether what is in the way is nobody's failure, and waited for."""
    return problem is not None and problem["code"] in tuple(Obstacle)


def obstacle_of(account: AccountSnapshot | None, payments: int) -> Problem | None:
    """What is in the way of an account with so many payments in the window that is scored; None where nothing is.

    An account that Stripe has stopped and that has a history goes live: its money is what has to be watched.
    """
    if payments >= MINIMUM_PAYMENTS:
        return None
    if account is not None and not account.charges_enabled:
        return not_ready_problem(account)
    return too_little_problem(payments)


def not_ready_problem(account: AccountSnapshot) -> Problem:
    """That Stripe does not let the account take payments, and what it asks for.

    Source: docs.stripe.com/api/accounts/object, `requirements`.
    """
    asked = tuple(dict.fromkeys((*account.past_due, *account.currently_due)))
    off = say("%(disabled_reason)s Payments are switched off.", disabled_reason=_reason(account.disabled_reason))
    fields = joined(", ", [requirement_label(each) for each in asked])
    refused = account.disabled_reason.startswith("rejected.")
    return kept_words(
        {
            "code": Obstacle.NOT_READY,
            "title": mark("Your Stripe account is not ready yet."),
            "what_happened": joined(" ", (off, say("Stripe asks for: %(asked)s.", asked=fields) if asked else "")),
            "what_is_safe": mark("It stays connected, and what is known so far stands on the dashboard."),
            "what_to_do": mark("Ask Stripe's support what can be done.")
            if refused
            else mark("Complete it at Stripe. PayFlux asks again every 15 minutes and goes on by itself."),
            "link": REQUIREMENTS,
            "link_label": mark("Open the requirements at Stripe"),
        }
    )


_TOO_FEW = {
    0: mark("There are no payments in the last 90 days; %(needed)s are needed before a rate means anything."),
    1: mark("There is one payment in the last 90 days; %(needed)s are needed before a rate means anything."),
}
_FEW = mark("There are %(payments)s payments in the last 90 days; %(needed)s are needed before a rate means anything.")


def too_little_problem(payments: int) -> Problem:
    """That there are too few payments for any rate, and what is shown meanwhile."""
    return kept_words(
        {
            "code": Obstacle.TOO_LITTLE,
            "title": mark("There is too little activity to judge yet."),
            "what_happened": say(_TOO_FEW.get(payments, _FEW), payments=payments, needed=MINIMUM_PAYMENTS),
            "what_is_safe": mark(
                "The account stays connected and new payments are read as they come. Where your own are too "
                "few, the projection rests on what is usual for other merchants, and says so."
            ),
            "what_to_do": say(
                "You need do nothing: your workspace goes live by itself with payment number %(minimum_payments)s.",
                minimum_payments=MINIMUM_PAYMENTS,
            ),
        }
    )


def requirement_label(requirement: str) -> str:
    """One of Stripe's requirements for a person: ``individual.verification.document`` is ``individual verification
    document``. An id of a person says no more than that it is one."""
    parts = requirement.split(".")
    return joined(" ", [mark("a person") if part.startswith("person_") else part.replace("_", " ") for part in parts])


def look_again_after(code: str, failures: int) -> timedelta | None:
    """How long until what is in the way is looked at again by itself, after it has failed so many times in a row: each
    time twice as long. None where only a person can help."""
    if code in LOOK_AGAIN:
        return LOOK_AGAIN[code]
    if code in PASSES_BY_ITSELF:
        return min(timedelta(minutes=2 ** min(max(failures - 1, 0), 6)), LONGEST_PAUSE)
    return None


def _reason(disabled_reason: str) -> str:
    if disabled_reason.startswith("rejected."):
        return mark("Stripe has rejected the account.")
    if disabled_reason.startswith(("requirements.", "action_required.")):
        return mark("Stripe does not have everything it has to know about the account.")
    return _DISABLED.get(disabled_reason, mark("Stripe has not switched the account on."))
