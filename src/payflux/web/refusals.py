"""Why a caller is refused: each rule with its words, and who can change it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import CAPABILITIES, holders, may
from payflux.frontdoor.entitlements.resolving import Entitlements
from payflux.frontdoor.entitlements.usage import UPGRADE_PATH
from payflux.kit.errors import Conflict, Forbidden, PaymentRequired
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark, sentence_start

STEP_UP_WINDOW = timedelta(minutes=15)
"""How long a proof of who somebody is opens what is dangerous."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
RESEND_PATH = "/api/v1/auth/email/send-verification"


class EmailNotVerified(Forbidden):
    """The caller has not proven their address; the wall is where they can."""

    code = "email_not_verified"
    page = "/verify-email"


class StepUpRequired(Forbidden):
    """The caller proved who they are too long ago for this."""

    code = "step_up_required"
    page = "/account/confirm"


class SsoRequired(Forbidden):
    """The account wants its members to come by its identity provider, and the caller did not."""

    code = "sso_required"
    page = "/sso"


class SubscriptionInactive(PaymentRequired):
    """No subscription runs: the account is behind the wall."""

    def __init__(self, held: Entitlements) -> None:
        standing = held.standing
        if standing is None:
            super().__init__(
                _("This account has no plan."),
                way_out=choose_a_plan(),
                code="no_subscription",
                details={"error": "no_subscription", "upgrade_url": UPGRADE_PATH, "changed_by": _BILLING},
            )
            return
        end = standing.current_period_end
        super().__init__(
            _(_WHY_INACTIVE.get(standing.status, mark("Your subscription is not active."))),
            way_out=choose_a_plan(),
            code="subscription_inactive",
            details={
                "error": "subscription_inactive",
                "status": standing.status,
                "plan": standing.plan,
                "current_period_end": end.isoformat() if end else None,
                "upgrade_url": UPGRADE_PATH,
                "changed_by": _BILLING,
            },
        )


class WorkspacePaused(PaymentRequired):
    """The caller acts in a further workspace of an account whose plan holds one alone."""

    code = "workspace_paused"

    def __init__(self) -> None:
        super().__init__(
            _("This workspace is paused: the plan of its account holds one workspace."),
            way_out=_("%(who)s of the account can choose a plan with several. Nothing here is changed or deleted.")
            % {"who": sentence_start(holders("billing.manage"))},
            details={"error": "workspace_paused", "upgrade_url": UPGRADE_PATH, "changed_by": _BILLING},
        )


class OfAccount(Conflict):
    """What was asked for is done in the account, and the caller acts in a further workspace of it."""

    code = "of_account"


class FeatureNotInPlan(PaymentRequired):
    """The account's plan, with its exceptions, does not hold the feature."""

    code = "feature_not_in_plan"

    def __init__(self, held: Entitlements, feature: str) -> None:
        self.feature, self.plan = feature, held.plan
        super().__init__(
            _("Your plan, %(plan)s, does not include this (%(feature)s).") % {"plan": held.plan, "feature": feature},
            way_out=_("%(who)s of the account can choose a plan that does.")
            % {"who": sentence_start(holders("billing.manage"))},
            details={
                "error": "feature_not_in_plan",
                "feature": feature,
                "current_plan": held.plan,
                "upgrade_url": UPGRADE_PATH,
                "explain_url": f"/api/v1/entitlements/{feature}/explain",
                "changed_by": _BILLING,
            },
        )


_BILLING = sorted(CAPABILITIES["billing.manage"])


def choose_a_plan() -> str:
    """The way out of a wall, and who can go it."""
    payers = holders("billing.manage")
    return _("%(who)s of the account can choose a plan. What was computed so far is kept.") % {
        "who": sentence_start(payers)
    }


_WHY_INACTIVE = {
    "trialing": mark("Your trial has ended."),
    "canceled": mark("Your subscription has ended."),
    "incomplete": mark("Your subscription is not active: a payment is missing."),
}


def refuse_writing_for_others(who: SignedIn, method: str) -> None:
    """Raises Forbidden when staff who look at an account as its member would change something."""
    if who.impersonated_by is not None and method not in SAFE_METHODS:
        raise Forbidden(
            _("You look at this account for support: nothing can be changed."),
            way_out=_("End the visit, and ask the member to do this themselves."),
            code="read_only",
        )


