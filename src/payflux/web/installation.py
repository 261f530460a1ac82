"""What this installation says of itself on its legal pages: only what its settings and its code make true."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from payflux.frontdoor.accounts.factors.rules import SECOND_STEP_TIME
from payflux.frontdoor.accounts.providers.trips import TRIP_TIME
from payflux.frontdoor.accounts.rules import SESSION_ABSOLUTE, SESSION_IDLE
from payflux.kit.messages import gettext as _
from payflux.settings import Settings
from payflux.web.browsers import DAY
from payflux.web.security import cookie_name
from payflux.world.oidc import sign_in_providers

_LONGEST = 400 * DAY  # seconds; what browsers keep a cookie at most


class Operator(NamedTuple):
    """Who runs the installation; what is not set is empty."""

    name: str
    address: str
    law: str
    privacy_email: str
    security_email: str
    support_email: str


class Cookie(NamedTuple):
    name: str
    purpose: str
    lasts: str


class Subprocessor(NamedTuple):
    """Somebody else who is handed data, what for, and which."""

    name: str
    purpose: str
    data: str


def operator(settings: Settings) -> Operator:
    """Who runs this installation, as far as the settings say it."""
    return Operator(
        settings.company_name,
        settings.company_address,
        settings.company_law,
        settings.privacy_email or settings.support_email,
        settings.security_email,
        settings.support_email,
    )


def cookies(settings: Settings) -> list[Cookie]:
    """Every cookie that PayFlux sets in the browser of a visitor or a member. All are its own, and none is for anybody
    else's eyes."""
    days, minutes = _("%(days)s days"), _("%(minutes)s minutes")
    longest = days % {"days": _LONGEST // DAY}
    trip = (
        _("Ties the way to a sign-in provider and back to your browser."),
        minutes % {"minutes": int(TRIP_TIME.total_seconds()) // 60},
    )
    told = (
        (
            "session",
            _("Keeps you signed in."),
            _("%(most)s days, %(idle)s without use") % {"most": SESSION_ABSOLUTE.days, "idle": SESSION_IDLE.days},
        ),
        ("csrf", _("Proves that a form came from our own page."), _("until the browser closes")),
        ("language", _("The language that you chose."), longest),
        ("last_method", _("Shows how you signed in last, on the sign-in page."), longest),
        ("device", _("Tells a browser that has signed in before from a new one, for a security notice."), longest),
        ("registered", _("Your address, encrypted, while you type the code that was mailed."), _("1 hour")),
        ("resend_at", _("When the next mail that proves your address may be sent."), _("1 hour")),
        (
            "second_step",
            _("Holds the first step of a sign-in that takes two."),
            minutes % {"minutes": int(SECOND_STEP_TIME.total_seconds()) // 60},
        ),
        ("provider_trip", *trip),
        ("sso_trip", *trip),
    )
    return [Cookie(cookie_name(settings, name), purpose, lasts) for name, purpose, lasts in told]


def subprocessors(settings: Settings) -> list[Subprocessor]:
    """Who this installation hands data to, from what is set up. The sandbox, on this machine, is nobody else."""
    found = [
        Subprocessor(host, _("Hosts this installation"), _("Everything that is stored"))
        for part in settings.hosting.split(";")
        if (host := part.strip())
    ]
    if settings.stripe_secret_key.get_secret_value() and not settings.uses_sandbox:
        found.append(
            Subprocessor(
                "Stripe",
                _("Takes payments for PayFlux, and connects your account where you choose that"),
                _("Your name, e-mail address and business, and what you pay; no payment data of your customers"),
            )
        )
    if not settings.uses_sandbox:
        found += [
            Subprocessor(
                provider.capitalize(),
                _("Signs people in who choose it"),
                _("That you sign in here; in return your name and e-mail address"),
            )
            for provider in sign_in_providers(settings)
        ]
    if settings.smtp_host and not settings.uses_sandbox:
        found.append(
            Subprocessor(settings.smtp_host, _("Delivers our mails"), _("Names, e-mail addresses and what a mail says"))
        )
    if settings.posthog_key.get_secret_value():
        found.append(
            Subprocessor(
                f"PostHog ({urlsplit(settings.posthog_host).hostname})",
                _("Counts where people get stuck"),
                _("Which steps were taken, with ids; no name, no address, no text and no payment"),
            )
        )
    if settings.leaked_passwords_url:
        found.append(
            Subprocessor(
                urlsplit(settings.leaked_passwords_url).hostname or "",
                _("Knows which passwords have leaked"),
                _("The first 5 digits of the SHA-1 of a new password: thousands share them"),
            )
        )
    return found
