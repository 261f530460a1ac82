"""Contexts for the wizard of a new owner, and for the setup steps on the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.queries import Member, Seats
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.web.first_run import FirstRun, SetupItem
from payflux.web.pages.team import ROLE_WORDS
from tests.unit.web.identity_samples import UNVERIFIED

OWNER = Member(UUID(int=1), "Alice Archer", "alice@example.com", Role.OWNER, True, datetime(2026, 11, 1, tzinfo=UTC))


def first_run(*done: str, following: str = "", urgent: bool = False, barred: bool = False) -> FirstRun:
    """All six steps, of which some are `done` and one is next, for somebody who may take them or is `barred`."""
    items = {
        key: SetupItem(
            key=key,
            title=step.title,
            why=step.why,
            verb=step.verb,
            path=step.path,
            done=key in done,
            urgent=urgent and key == following,
            headline=step.headline,
            who_can=[OWNER] if barred and step.capability else [],
        )
        for key, step in read_catalogue().checklist.items()
    }
    return FirstRun(list(items.values()), items.get(following))


def onboarding_pages(signed_in: dict[str, Any], empty: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name; `empty` is the context of the dashboard without a processor."""
    blank = {"name": "Archer Supplies", "team_size": "", "role": "", "processor": "", "pasted": ""}
    form = blank | {"pasted_role": "analyst"}
    wizard = signed_in | {
        "steps": 3,
        "form": form,
        "errors": {},
        "wizard": read_catalogue().wizard,
        "rows": [("", "analyst")] * 3,
        "roles": [Role.ADMIN, Role.ANALYST, Role.VIEWER],
        "role_words": ROLE_WORDS,
        "seats": Seats(10, 1, 0),
        "invited": [],
    }
    answered = form | {"team_size": "3-5", "role": "finance", "processor": "adyen"}
    return {
        "welcome-business": ("welcome/step_1.html", wizard | {"step": 1, "user": UNVERIFIED}),
        "welcome-business-refused": (
            "welcome/step_1.html",
            wizard
            | {"step": 1, "form": answered, "errors": {"name": "Give it a name.", "role": "Choose one of them."}},
        ),
        "welcome-processor": ("welcome/step_2.html", wizard | {"step": 2}),
        "welcome-processor-refused": (
            "welcome/step_2.html",
            wizard | {"step": 2, "errors": {"processor": "Choose one, or skip this step."}},
        ),
        "welcome-team": ("welcome/step_3.html", wizard | {"step": 3}),
        "welcome-team-refused": (
            "welcome/step_3.html",
            wizard
            | {
                "step": 3,
                "rows": [("bob@example.com", "viewer"), ("nobody", "analyst")],
                "errors": {"email-1": "bob@example.com is a member already.", "email-2": "Enter an e-mail address."},
                "invited": ["dora@example.com"],
            },
        ),
        "welcome-team-unverified": ("welcome/step_3.html", wizard | {"step": 3, "user": UNVERIFIED}),
        "welcome-team-full": ("welcome/step_3.html", wizard | {"step": 3, "seats": Seats(1, 1, 0)}),
        "dashboard-first-run": (
            "dashboard_empty.html",
            empty | {"first_run": first_run("verify_email", following="set_up_business")},
        ),
        "dashboard-first-run-connecting": (
            "dashboard_empty.html",
            empty | {"first_run": first_run("verify_email", "set_up_business", following="first_projection")},
        ),
        "dashboard-first-run-barred": (
            "dashboard_empty.html",
            empty
            | {
                "first_run": first_run("verify_email", following="first_projection", barred=True),
                "notices": ["trial_ending"],
            },
        ),
        "dashboard-first-run-urgent": (
            "dashboard_empty.html",
            empty | {"first_run": first_run(following="pick_plan", urgent=True)},
        ),
    }
