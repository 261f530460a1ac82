"""Contexts for the pages about signing in by a provider."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from payflux.frontdoor.accounts.providers.identities import Identity
from payflux.frontdoor.accounts.providers.rules import Provider
from payflux.web.provider_words import DECLINED, LINK_WORDS, LOST, SIGN_IN_WORDS, UNAVAILABLE, UNPROVEN

OFFERED = {"providers": ["google", "microsoft"]}
WHEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
IDENTITY = Identity(Provider.GOOGLE, "a-long-name-before-the-sign@a-long-company-name.example", WHEN, WHEN)
ENTRY = {"form": {"name": "", "email": "", "plan": "pro"}, "errors": {}, "next": "", "last_method": "google"}


def provider_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of trips to a provider, by name."""
    manage = signed_in | {"provider": Provider.GOOGLE, "is_last": False}
    declined = {"declined": DECLINED, "lost": LOST, "unproven": UNPROVEN, "unavailable": UNAVAILABLE}
    signing_in = declined | {step.name.lower(): words for step, words in SIGN_IN_WORDS.items()}
    linking = {step.name.lower(): words for step, words in LINK_WORDS.items()}
    problem = {"provider": Provider.MICROSOFT}
    return {
        "sign-in-by-provider": ("sign_in.html", signed_out | ENTRY | OFFERED),
        "register-by-provider": ("register.html", signed_out | ENTRY | OFFERED),
        "provider-connect": (
            "provider_connect.html",
            signed_out | {"provider": Provider.GOOGLE, "email": IDENTITY.email, "trip": "0123"},
        ),
        "provider-manage-connected": ("provider_manage.html", manage | {"identity": IDENTITY}),
        "provider-manage-last": ("provider_manage.html", manage | {"identity": IDENTITY, "is_last": True}),
        "provider-manage": ("provider_manage.html", manage | {"identity": None}),
        **{
            f"provider-problem-{name}": (
                "provider_problem.html",
                signed_out | problem | {"words": words, "linking": False},
            )
            for name, words in signing_in.items()
        },
        **{
            f"provider-link-{name}": ("provider_problem.html", signed_in | problem | {"words": words, "linking": True})
            for name, words in linking.items()
        },
    }
