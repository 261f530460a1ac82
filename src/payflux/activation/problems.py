"""What went wrong on the way to live, in words for the person who waits. Pure."""

from __future__ import annotations

from payflux.kit.errors import UserError
from payflux.monitor.processors.models import ConnectionMethod
from payflux.world.stripe import (
    CodeRefused,
    Disconnected,
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    StripeFailure,
)

Problem = dict[str, str]
"""The keys code, title, what_happened, what_is_safe and what_to_do; and, for a page elsewhere, link and link_label."""

INTERNAL = "internal"
ARMING_FAILED = "alerts_not_armed"
PERMISSION_MISSING = PermissionMissing.__name__
PASSES_BY_ITSELF = (INTERNAL, ARMING_FAILED, ProcessorUnavailable.__name__)
"""The codes of failures that may pass by themselves: they are tried again, and support is told where they stay."""

NOTIFIED = "We hit an issue analyzing your data. Our team has been notified."

_PASSES = "You need do nothing: PayFlux tries again by itself, also when you close this page."
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
        "Allow reading it in the Stripe Dashboard, then try again.",
    ),
    ProcessorUnavailable: (
        "Stripe does not answer.",
        "Stripe was asked several times and did not answer, or asked us to slow down.",
        "Try again in a few minutes; status.stripe.com says whether Stripe has a problem.",
    ),
}


_OURS = "This is for whoever runs PayFlux: compare {} with the Stripe Dashboard. Or connect with a restricted key."
_AUTHORIZE = {
    "access_denied": (
        "You declined on Stripe's page, or Stripe stopped the connection.",
        "Press Connect Stripe whenever you are ready.",
    ),
    "invalid_scope": (
        "Stripe does not give this PayFlux the access it asks for.",
        _OURS.format("PAYFLUX_STRIPE_CONNECT_SCOPE"),
    ),
    "invalid_redirect_uri": (
        "Stripe does not know the address it should send you back to.",
        _OURS.format("the redirect URIs of the application"),
    ),
    "invalid_request": (
        "Stripe did not understand what PayFlux asked for.",
        _OURS.format("the client id"),
    ),
    "unsupported_response_type": (
        "Stripe did not understand what PayFlux asked for.",
        _OURS.format("the client id"),
    ),
    "server_error": (
        "Stripe sent you back without saying that you agreed.",
        "Press Connect Stripe again, or connect with a restricted key.",
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
                happened = f"Stripe does not let PayFlux read: {cause.permission}."
            return _problem(kind.__name__, title, happened, way_out)
    return _problem(
        INTERNAL,
        "We hit an issue analyzing your data.",
        "A step failed several times for a reason of our own.",
        "Try again in a few minutes. If it happens again, contact support and name the time of the attempt.",
    )


def arming_problem() -> Problem:
    """The alerts could not be armed; the dashboard is open all the same."""
    return _problem(
        ARMING_FAILED,
        "Default alerts are still being configured.",
        "We'll notify you when they're active.",
        _PASSES,
    )


def retried_problem(problem: Problem) -> Problem:
    """The same, where PayFlux tries again by itself."""
    permission = problem["code"] == PERMISSION_MISSING
    way_out = f"{problem['what_to_do']} PayFlux also asks again by itself." if permission else _PASSES
    return problem | {"what_to_do": way_out}


def told_problem(problem: Problem) -> Problem:
    """The same, once support was told of it."""
    return problem | {"what_happened": NOTIFIED, "what_to_do": _PASSES}


def ended_problem(method: str) -> Problem:
    """Why Stripe ended a connection made by `method`, for a person."""
    if method == ConnectionMethod.RESTRICTED_KEY:
        return problem_of(KeyRefused("the key was refused"))
    return problem_of(Disconnected("the access was taken away"))


def declined_problem(error: str) -> Problem:
    """Why Stripe's OAuth page sent the merchant back without a code; `error` is the OAuth error that it named.

    Facts: docs.stripe.com/connect/oauth-reference and RFC 6749 section 4.1.2.1.
    """
    happened, way_out = _AUTHORIZE.get(error, _AUTHORIZE["server_error"])
    problem = _problem("authorize", "Stripe is not connected.", happened, way_out)
    return problem | {"what_is_safe": "PayFlux read nothing and has no access."}


def _problem(code: str, title: str, happened: str, way_out: str) -> Problem:
    return {
        "code": code,
        "title": title,
        "what_happened": happened,
        "what_is_safe": _SAFE,
        "what_to_do": way_out,
    }
