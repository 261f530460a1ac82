"""What went wrong on the way to live, in words for the person who waits. Pure."""

from __future__ import annotations

from typing import Any

from payflux.kit.errors import UserError
from payflux.kit.messages import mark
from payflux.kit.phrases import changed_words, kept_words, say
from payflux.monitor.processors.models import ConnectionMethod
from payflux.world.stripe import (
    CodeRefused,
    Disconnected,
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    StripeFailure,
)

Problem = dict[str, Any]
"""The keys code, title, what_happened, what_is_safe and what_to_do; and, for a page elsewhere, link and link_label. It
is kept in English with its phrases: `payflux.kit.phrases.spoken_words` puts it into the reader's language."""

INTERNAL = "internal"
ARMING_FAILED = "alerts_not_armed"
PERMISSION_MISSING = PermissionMissing.__name__
PASSES_BY_ITSELF = (INTERNAL, ARMING_FAILED, ProcessorUnavailable.__name__)
"""The codes of failures that may pass by themselves: they are tried again, and support is told where they stay."""

NOTIFIED = mark("We hit an issue analyzing your data. Our team has been notified.")

_PASSES = mark("You need do nothing: PayFlux tries again by itself, also when you close this page.")
_SAFE = mark("Nothing at Stripe was changed, and what was read so far is kept.")

_STRIPE: dict[type[StripeFailure], tuple[str, str, str]] = {
    CodeRefused: (
        mark("Stripe did not complete the connection."),
        mark("The authorization was used before, or is older than five minutes."),
        mark("Press Connect Stripe again."),
    ),
    Disconnected: (
        mark("Your Stripe account is disconnected."),
        mark("Stripe says that PayFlux has no access to the account any more."),
        mark("Connect Stripe again. If somebody removed PayFlux on purpose, ask them first."),
    ),
    KeyRefused: (
        mark("Stripe does not accept the key."),
        mark("The key is wrong, was rolled or has expired."),
        mark("Create a new restricted key in the Stripe Dashboard and connect with it."),
    ),
    PermissionMissing: (
        mark("The key may not read everything that is needed."),
        mark("Stripe refused a resource that the projection cannot do without."),
        mark("Allow reading it in the Stripe Dashboard, then try again."),
    ),
    ProcessorUnavailable: (
        mark("Stripe does not answer."),
        mark("Stripe was asked several times and did not answer, or asked us to slow down."),
        mark("Try again in a few minutes; status.stripe.com says whether Stripe has a problem."),
    ),
}


_OURS = mark(
    "This is for whoever runs PayFlux: compare %(setting)s with the Stripe Dashboard. Or connect with a restricted key."
)
_AUTHORIZE = {
    "access_denied": (
        mark("You declined on Stripe's page, or Stripe stopped the connection."),
        mark("Press Connect Stripe whenever you are ready."),
    ),
    "invalid_scope": (
        mark("Stripe does not give this PayFlux the access it asks for."),
        say(_OURS, setting="PAYFLUX_STRIPE_CONNECT_SCOPE"),
    ),
    "invalid_redirect_uri": (
        mark("Stripe does not know the address it should send you back to."),
        say(_OURS, setting=mark("the redirect URIs of the application")),
    ),
    "invalid_request": (
        mark("Stripe did not understand what PayFlux asked for."),
        say(_OURS, setting=mark("the client id")),
    ),
    "unsupported_response_type": (
        mark("Stripe did not understand what PayFlux asked for."),
        say(_OURS, setting=mark("the client id")),
    ),
    "server_error": (
        mark("Stripe sent you back without saying that you agreed."),
        mark("Press Connect Stripe again, or connect with a restricted key."),
    ),
}


def retry_helps(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return isinstance(error, ProcessorUnavailable) or not isinstance(error, StripeFailure | UserError)


def problem_of(error: BaseException) -> Problem:
    """`error`, or the error that caused it, for a person."""
    cause = error.__cause__ or error
    if isinstance(cause, UserError):
        return _problem(cause.code, mark("That did not work."), cause.message, cause.way_out)
    for kind, (title, happened, way_out) in _STRIPE.items():
        if isinstance(cause, kind):
            if isinstance(cause, PermissionMissing) and cause.permission:
                happened = say("Stripe does not let PayFlux read: %(permission)s.", permission=cause.permission)
            return _problem(kind.__name__, title, happened, way_out)
    return _problem(
        INTERNAL,
        mark("We hit an issue analyzing your data."),
        mark("A step failed several times for a reason of our own."),
        mark("Try again in a few minutes. If it happens again, contact support and name the time of the attempt."),
    )


def arming_problem() -> Problem:
    """The alerts could not be armed; the dashboard is open all the same."""
    return _problem(
        ARMING_FAILED,
        mark("Default alerts are still being configured."),
        mark("We'll notify you when they're active."),
        _PASSES,
    )


def retried_problem(problem: Problem) -> Problem:
    """The same, where PayFlux tries again by itself."""
    permission = problem["code"] == PERMISSION_MISSING
    way_out = say("%(problem)s PayFlux also asks again by itself.", problem=problem["what_to_do"])
    return changed_words(problem, what_to_do=way_out if permission else _PASSES)


def told_problem(problem: Problem) -> Problem:
    """The same, once support was told of it."""
    return changed_words(problem, what_happened=NOTIFIED, what_to_do=_PASSES)


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
    problem = _problem("authorize", mark("Stripe is not connected."), happened, way_out)
    return changed_words(problem, what_is_safe=mark("PayFlux read nothing and has no access."))


def _problem(code: str, title: str, happened: str, way_out: str) -> Problem:
    return kept_words(
        {
            "code": code,
            "title": title,
            "what_happened": happened,
            "what_is_safe": _SAFE,
            "what_to_do": way_out,
        }
    )
