"""What went wrong on the way to live, in words for the person who waits. Pure."""

from __future__ import annotations

from payflux.kit.errors import UserError
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
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


_OURS = "This is for whoever runs PayFlux: compare {} with the Stripe Dashboard. Or connect with a restricted key."
_AUTHORIZE = {
    "access_denied": (
        mark("You declined on Stripe's page, or Stripe stopped the connection."),
        mark("Press Connect Stripe whenever you are ready."),
    ),
    "invalid_scope": (
        mark("Stripe does not give this PayFlux the access it asks for."),
        _OURS.format("PAYFLUX_STRIPE_CONNECT_SCOPE"),
    ),
    "invalid_redirect_uri": (
        mark("Stripe does not know the address it should send you back to."),
        _OURS.format("the redirect URIs of the application"),
    ),
    "invalid_request": (
        mark("Stripe did not understand what PayFlux asked for."),
        _OURS.format("the client id"),
    ),
    "unsupported_response_type": (
        mark("Stripe did not understand what PayFlux asked for."),
        _OURS.format("the client id"),
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
        return _problem(cause.code, _("That did not work."), cause.message, cause.way_out)
    for kind, (title, happened, way_out) in _STRIPE.items():
        if isinstance(cause, kind):
            if isinstance(cause, PermissionMissing) and cause.permission:
                happened = _("Stripe does not let PayFlux read: %(permission)s.") % {"permission": cause.permission}
            return _problem(kind.__name__, title, happened, way_out)
    return _problem(
        INTERNAL,
        _("We hit an issue analyzing your data."),
        _("A step failed several times for a reason of our own."),
        _("Try again in a few minutes. If it happens again, contact support and name the time of the attempt."),
    )


def arming_problem() -> Problem:
    """The alerts could not be armed; the dashboard is open all the same."""
    return _problem(
        ARMING_FAILED,
        _("Default alerts are still being configured."),
        _("We'll notify you when they're active."),
        _PASSES,
    )


def retried_problem(problem: Problem) -> Problem:
    """The same, where PayFlux tries again by itself."""
    permission = problem["code"] == PERMISSION_MISSING
    way_out = (
        _("%(problem)s PayFlux also asks again by itself.") % {"problem": problem["what_to_do"]}
        if permission
        else _PASSES
    )
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
    problem = _problem("authorize", _("Stripe is not connected."), happened, way_out)
    return problem | {"what_is_safe": _("PayFlux read nothing and has no access.")}


def _problem(code: str, title: str, happened: str, way_out: str) -> Problem:
    return {
        "code": code,
        "title": title,
        "what_happened": happened,
        "what_is_safe": _SAFE,
        "what_to_do": way_out,
    }
