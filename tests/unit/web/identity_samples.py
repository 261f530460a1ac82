"""Contexts for the pages about who somebody is."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

UNVERIFIED = SimpleNamespace(
    name="Alice Archer",
    email="alice@example.com",
    email_verified=False,
    mail_returns=False,
    impersonated_by=None,
    grace_ends_at=datetime(2026, 11, 28, 9, tzinfo=UTC),
)
CODE = {"address": "alice@example.com", "wait_seconds": 0, "walled": False, "notice": "", "errors": {}, "next": ""}
LINK = {"email": "alice@example.com", "token": "0123abcd"}
FORGOT = {"form": {"email": ""}, "errors": {}, "asked_for": ""}
RESET = {"state": "open", "token": "0123abcd", "email": "alice@example.com", "errors": {}}
CHANGE_EMAIL = {"form": {"email": ""}, "errors": {}, "sent_to": ""}


def identity_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of registration, verification and passwords, by name."""
    unverified = signed_in | {"user": UNVERIFIED}
    links = {
        f"verify-link-{state}": ("verify_link.html", signed_out | LINK | {"state": state})
        for state in ("open", "done", "used", "expired", "superseded", "unknown", "taken")
    }
    resets = {
        f"reset-{state}": ("reset.html", signed_out | RESET | {"state": state})
        for state in ("open", "done", "used", "expired", "superseded", "unknown")
    }
    return (
        links
        | resets
        | {
            "verify-link-other-user": ("verify_link.html", unverified | LINK | {"state": "other_user"}),
            "verify-email": ("verify_email.html", unverified | CODE),
            "verify-email-sent": (
                "verify_email.html",
                unverified | CODE | {"wait_seconds": 60, "notice": "A new mail is on its way."},
            ),
            "verify-email-wall": (
                "verify_email.html",
                unverified | CODE | {"walled": True, "errors": {"code": "This is not the code of the newest mail."}},
            ),
            "forgot": ("forgot.html", signed_out | FORGOT),
            "forgot-refused": ("forgot.html", signed_out | FORGOT | {"errors": {"email": "Enter a whole address."}}),
            "forgot-sent": ("forgot.html", signed_out | FORGOT | {"asked_for": "alice@example.com"}),
            "reset-refused": ("reset.html", signed_out | RESET | {"errors": {"password": "Easy to guess."}}),
            "change-password": ("change_password.html", signed_in | {"errors": {}, "done": False}),
            "change-password-refused": (
                "change_password.html",
                signed_in | {"errors": {"old_password": "This is not your password."}, "done": False},
            ),
            "change-password-done": ("change_password.html", signed_in | {"errors": {}, "done": True}),
            "change-email": ("change_email.html", signed_in | CHANGE_EMAIL),
            "change-email-refused": (
                "change_email.html",
                signed_in | CHANGE_EMAIL | {"errors": {"email": "This is your address already."}},
            ),
            "change-email-sent": ("change_email.html", signed_in | CHANGE_EMAIL | {"sent_to": "alice@new.example"}),
        }
    )
