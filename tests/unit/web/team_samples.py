"""Contexts for the pages about who is in an account, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from payflux.activation.deletion import Blocker
from payflux.frontdoor.accounts.family import Place
from payflux.frontdoor.accounts.team.accepting import Offer
from payflux.frontdoor.accounts.team.bulk import Outcome
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.members import Holdings
from payflux.frontdoor.accounts.team.models import DeletionReceipt, OwnershipTransfer
from payflux.frontdoor.accounts.team.queries import Invite, Member, Seats
from payflux.frontdoor.accounts.team.rules import InviteState
from payflux.web.pages.team import ROLE_WORDS

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
ALICE_ID, BOB_ID, DORA_ID, ACCOUNT_ID = (UUID(int=number) for number in range(1, 5))
ALICE = SimpleNamespace(
    user_id=ALICE_ID,
    account_id=ACCOUNT_ID,
    name="Alice Archer",
    email="alice@example.com",
    email_verified=True,
    mail_returns=False,
    impersonated_by=None,
    role="owner",
    account_name="Archer & Daughters Bookshop",
    parent_id=None,
    parent_name="",
    places=(),
)
BOB = SimpleNamespace(**vars(ALICE) | {"user_id": BOB_ID, "name": "Bob", "email": "bob@example.com", "role": "analyst"})
MEMBERS = [
    Member(ALICE_ID, "Alice Archer", "alice@example.com", Role.OWNER, True, NOW - timedelta(days=90)),
    Member(BOB_ID, "Bob", "bob.with.quite.a.long.address@accounting.example.com", Role.ANALYST, True, NOW),
    Member(DORA_ID, "Dora", "dora@example.com", Role.VIEWER, False, NOW),
]
INVITES = [
    Invite(UUID(int=11), "erin@example.com", Role.ADMIN, InviteState.OPEN, "Alice Archer", NOW, NOW, NOW),
    Invite(UUID(int=12), "frank@example.com", Role.VIEWER, InviteState.EXPIRED, "", NOW, NOW, None),
]
OFFER = Offer(
    id=UUID(int=11),
    account_id=ACCOUNT_ID,
    account_name="Archer & Daughters Bookshop",
    email="erin@example.com",
    role="analyst",
    state=InviteState.OPEN,
    invited_by="Alice Archer",
    expires_at=NOW + timedelta(days=14),
    accepted_by=None,
)
TRANSFER = OwnershipTransfer(
    account_id=ACCOUNT_ID, id=UUID(int=9), from_user_id=ALICE_ID, to_user_id=BOB_ID, expires_at=NOW
)
RECEIPT = DeletionReceipt(id=UUID(int=8), rows={"memberships": 3, "payment_events": 847})
LINK = {
    "code": "0123abcd",
    "back": "/accept-invite?code=0123abcd",
    "form": {"name": ""},
    "errors": {},
    "last_method": "",
}


def team_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of invites, members, ownership, the profile and deletion, by name."""
    owner = signed_in | {"user": ALICE, "who": ALICE}
    team = owner | {
        "members": MEMBERS,
        "invites": INVITES,
        "seats": Seats(5, 3, 1),
        "transfer": None,
        "roles": [Role.ADMIN, Role.ANALYST, Role.VIEWER],
        "role_words": ROLE_WORDS,
        "may_invite": True,
        "may_manage": True,
        "may_transfer": True,
        "form": {"emails": "", "role": "analyst"},
        "errors": {},
        "outcomes": [],
    }
    member = team | {"user": BOB, "who": BOB, "invites": [], "may_invite": False, "may_manage": False, "roles": []}
    profile = owner | {
        "own_places": [Place(ACCOUNT_ID, ALICE.account_name, Role.OWNER), Place(UUID(int=5), "Other", Role.VIEWER)],
        "may_update": True,
        "may_export": True,
        "may_delete": True,
        "form": {"name": ALICE.name, "account_name": ALICE.account_name},
        "errors": {},
    }
    deletion = owner | {"members": MEMBERS, "blockers": [], "errors": {}}
    invite = signed_out | LINK | {"offer": OFFER}
    invites = {
        f"invite-{view}": ("accept_invite.html", invite | {"view": view, "user": user})
        for view, user in (
            ("expired", None),
            ("revoked", None),
            ("accepted", None),
            ("joined", ALICE),
            ("stranger", None),
            ("mismatch", ALICE),
            ("unverified", ALICE),
            ("match", ALICE),
        )
    }
    refused = {"errors": {"password": "This is easy to guess."}, "form": {"name": "Erin"}}
    return invites | {
        "invite-unknown": ("accept_invite.html", invite | {"view": "unknown", "offer": None}),
        "invite-refused": ("accept_invite.html", invite | {"view": "stranger"} | refused),
        "team": ("team.html", team),
        "team-refused": (
            "team.html",
            team
            | {
                "errors": {"emails": "Some were not invited; they still stand here."},
                "form": {"emails": "nonsense", "role": "viewer"},
                "outcomes": [
                    Outcome("erin@example.com", UUID(int=11), "invited", "Invited."),
                    Outcome("nonsense", None, "invalid_input", "Enter an e-mail address like you@company.com."),
                ],
            },
        ),
        "team-full": ("team.html", team | {"seats": Seats(3, 3, 0), "invites": [], "transfer": TRANSFER}),
        "team-member": ("team.html", member | {"may_transfer": False}),
        "team-offered": ("team.html", member | {"may_transfer": False, "transfer": TRANSFER}),
        "member-remove": (
            "member_remove.html",
            owner | {"member": MEMBERS[1], "holdings": Holdings(INVITES[:1]), "keys": []},
        ),
        "transfer": ("transfer.html", owner | {"candidates": MEMBERS[1:]}),
        "transfer-nobody": ("transfer.html", owner | {"candidates": []}),
        "transfer-accept": ("transfer_accept.html", owner | {"offer": TRANSFER}),
        "profile": ("profile.html", profile),
        "profile-refused": ("profile.html", profile | {"errors": {"account_name": "Enter a name."}}),
        "account-delete": ("account_delete.html", deletion),
        "account-delete-blocked": (
            "account_delete.html",
            deletion | {"blockers": [Blocker("open_transfer", "The ownership is in transfer.", "Cancel the offer.")]},
        ),
        "account-deleted": (
            "account_deleted.html",
            signed_out | {"receipt": RECEIPT, "email": ALICE.email, "further": False},
        ),
        "dashboard-welcome": (
            "dashboard_empty.html",
            signed_in
            | {"live": False, "problem": None, "notices": [], "first_run": None, "welcome": ALICE.account_name},
        ),
    }
