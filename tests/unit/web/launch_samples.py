"""Contexts for the pages of the launch: of those who may not come in yet, of those who come back, and of the staff."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from payflux.admin.time_travel import Forthcoming, Seen
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.queries import Member
from payflux.frontdoor.billing.launch import Launch
from payflux.frontdoor.billing.models import SelfServeAllowed, SentNotice
from payflux.frontdoor.billing.rules import TRIAL, Standing
from payflux.frontdoor.entitlements.resolving import Entitlements
from payflux.web.billing_words import pill_of
from payflux.world.mail import Mail
from tests.unit.web.staff_samples import NOW, ONE, SAM, VISITOR

ENDS = NOW + timedelta(days=3)
TRYING = Standing("pro", None, "trialing", ENDS - TRIAL, ENDS, ended_at=ENDS)
ALICE = Member(ONE, "Alice Archer", "alice@example.com", Role.OWNER, True, NOW)
MAIL = Mail("Your PayFlux trial has ended", "Hello Alice Archer,\n\nThe trial of Hardware has ended.\n", "")
SENT = SentNotice(account_id=ONE, subscription_id=ONE, notice="trial_ends_in_4_days", at=NOW - timedelta(days=1))
ALLOWED = SelfServeAllowed(email_normalized="dora@a-long-company-name.example", added_by=str(SAM), added_at=NOW)


def seen(*, live: bool) -> Seen:
    at = NOW if live else ENDS
    held = Entitlements(
        plan="pro",
        version=2,
        live=live,
        features={"reserve_projection": live, "sso": False},
        granted={"reserve_projection": True, "sso": False},
        limits={"seats": 10, "retention_days": None},
        standing=TRYING,
        may_read_history=True,
        good_until=at + timedelta(minutes=5),
    )
    return Seen(
        name="Hardware",
        pill=pill_of(TRYING, may_pay=True, now=at),
        held=held,
        notices=["trial_ending"] if live else [],
        mails=[] if live else [Forthcoming(ENDS, MAIL, [ALICE])],
        sent=[SENT],
        moments=[ENDS - timedelta(days=1), ENDS],
        members=[ALICE],
    )


def launch_pages(
    signed_out: dict[str, Any], signed_in: dict[str, Any], arming: dict[str, Any]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    staff = signed_out | {"staff": SAM}
    look = staff | {"account_id": UUID(int=1), "now": NOW}
    elsewhen = SimpleNamespace(**vars(VISITOR), as_of=ENDS)
    form = {"form": {"name": "", "email": "", "plan": "", "source": "beta"}, "errors": {}, "next": ""}
    return {
        "not-open": ("not_open.html", signed_out | {"sales_email": "sales@payflux.example"}),
        "no-trial": ("no_trial.html", signed_in | {"manages": True}),
        "no-trial-of-a-viewer": ("no_trial.html", signed_in | {"manages": False}),
        "register-by-invitation": ("register.html", signed_out | form | {"by_invitation": True}),
        "staff-launch": (
            "admin/launch.html",
            staff | {"launch": Launch(False, False, str(SAM), NOW, [ALLOWED]), "configured": True},
        ),
        "staff-launch-open": (
            "admin/launch.html",
            staff | {"launch": Launch(True, None, None, None, []), "configured": True},
        ),
        "staff-look-now": ("admin/at.html", look | {"seen": seen(live=True), "at": NOW}),
        "staff-look-ahead": ("admin/at.html", look | {"seen": seen(live=False), "at": ENDS}),
        "support-visit-to-another-instant": ("arming.html", arming | {"user": elsewhen}),
    }
