"""Contexts for the pages of keys, single sign-on and the audit log, and for the API reference."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from payflux.api.problems import API_PATH
from payflux.api.reference.operations import groups_of, objects_of
from payflux.api.routes import description
from payflux.frontdoor.accounts.audit_log import actor_name
from payflux.frontdoor.accounts.keys.models import ApiKey
from payflux.frontdoor.accounts.keys.queries import ListedKey
from payflux.frontdoor.accounts.keys.rules import (
    DEFAULT_LIFETIME,
    DEFAULT_OVERLAP,
    LIFETIMES,
    OVERLAPS,
    SCOPES,
    KeyState,
)
from payflux.frontdoor.accounts.keys.service import MadeKey
from payflux.frontdoor.accounts.sso import rules as sso_rules
from payflux.frontdoor.accounts.sso.models import DirectoryGroup, SsoConnection, SsoDomain
from payflux.kit.audit import AuditEntry
from payflux.kit.audit_chain import Break
from payflux.web.pages.api_keys import REVOKED_FOR
from payflux.world.saml import ServiceProvider
from tests.unit.web.staff_samples import NOW, ONE, TWO

SITE = "https://payflux.example"
BASE = f"{SITE}{API_PATH}"


def key(number: int, name: str, state: KeyState, **more: Any) -> ListedKey:
    values: dict[str, Any] = {
        "scopes": ["risk:read", "projections:read"],
        "owner": "Alice Archer",
        "last_used_at": NOW,
        "revoked_at": None,
        "revoked_for": "",
    }
    return ListedKey(
        id=UUID(int=number),
        name=name,
        written=f"pfx_live_…{number}a4Z",
        state=state,
        created_at=NOW - timedelta(days=30),
        expires_at=NOW + timedelta(days=60),
        **values | more,
    )


KEYS = [
    key(1, "Nightly export to the warehouse, on a machine of a long name", KeyState.ACTIVE, scopes=list(SCOPES)),
    key(2, "Monitor", KeyState.ROTATING, last_used_at=None, owner=""),
    key(3, "Old monitor", KeyState.EXPIRED),
    key(4, "Laptop", KeyState.REVOKED, revoked_at=NOW, revoked_for="leaked"),
]
MADE = MadeKey(
    ApiKey(name="Monitor", scopes=["risk:read", "events:write"], expires_at=NOW + timedelta(days=90)),
    f"pfx_live_{'0aZ' * 12}9x",
)

DOMAINS = [
    SsoDomain(domain="archer.example", challenge="c" * 43, added_at=NOW, proven_at=NOW),
    SsoDomain(
        domain="missing.example",
        challenge="e" * 43,
        added_at=NOW,
        proven_at=NOW - timedelta(days=90),
        checked_at=NOW,
        missing_since=NOW - timedelta(days=4),
    ),
    SsoDomain(domain="lapsed.example", challenge="f" * 43, added_at=NOW, proven_at=None, lapsed_at=NOW),
    SsoDomain(domain="a-subsidiary-with-a-long-name.archer.example", challenge="d" * 43, added_at=NOW, proven_at=None),
]
GROUPS = [
    (DirectoryGroup(id=UUID(int=1), display_name="Finance", role="analyst"), 12),
    (
        DirectoryGroup(id=UUID(int=2), display_name="A group of a rather long name, as they are", role=None),
        1,
    ),
]
OIDC = SsoConnection(
    protocol="oidc",
    issuer="https://id.a-provider-of-a-long-name.example/tenants/0123456789abcdef",
    client_id="payflux",
    default_role="viewer",
    saved_at=NOW,
    proven_at=NOW,
)

ENTRIES = [
    AuditEntry(
        sequence=number,
        at=NOW - timedelta(minutes=number),
        actor_id=actor,
        action=action,
        subject=subject,
        before=before,
        after=after,
        address="2001:db8:85a3:8d3:1319:8a2e:370:7348" if actor else "",
    )
    for number, (actor, action, subject, before, after) in enumerate(
        [
            (ONE, "account.renamed", str(ONE), {"name": "Archer"}, {"name": "Archer Supplies"}),
            (TWO, "alert_rule.changed", "Tier escalation", {"armed": True, "told_to": None}, {"armed": False}),
            (None, "activation.changed", str(ONE), {"state": "baseline_ready"}, {"state": "live_monitored"}),
            (UUID(int=3), "member.invited", "dan@example.com", None, {"role": "admin"}),
        ],
        start=1,
    )
]
ACTORS = {ONE: "Alice Archer", TWO: "Bob"}


@cache
def reference() -> dict[str, Any]:
    """The whole API, as its page shows it."""
    made = {"groups": groups_of(description(), BASE), "objects": objects_of(description())}
    return made | {"base": BASE, "address": SITE, "scopes": SCOPES}


def access_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    return (
        _keys(signed_in)
        | _single_sign_on(signed_out, signed_in)
        | _audit(signed_in)
        | {
            "developers": ("developers.html", signed_out | reference()),
            "developers-in-short": ("developers.html", signed_out | reference() | _in_short(reference())),
        }
    )


def _in_short(whole: dict[str, Any]) -> dict[str, Any]:
    """One operation of each of the first groups, and the objects that they lead to."""
    groups = [group._replace(operations=group.operations[:1]) for group in whole["groups"][:4]]
    objects = {each.name: each for each in whole["objects"]}
    shown = [operation for group in groups for operation in group.operations]
    fields = [field for each in shown for part in each.fields.values() for field in part]
    named = {name for each in (*fields, *(answer for one in shown for answer in one.answers)) for name in each.refers}
    while more := {name for each in named for field in objects[each].fields for name in field.refers} - named:
        named |= more
    return {"groups": groups, "objects": [each for each in whole["objects"] if each.name in named]}


def _keys(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    listed = signed_in | {
        "keys": KEYS,
        "scopes": SCOPES,
        "overlaps": OVERLAPS,
        "default_overlap": DEFAULT_OVERLAP,
        "revoked_for": REVOKED_FOR,
        "address": SITE,
    }
    new = signed_in | {
        "offered": {name: scope.words for name, scope in SCOPES.items()},
        "lifetimes": LIFETIMES,
        "typed": {"name": "", "scopes": ["risk:read"], "days": DEFAULT_LIFETIME},
        "errors": {},
    }
    wrong = {
        "name": "Give the key a name that says what uses it.",
        "scopes": "Choose at least one thing that the key may do.",
        "days": "Choose one of 7, 30, 90, 180, 365 days.",
    }
    made = signed_in | {"made": MADE, "overlap_hours": None, "address": SITE}
    return {
        "api-keys": ("api_keys/list.html", listed),
        "api-keys-none": ("api_keys/list.html", listed | {"keys": []}),
        "api-key-new": ("api_keys/new.html", new),
        "api-key-refused": (
            "api_keys/new.html",
            new | {"typed": {"name": "", "scopes": [], "days": 0}, "errors": wrong},
        ),
        "api-key-made": ("api_keys/made.html", made),
        "api-key-rotated": ("api_keys/made.html", made | {"overlap_hours": 24}),
    }


def _single_sign_on(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    form = {"form": {"email": ""}, "errors": {}, "next": "", "asking": ""}
    typed = dict.fromkeys(("domain", "issuer", "client_id", "sign_in_url", "certificate"), "") | {
        "default_role": "viewer"
    }
    settings = signed_in | {
        "in_plan": True,
        "domains": [],
        "record": sso_rules.RECORD,
        "record_value": sso_rules.record_value,
        "connection": None,
        "enforced": [],
        "roles": sso_rules.DEFAULT_ROLES,
        "groups": [],
        "callback": f"{SITE}/sso/callback",
        "saml": ServiceProvider(f"{SITE}/sso/saml/{ONE}", f"{SITE}/sso/saml/{ONE}/answers"),
        "typed": typed | {"protocol": "oidc"},
        "errors": {},
        "summary": {},
    }
    connected = {
        "domains": DOMAINS,
        "connection": OIDC,
        "groups": GROUPS,
        "typed": typed | {"protocol": "oidc", "issuer": OIDC.issuer, "client_id": OIDC.client_id},
    }
    certificate = "Paste the whole certificate, from BEGIN to END."
    return {
        "sso": ("sso.html", signed_out | form),
        "sso-refused": (
            "sso.html",
            signed_out
            | form
            | {"form": {"email": "alice@example.com"}, "errors": {"email": "Nothing is set up for this address."}},
        ),
        "sso-asked-for": ("sso.html", signed_in | form | {"asking": "Archer Supplies"}),
        "sso-leave": ("sso_leave.html", signed_out | {"address": "/elsewhere"}),
        "sso-settings": ("sso_settings.html", settings),
        "sso-settings-connected": ("sso_settings.html", settings | connected),
        "sso-settings-enforced": (
            "sso_settings.html",
            settings | connected | {"enforced": ["archer.example"], "in_plan": False},
        ),
        "sso-settings-refused": (
            "sso_settings.html",
            settings
            | {
                "typed": typed | {"protocol": "saml", "certificate": "MIIC"},
                "errors": {"certificate": certificate},
                "summary": {"saml-certificate": certificate},
            },
        ),
    }


def _audit(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    everything = dict.fromkeys(("actor", "action", "from", "to"), "")
    log = signed_in | {
        "entries": ENTRIES,
        "actors": ACTORS,
        "actor_name": actor_name,
        "names": {str(user): name for user, name in ACTORS.items()},
        "actions": [entry.action for entry in ENTRIES],
        "breaks": [],
        "form": everything,
        "errors": {},
        "filtered": False,
        "older": "?before=1",
        "file": "/account/audit.csv",
    }
    return {
        "audit": ("audit.html", log),
        "audit-broken": ("audit.html", log | {"breaks": [Break(2, "changed")]}),
        "audit-refused": (
            "audit.html",
            log
            | {
                "entries": [],
                "older": "",
                "filtered": True,
                "form": everything | {"actor": "system", "from": "soon"},
                "errors": {"from": "Write the day as 2026-11-21."},
            },
        ),
    }