def refuse_unverified(who: SignedIn, *, grace: bool, now: datetime) -> None:
    """Raises EmailNotVerified for an unproven address: at once, or with `grace` once that has ended."""
    ends = who.grace_ends_at
    if who.email_verified or (grace and now < ends):
        return
    raise EmailNotVerified(
        _("Your e-mail address is not verified."),
        way_out=_("Open the link in the mail to %(email)s, or have a new one sent.") % {"email": who.email},
        details={
            "error": "email_not_verified",
            "grace_ended_at": ends.isoformat() if now >= ends else None,
            "resend_url": RESEND_PATH,
            "changed_by": "yourself",
        },
    )


def refuse_scope(who: SignedIn, scope: str | None) -> None:
    """Raises Forbidden unless the caller's key has `scope`; where it is None nothing is open to any key."""
    if scope in who.scopes:
        return
    if scope is None:
        raise Forbidden(
            _("No API key can do this."),
            way_out=_("Sign in, in a browser or at /api/v1/auth/login."),
            code="key_not_allowed",
            details={"error": "scope", "rule": None, "changed_by": "yourself"},
        )
    raise Forbidden(
        _("Your API key does not allow this (%(scope)s).") % {"scope": scope},
        way_out=_("Make a key with %(scope)s under API keys.") % {"scope": scope},
        code="key_scope",
        details={"error": "scope", "rule": scope, "changed_by": sorted(CAPABILITIES["keys.manage"])},
    )


def refuse_role(who: SignedIn, capability: str) -> None:
    """Raises Forbidden unless the caller's role has `capability`."""
    if may(who.role, capability):
        return
    raise Forbidden(
        _("Your role, %(role)s, does not allow this (%(capability)s).") % {"role": who.role, "capability": capability},
        way_out=_("Ask %(capability)s of the account.") % {"capability": holders(capability)},
        details={
            "error": "role",
            "rule": capability,
            "role": str(who.role),
            "changed_by": sorted(CAPABILITIES[capability]),
        },
    )


def refuse_further_workspace(who: SignedIn) -> None:
    """Raises OfAccount where the caller acts in a further workspace."""
    if who.parent_id is None:
        return
    raise OfAccount(
        _("This is settled for the account as a whole, and %(workspace)s is one of its workspaces.")
        % {"workspace": who.account_name},
        way_out=_("Switch to the account itself. If you are not in it, ask its owner."),
        details={"error": "of_account", "account_id": str(who.parent_id)},
    )


def refuse_unentitled(held: Entitlements, *, history: bool = False) -> None:
    """Raises SubscriptionInactive unless the account's trial or subscription runs or, where `history` is asked for,
    ended a short time ago; WorkspacePaused where it runs without this workspace."""
    if held.live or (history and held.may_read_history):
        return
    raise WorkspacePaused if held.paused else SubscriptionInactive(held)


def refuse_missing_feature(held: Entitlements, feature: str) -> None:
    """Raises FeatureNotInPlan unless the account has `feature`, or had it when its subscription ran."""
    if not held.granted.get(feature, False):
        raise FeatureNotInPlan(held, feature)


def refuse_other_ways_in(who: SignedIn) -> None:
    """Raises SsoRequired where the caller's account wants them to come by its identity provider, whenever their session
    began."""
    if not who.sso_required:
        return
    mend = _("An owner may come in by a password and a second step.") if who.role == "owner" else ""
    raise SsoRequired(
        _("%(account)s asks its members to sign in by single sign-on.") % {"account": who.account_name},
        way_out=" ".join(filter(None, [_("Sign in by it; you come back to where you were going."), mend])),
        details={
            "error": "sso_required",
            "sign_in_url": SsoRequired.page,
            "changed_by": sorted(CAPABILITIES["sso.manage"]),
        },
    )


def refuse_stale_proof(who: SignedIn, *, now: datetime) -> None:
    """Raises StepUpRequired unless the caller proved who they are within :data:`STEP_UP_WINDOW`."""
    if now - who.authenticated_at >= STEP_UP_WINDOW:
        raise StepUpRequired(
            _("This needs a fresh proof that it is you."),
            way_out=_("Confirm who you are; you come back to where you were."),
            details={"error": "step_up_required", "confirm_url": StepUpRequired.page, "changed_by": "yourself"},
        )


def way_to(error: EmailNotVerified | SsoRequired | StepUpRequired, path: str) -> str:
    """The page on which the refusal of `path` can be mended, and which leads back to it."""
    return f"{error.page}?next={quote(path)}"
