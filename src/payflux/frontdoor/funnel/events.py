"""The product events: each a class whose fields are its properties. Pure.

A property is one of a few words, a number or a key of the catalogue, so that no event can hold a personal datum. Who
records which event, and when, is in its docstring: the server alone, where the outcome is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import ClassVar, NewType

CatalogueKey = NewType("CatalogueKey", str)
"""A plan or a feature by its name in the catalogue: small letters, digits and underscores, at most 50."""

PropertyValue = str | int | bool

_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")


class Repeats(Enum):
    """How often an event is kept of one subject: of the account and the user where they are known, else of the
    visitor."""

    ALWAYS = "always"
    DAILY = "daily"  # once a UTC day for the same properties
    NEVER = "never"  # once


class SignUpMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 -- a way to register
    GOOGLE = "google"
    MICROSOFT = "microsoft"


class Proof(StrEnum):
    """What proved that an address is read by who gave it."""

    LINK = "link"
    CODE = "code"
    PROVIDER = "provider"
    INVITE = "invite"


class MemberRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    ANALYST = "analyst"
    VIEWER = "viewer"


class BillingInterval(StrEnum):
    MONTH = "month"
    YEAR = "year"


class SalesSource(StrEnum):
    """The page that led to the sales form."""

    PRICING_PAGE = "pricing_page"
    LANDING_PAGE = "landing_page"
    REGISTER_FOOTER = "register_footer"
    PLAN_PICKER = "plan_picker"
    TRIAL_WALL = "trial_wall"
    DIRECT = "direct"


@dataclass(frozen=True)
class ProductEvent:
    """Something that somebody did on the way from stranger to customer."""

    NAME: ClassVar[str]
    REPEATS: ClassVar[Repeats] = Repeats.ALWAYS

    def __post_init__(self) -> None:
        for name, value in self.properties().items():
            if isinstance(value, str) and not _KEY.fullmatch(value):
                raise ValueError(f"{self.NAME}.{name} must be a key, such as pro or api_access, not {value!r}")

    def properties(self) -> dict[str, PropertyValue]:
        """The fields by name, as JSON takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}


@dataclass(frozen=True)
class ScanStarted(ProductEvent):
    """Somebody had a website scanned from its page."""

    NAME = "scan_started"


@dataclass(frozen=True)
class ScanFinished(ProductEvent):
    """A scan is over. `tier` is of its band, 0 where it has none or failed; `to_mend` counts what set it."""

    NAME = "scan_finished"
    tier: int
    to_mend: int
    failed: bool


@dataclass(frozen=True)
class ScanClaimed(ProductEvent):
    """An account keeps a stranger's scan; `at_registration` when it was opened from it."""

    NAME = "scan_claimed"
    at_registration: bool


@dataclass(frozen=True)
class PricingPageViewed(ProductEvent):
    """The pricing page was shown."""

    NAME = "pricing_page_viewed"
    REPEATS = Repeats.DAILY


@dataclass(frozen=True)
class RegisterStarted(ProductEvent):
    """The registration form was shown to somebody who is not signed in."""

    NAME = "register_started"
    REPEATS = Repeats.DAILY


@dataclass(frozen=True)
class RegisterCompleted(ProductEvent):
    """A user was created; `invited` when into an account that was there."""

    NAME = "register_completed"
    method: SignUpMethod
    invited: bool


@dataclass(frozen=True)
class EmailVerificationSent(ProductEvent):
    """A mail to prove an address was enqueued."""

    NAME = "email_verification_sent"


@dataclass(frozen=True)
class EmailVerificationCompleted(ProductEvent):
    """An address was proven."""

    NAME = "email_verification_completed"
    proof: Proof


@dataclass(frozen=True)
class TrialStarted(ProductEvent):
    """An account was granted its trial."""

    NAME = "trial_started"
    REPEATS = Repeats.NEVER
    plan: CatalogueKey


@dataclass(frozen=True)
class WelcomeWizardStepCompleted(ProductEvent):
    """Continue was pressed on a step of the wizard, from 1 to 3, and its answers were kept."""

    NAME = "welcome_wizard_step_completed"
    step: int


