"""What went wrong on the way to live, in words for the person who waits. Pure."""

from __future__ import annotations

from payflux.kit.errors import UserError
from payflux.world.stripe import (
    CodeRefused,
    Disconnected,
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    StripeFailure,
)

Problem = dict[str, str]
"""The keys code, title, what_happened, what_is_safe and what_to_do."""

_SAFE = "Nothing at Stripe was changed, and what was read so far is kept."

_STRIPE: dict[type[StripeFailure], tuple[str, str, str]] = {
    CodeRefused: (
        "Stripe did not complete the connection.",
        "The authorization was used before, or is older than five minutes.",
        "Press Connect Stripe again.",
    ),
    Disconnected: (
        "Your Stripe account is disconnected.",
        "Stripe says that PayFlux has no access to the account any more.",
        "Connect Stripe again. If somebody removed PayFlux on purpose, ask them first.",
    ),
    KeyRefused: (
        "Stripe does not accept the key.",
        "The key is wrong, was rolled or has expired.",
        "Create a new restricted key in the Stripe Dashboard and connect with it.",
    ),
    PermissionMissing: (
        "The key may not read everything that is needed.",
        "Stripe refused a resource that the projection cannot do without.",
        "Edit the restricted key in the Stripe Dashboard, allow reading, then try again.",
    ),
    ProcessorUnavailable: (
        "Stripe does not answer.",
        "Stripe was asked several times and did not answer, or asked us to slow down.",
        "Try again in a few minutes; status.stripe.com says whether Stripe has a problem.",
    ),
}


def retry_helps(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return isinstance(error, ProcessorUnavailable) or not isinstance(error, StripeFailure | UserError)


def problem_of(error: BaseException) -> Problem:
    """`error`, or the error that caused it, for a person."""
    cause = error.__cause__ or error
    if isinstance(cause, UserError):
        return _problem(cause.code, "That did not work.", cause.message, cause.way_out)
    for kind, (title, happened, way_out) in _STRIPE.items():
        if isinstance(cause, kind):
            if isinstance(cause, PermissionMissing) and cause.permission:
                happened = f"The key lacks Stripe's permission {cause.permission}."
            return _problem(kind.__name__, title, happened, way_out)
    return _problem(
        "internal",
        "We hit an issue analyzing your data.",
        "A step failed several times for a reason of our own.",
        "Try again in a few minutes. If it happens again, contact support and name the time of the attempt.",
    )


def _problem(code: str, title: str, happened: str, way_out: str) -> Problem:
    return {
        "code": code,
        "title": title,
        "what_happened": happened,
        "what_is_safe": _SAFE,
        "what_to_do": way_out,
    }
