"""Contexts for the pages of the staff's console, and a page of the product during a visit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from payflux.activation.models import ActivationMail, ActivationTransition, Workspace
from payflux.activation.obstacles import too_little_problem
from payflux.admin.billing import DONE
from payflux.admin.reading import MonitoredRecord
from payflux.frontdoor.accounts.family import Place
from payflux.frontdoor.accounts.models import Account, MailBounce, Session, User
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.queries import Invite, Member
from payflux.frontdoor.accounts.team.rules import InviteState
from payflux.frontdoor.billing.models import BillingDifference, StripeEvent, Subscription
from payflux.frontdoor.billing.reconciling import KINDS
from payflux.frontdoor.staff.finding import AccountRecord, Found, UserRecord
from payflux.frontdoor.staff.joining import Joining
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.audit import AuditEntry
from payflux.kit.isolation.canary import Isolation
from payflux.monitor.processors.models import Connection
from payflux.web.pages.security import qr_code
from payflux.web.policies import Audience, GuardedRoute, Policy
from tests.unit.web.counting_samples import counting_pages
from tests.unit.web.selling_samples import ON_ACCOUNT, selling_pages

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
SAM = Staff(UUID(int=9), UUID(int=8), "Sam Support", "sam@payflux.example", NOW)
URI = "otpauth://totp/PayFlux%20staff:sam@payflux.example?secret=JBSWY3DPEHPK3PXP&issuer=PayFlux%20staff"
JOINING = Joining("Sam", "sam@payflux.example", "JBSWY3DPEHPK3PXP", URI)

ACCOUNT = Account(id=ONE, name="Alice and Daughters Hardware and Garden Supplies", intended_plan="pro", created_at=NOW)
ALICE = User(
    id=ONE,
    name="Alice Archer",
    email="alice@example.com",
    password_hash="hash",
    email_verified_at=None,
    mail_returned_at=NOW,
    created_at=NOW,
)
BOUNCES = [MailBounce(at=NOW, status="5.1.1", permanent=True), MailBounce(at=NOW, status="4.4.7", permanent=False)]
RECORD = AccountRecord(
    account=ACCOUNT,
    members=[
        Member(ONE, "Alice Archer", "alice@example.com", Role.OWNER, False, NOW),
        Member(TWO, "Bob", "bob.at.a.long.address@mail.example.com", Role.VIEWER, True, NOW),
    ],
    invites=[Invite(TWO, "dan@example.com", Role.ADMIN, InviteState.OPEN, "Alice", NOW, NOW, None)],
    subscriptions=[Subscription(plan="pro", status="trialing", current_period_end=NOW + timedelta(days=3))],
    entries=[
        AuditEntry(
            at=NOW,
            actor_id=SAM.id,
            action="staff.visit_started",
            subject=str(ONE),
            before=None,
            after={"staff": str(SAM), "reason": "Ticket 4711: no figures"},
        ),
        AuditEntry(at=NOW, actor_id=ONE, action="account.renamed", subject=str(ONE), before={"name": "A"}, after=None),
        AuditEntry(at=NOW, actor_id=None, action="activation.changed", subject=str(ONE), before=None, after=None),
    ],
)
MONITORED = MonitoredRecord(
    workspaces=[Workspace(id=ONE, name="Hardware", activation_state="live_monitored", problem=None)],
    transitions=[ActivationTransition(at=NOW, from_state=None, to_state="paid_unconnected", cause="entitled")],
    mails=[ActivationMail(mail="activated", user_id=ONE, enqueued_at=NOW, outcome="The mail server has taken it.")],
    connections=[
        Connection(
            name="",
            external_account_id="acct_1A2b3C4d5E6f7G",
            processor="stripe",
            method="connect_oauth",
            livemode=False,
            status="disconnected",
            disconnected_by="merchant",
            synced_through=None,
            connected_at=NOW,
        )
    ],
)
SESSIONS = [
    Session(
        id=UUID(int=number),
        kind=kind,
        address="2001:db8:85a3:8d3:1319:8a2e:370:7348",
        factors=["password", "totp"],
        impersonated_by=visitor,
        created_at=NOW,
        last_used_at=NOW,
    )
    for number, (kind, visitor) in enumerate((("browser", None), ("api", None), ("browser", SAM.id)))
]
ROUTES = [
    GuardedRoute(("GET",), "/admin", Policy(Audience.STAFF)),
    GuardedRoute(("POST",), "/account/team/invites/{invite_id}/resend", Policy(Audience.SIGNED_IN, verified=True)),
]
VISITOR = SimpleNamespace(
    name="Alice Archer",
    email="alice@example.com",
    email_verified=True,
    mail_returns=True,
    account_name=ACCOUNT.name,
    impersonated_by=SAM.id,
)

BILLING = {
    "failed": [
        StripeEvent(
            id="evt_1QwErTy",
            event_type="customer.subscription.updated",
            received_at=NOW,
            attempts=12,
            outcome="UnknownPrice: subscription sub_1AbC is for price_1XyZ, which is no price of ours",
        )
    ],
    "differences": [
        BillingDifference(
            kind="state",
            subject="sub_1AbC",
            detail={
                "account_id": str(ONE),
                "seat_limit": {"here": 9, "there": 2},
                "status": {"here": None, "there": "paused"},
            },
            found_at=NOW,
            last_seen_at=NOW,
        ),
        BillingDifference(
            kind="unknown_account",
            subject="sub_2DeF",
            detail={"customer": "cus_1", "there": "active"},
            found_at=NOW,
            last_seen_at=NOW,
        ),
    ],
    "kinds": KINDS,
    "waiting": 1,
    "done": "",
}


ACTIVATIONS = {
    "counts": [("paid_unconnected", 3), ("live_monitored", 12)],
    "held_up": [
        (
            Workspace(
                account_id=ONE,
                id=ONE,
                activation_state="baseline_ready",
                connected_at=NOW,
                problem=too_little_problem(3),
                failures=0,
                retry_at=NOW,
            ),
            "Archer Supplies",
            True,
        )
    ],
    "shown": 200,
    "done": "It is tried again now.",
}


def staff_pages(signed_out: dict[str, Any], arming: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every page of the console, and the one that `arming` is for during a visit."""
    staff = signed_out | {"staff": SAM}
    account = (
        staff | {"record": RECORD, "monitored": MONITORED, "names": {ONE: "Alice Archer"}, "now": NOW} | ON_ACCOUNT
    )
    user = staff | {
        "record": UserRecord(ALICE, [Place(ONE, ACCOUNT.name, Role.OWNER)], SESSIONS, BOUNCES),
        "providers": ["Google"],
        "two_steps": True,
        "devices": {each.id: "Firefox on Windows" for each in SESSIONS},
        "done": "sent",
    }
    form = signed_out | {"form": {"email": ""}, "errors": {}}
    joining = signed_out | {"joining": JOINING, "token": "token", "qr": qr_code(URI), "errors": {}}
    isolation = Isolation(at=NOW, breaches=("accounts can be read across",), tables=31, unplanted={"users": "no row"})
    return {
        "staff-sign-in": ("admin/sign_in.html", form),
        "staff-sign-in-refused": ("admin/sign_in.html", form | {"errors": {"": "They do not belong together."}}),
        "staff-join": ("admin/join.html", joining),
        "staff-join-refused": ("admin/join.html", joining | {"errors": {"code": "This is not the code."}}),
        "staff-search": ("admin/search.html", staff | {"typed": "", "found": None}),
        "staff-found": ("admin/search.html", staff | {"typed": "ali", "found": Found([ACCOUNT], [ALICE])}),
        "staff-found-nothing": ("admin/search.html", staff | {"typed": "nobody", "found": Found([], [])}),
        "staff-account": ("admin/account.html", account),
        "staff-user": ("admin/user.html", user),
        **counting_pages(staff),
        **selling_pages(staff),
        "staff-activations": ("admin/activations.html", staff | ACTIVATIONS),
        "staff-activations-all-well": ("admin/activations.html", staff | ACTIVATIONS | {"held_up": [], "done": ""}),
        "staff-billing": ("admin/billing.html", staff | BILLING),
        "staff-billing-all-well": (
            "admin/billing.html",
            staff | BILLING | {"failed": [], "differences": [], "waiting": 0, "done": DONE["compared"]},
        ),
        "staff-guards": ("admin/guards.html", staff | {"routes": ROUTES, "isolation": isolation}),
        "staff-guards-unchecked": ("admin/guards.html", staff | {"routes": ROUTES, "isolation": None}),
        "support-visit": ("arming.html", arming | {"user": VISITOR}),
    }
