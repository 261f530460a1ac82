"""Why a caller is refused: each rule with its words, and who can change it. Pure, but for the plan's features."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES, holders, may
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import is_entitled
from payflux.frontdoor.catalogue.queries import plan_has_feature
from payflux.kit.errors import Forbidden, PaymentRequired

STEP_UP_WINDOW = timedelta(minutes=15)
"""How long a proof of who somebody is opens what is dangerous."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RESEND_PATH = "/api/v1/auth/email/send-verification"
UPGRADE_PATH = "/account/billing/select-plan"


class EmailNotVerified(Forbidden):
    """The caller has not proven their address; the wall is where they can."""

    code = "email_not_verified"
    page = "/verify-email"


class StepUpRequired(Forbidden):
    """The caller proved who they are too long ago for this."""

    code = "step_up_required"
    page = "/account/confirm"


def refuse_writing_for_others(who: SignedIn, method: str) -> None:
    """Raises Forbidden when staff who look at an account as its member would change something."""
    if who.impersonated_by is not None and method not in SAFE_METHODS:
        raise Forbidden(
            "You look at this account for support: nothing can be changed.",
            way_out="End the visit, and ask the member to do this themselves.",
            code="read_only",
        )


def refuse_unverified(who: SignedIn, *, grace: bool, now: datetime) -> None:
    """Raises EmailNotVerified for an unproven address: at once, or with `grace` once that has ended."""
    ends = who.grace_ends_at
    if who.email_verified or (grace and now < ends):
        return
    raise EmailNotVerified(
        "Your e-mail address is not verified.",
        way_out=f"Open the link in the mail to {who.email}, or have a new one sent.",
        details={
            "error": "email_not_verified",
            "grace_ended_at": ends.isoformat() if now >= ends else None,
            "resend_url": RESEND_PATH,
            "changed_by": "yourself",
        },
    )


def refuse_role(who: SignedIn, capability: str) -> None:
    """Raises Forbidden unless the caller's role has `capability`."""
    if may(who.role, capability):
        return
    raise Forbidden(
        f"Your role, {who.role}, does not allow this ({capability}).",
        way_out=f"Ask {holders(capability)} of the account.",
        details={
            "error": "role",
            "rule": capability,
            "role": str(who.role),
            "changed_by": sorted(CAPABILITIES[capability]),
        },
    )


def refuse_unentitled(subscription: Subscription | None, *, now: datetime) -> None:
    """Raises PaymentRequired unless the account's trial or subscription runs."""
    if subscription is not None and is_entitled(
        status=subscription.status, current_period_end=subscription.current_period_end, now=now
    ):
        return
    ends = subscription.current_period_end if subscription else None
    raise PaymentRequired(
        "Your trial has ended, or your subscription is not active.",
        way_out="The owner of the account can choose a plan. What was computed so far is kept.",
        details={
            "error": "subscription_inactive" if subscription else "no_subscription",
            "status": subscription.status if subscription else None,
            "plan": subscription.plan if subscription else None,
            "current_period_end": ends.isoformat() if ends else None,
            "upgrade_url": UPGRADE_PATH,
            "changed_by": sorted(CAPABILITIES["billing.manage"]),
        },
    )


async def refuse_missing_feature(session: AsyncSession, subscription: Subscription | None, feature: str) -> None:
    """Raises PaymentRequired unless the subscription's plan holds `feature`."""
    plan = subscription.plan if subscription else "free"
    if await plan_has_feature(session, plan=plan, feature=feature):
        return
    raise PaymentRequired(
        f"Your plan, {plan}, does not include this ({feature}).",
        way_out="The owner of the account can choose a plan that does.",
        code="feature_not_included",
        details={
            "error": "feature_not_included",
            "rule": feature,
            "plan": plan,
            "upgrade_url": UPGRADE_PATH,
            "changed_by": sorted(CAPABILITIES["billing.manage"]),
        },
    )


def refuse_stale_proof(who: SignedIn, *, now: datetime) -> None:
    """Raises StepUpRequired unless the caller proved who they are within :data:`STEP_UP_WINDOW`."""
    if now - who.authenticated_at >= STEP_UP_WINDOW:
        raise StepUpRequired(
            "This needs a fresh proof that it is you.",
            way_out="Confirm who you are; you come back to where you were.",
            details={"error": "step_up_required", "confirm_url": StepUpRequired.page, "changed_by": "yourself"},
        )


def way_to(error: EmailNotVerified | StepUpRequired, path: str) -> str:
    """The page on which the refusal of `path` can be mended, and which leads back to it."""
    return f"{error.page}?next={quote(path)}"