@dataclass(frozen=True)
class WelcomeWizardSkipped(ProductEvent):
    """A step of the wizard was skipped; `rest` when all that follow were too."""

    NAME = "welcome_wizard_skipped"
    from_step: int
    rest: bool = False


@dataclass(frozen=True)
class WelcomeWizardCompleted(ProductEvent):
    """The wizard was left through its last step, whatever was skipped on the way."""

    NAME = "welcome_wizard_completed"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class ProcessorConnected(ProductEvent):
    """A workspace was pointed at a processor's account by `method`."""

    NAME = "processor_connected"
    method: CatalogueKey


@dataclass(frozen=True)
class FirstProjectionMade(ProductEvent):
    """The first reserve projection of an account was computed."""

    NAME = "first_projection_made"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class FirstProjectionSeen(ProductEvent):
    """A member looked at the account's reserve projection for the first time."""

    NAME = "first_projection_seen"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class LiveMonitoringStarted(ProductEvent):
    """All five conditions of a live workspace hold for the first time."""

    NAME = "live_monitoring_started"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class TeammateInvited(ProductEvent):
    """An invite was created."""

    NAME = "teammate_invited"
    role: MemberRole


@dataclass(frozen=True)
class TeammateAcceptedInvite(ProductEvent):
    """An invite was accepted."""

    NAME = "teammate_accepted_invite"
    role: MemberRole


@dataclass(frozen=True)
class TrialModalShown(ProductEvent):
    """The notice near the end of a trial was shown."""

    NAME = "trial_modal_shown"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class TrialModalDismissed(ProductEvent):
    """That notice was closed."""

    NAME = "trial_modal_dismissed"
    REPEATS = Repeats.NEVER


@dataclass(frozen=True)
class TrialEndedWallShown(ProductEvent):
    """A page was refused because the trial has ended."""

    NAME = "trial_ended_wall_shown"
    REPEATS = Repeats.DAILY


@dataclass(frozen=True)
class PlanPickerViewed(ProductEvent):
    """The page to choose a plan on was shown."""

    NAME = "plan_picker_viewed"
    REPEATS = Repeats.DAILY


@dataclass(frozen=True)
class CheckoutSessionCreated(ProductEvent):
    """Stripe opened a Checkout for the account."""

    NAME = "checkout_session_created"
    plan: CatalogueKey
    interval: BillingInterval


@dataclass(frozen=True)
class CheckoutCompleted(ProductEvent):
    """Stripe told that a Checkout was completed."""

    NAME = "checkout_completed"
    plan: CatalogueKey
    interval: BillingInterval


@dataclass(frozen=True)
class CheckoutAbandoned(ProductEvent):
    """A Checkout that Stripe had opened ended without an order: it expired, or another took its place."""

    NAME = "checkout_abandoned"
    plan: CatalogueKey
    interval: BillingInterval


@dataclass(frozen=True)
class MonthlyRevenueChanged(ProductEvent):
    """What an account pays a month has changed, in US cents."""

    NAME = "monthly_revenue_changed"
    before_cents: int
    after_cents: int


@dataclass(frozen=True)
class FeatureGateBlocked(ProductEvent):
    """A route was refused because the account's plan lacks the feature."""

    NAME = "feature_gate_blocked"
    REPEATS = Repeats.DAILY
    feature_key: CatalogueKey
    current_plan: CatalogueKey


@dataclass(frozen=True)
class TalkToSalesFormSubmitted(ProductEvent):
    """Somebody asked to be called, from the page that `source` names."""

    NAME = "talk_to_sales_form_submitted"
    source: SalesSource


@dataclass(frozen=True)
class ComplimentaryAccountFirstView(ProductEvent):
    """A member of a complimentary account was told for the first time that it is one."""

    NAME = "complimentary_account_first_view"
    REPEATS = Repeats.NEVER


EVENTS: dict[str, type[ProductEvent]] = {kind.NAME: kind for kind in ProductEvent.__subclasses__()}
"""Every product event, by name."""
