"""What each role may do in an account. Pure data: guards, pages and tests read the same table."""

from __future__ import annotations

from enum import StrEnum

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    ANALYST = "analyst"
    VIEWER = "viewer"


_OWNER = frozenset({Role.OWNER})
_MANAGERS = frozenset({Role.OWNER, Role.ADMIN})
_EVERYONE = frozenset(Role)

CAPABILITIES: dict[str, frozenset[Role]] = {
    "monitor.read": _EVERYONE,
    "connection.manage": _MANAGERS,
    "projections.manage": _MANAGERS | {Role.ANALYST},
    "alerts.manage": _MANAGERS | {Role.ANALYST},
    "evidence.export": _MANAGERS | {Role.ANALYST},
    "keys.manage": _MANAGERS,
    "billing.read": _MANAGERS,
    "billing.manage": _MANAGERS,
    "team.read": _EVERYONE,
    "team.invite": _MANAGERS,
    "team.manage": _MANAGERS,
    "account.update": _MANAGERS,
    "account.export": _OWNER,
    "account.transfer": _OWNER,
    "account.delete": _OWNER,
    "audit.read": _MANAGERS,
    "sso.manage": _OWNER,
    "workspaces.manage": _MANAGERS,
}
"""Every capability by name, and the roles that have it."""

_MANAGES: dict[Role, frozenset[Role]] = {
    Role.OWNER: frozenset({Role.ADMIN, Role.ANALYST, Role.VIEWER}),
    Role.ADMIN: frozenset({Role.ANALYST, Role.VIEWER}),
    Role.ANALYST: frozenset(),
    Role.VIEWER: frozenset(),
}


def may(role: str, capability: str) -> bool:
    """Whether a member in `role` has `capability`. Raises KeyError for a capability that is not in the table."""
    return role in CAPABILITIES[capability]


def holders(capability: str) -> str:
    """The roles that have `capability` as a sentence names them, such as "the owner or an admin"."""
    articles = _ARTICLES | {Role.OWNER: mark("the owner")}
    *names, last = (_(articles[role]) for role in Role if role in CAPABILITIES[capability])
    return _("%(names)s or %(last)s") % {"names": ", ".join(names), "last": last} if names else last


def with_article(role: str) -> str:
    """A member in `role` as a sentence names one: "an admin"."""
    return _(_ARTICLES[Role(role)])


_ARTICLES = {
    Role.OWNER: mark("an owner"),
    Role.ADMIN: mark("an admin"),
    Role.ANALYST: mark("an analyst"),
    Role.VIEWER: mark("a viewer"),
}


def manageable_roles(actor: str) -> list[Role]:
    """The roles that a member in the role `actor` may give, take and invite into: always below their own, so that
    nobody makes anybody more than they are themselves. The owner's changes hands by transfer alone."""
    return [role for role in Role if role in _MANAGES.get(Role(actor), frozenset())]


def may_change_role(actor: str, *, of: str, to: str) -> bool:
    """Whether `actor` may give a member whose role is `of` the role `to`."""
    allowed = manageable_roles(actor)
    return of in allowed and to in allowed


def may_remove(actor: str, *, target: str) -> bool:
    """Whether `actor` may remove another member whose role is `target`. Leaving is everyone's but the owner's."""
    return target in manageable_roles(actor)
