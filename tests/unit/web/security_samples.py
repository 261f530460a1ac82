"""Contexts for the pages about how somebody signs in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payflux.frontdoor.accounts.factors.models import Passkey
from payflux.frontdoor.accounts.factors.queries import SecurityEvent
from payflux.frontdoor.accounts.factors.rules import SignInMethods
from payflux.frontdoor.accounts.providers.identities import Identity
from payflux.frontdoor.accounts.providers.rules import Provider
from payflux.frontdoor.accounts.sessions import OpenSession
from payflux.web.pages.security import EVENT_WORDS, qr_code

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
LONG = "The laptop in the office at the end of the corridor that nobody else uses, bought in November 2026"

PASSWORD_ALONE = SignInMethods(password=True, passkeys=0, providers=(), totp=False)
ALL_OF_THEM = SignInMethods(password=True, passkeys=2, providers=("google",), totp=True)
GOOGLE_ALONE = SignInMethods(password=False, passkeys=0, providers=("google",), totp=False)

PASSKEYS = [
    Passkey(id=UUID(int=number), name=name, created_at=NOW, last_used_at=used)
    for number, (name, used) in enumerate(((LONG, None), ("Phone", NOW)))
]
SESSIONS = [
    OpenSession(HERE, "browser", "Firefox on Windows", "NO, 203.0.113.7", NOW, NOW),
    OpenSession(ELSEWHERE, "api", "An unknown device", "2001:db8:85a3:8d3:1319:8a2e:370:7348", NOW, NOW),
]
IDENTITIES = [Identity(Provider.GOOGLE, "alice.archer.at.a.long.address@mail.example.com", NOW, NOW)]
SECURITY = {
    "methods": PASSWORD_ALONE,
    "passkeys": [],
    "codes_left": 0,
    "identities": [],
    "providers": [],
    "sessions": SESSIONS[:1],
    "this_session": HERE,
    "events": [],
    "event_words": EVENT_WORDS,
    "passkeys_here": True,
    "passkeys_elsewhere": "",
    "errors": {},
}
FULL = {
    "methods": ALL_OF_THEM,
    "passkeys": PASSKEYS,
    "codes_left": 2,
    "identities": IDENTITIES,
    "providers": ["google", "microsoft"],
    "sessions": SESSIONS,
    "events": [SecurityEvent(action, NOW, "203.0.113.7") for action in EVENT_WORDS],
}
CONFIRM = {"methods": PASSWORD_ALONE, "providers": ["google"], "passkeys_here": True, "errors": {}, "next": "/start"}
TOTP = {
    "qr": qr_code("otpauth://totp/PayFlux:alice%40example.com?secret=GEZDGNBVGY3TQOJQ&issuer=PayFlux"),
    "secret": "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
    "errors": {},
}
WRONG = {"errors": {"code": "That code is wrong, or was used before."}}


def security_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of factors, of the second step and of confirming, by name."""
    elsewhere = {"passkeys_here": False, "passkeys_elsewhere": "http://localhost:8000/account/security"}
    return {
        "security": ("security.html", signed_in | SECURITY),
        "security-full": ("security.html", signed_in | SECURITY | FULL),
        "security-refused": (
            "security.html",
            signed_in | SECURITY | elsewhere | {"errors": {"passkeys": "The passkey was not made. Try again."}},
        ),
        "totp": ("totp.html", signed_in | TOTP),
        "totp-refused": ("totp.html", signed_in | TOTP | WRONG),
        "recovery-codes": ("recovery_codes.html", signed_in | {"codes": ["abcde-fghjk"] * 10}),
        "second-step": ("second_step.html", signed_out | {"errors": {}, "next": ""}),
        "second-step-refused": ("second_step.html", signed_out | WRONG | {"next": ""}),
        "confirm": ("confirm.html", signed_in | CONFIRM),
        "confirm-full": ("confirm.html", signed_in | CONFIRM | {"methods": ALL_OF_THEM} | WRONG),
        "confirm-google": ("confirm.html", signed_in | CONFIRM | {"methods": GOOGLE_ALONE}),
    }
