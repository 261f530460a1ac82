"""Who may do what to whom, as one table that a person can read."""

from __future__ import annotations

import itertools

import pytest

from payflux.frontdoor.accounts.team.capabilities import (
    CAPABILITIES,
    Role,
    holders,
    manageable_roles,
    may,
    may_change_role,
    may_remove,
)

# columns: owner, admin, analyst, viewer
WHO_MAY = {
    "monitor.read": "yyyy",
    "connection.manage": "yy--",
    "projections.manage": "yyy-",
    "alerts.manage": "yyy-",
    "evidence.export": "yyy-",
    "keys.manage": "yy--",
    "billing.read": "yy--",
    "billing.manage": "yy--",
    "team.read": "yyyy",
    "team.invite": "yy--",
    "team.manage": "yy--",
    "account.update": "yy--",
    "account.export": "y---",
    "account.transfer": "y---",
    "account.delete": "y---",
    "audit.read": "yy--",
    "sso.manage": "y---",
    "workspaces.manage": "yy--",
}

# rows: who acts; columns: on whom (owner, admin, analyst, viewer)
WHO_REMOVES_WHOM = {"owner": "-yyy", "admin": "--yy", "analyst": "----", "viewer": "----"}


def test_each_role_may_do_exactly_what_the_table_says() -> None:
    stated = {name: "".join("y" if may(role, name) else "-" for role in Role) for name in CAPABILITIES}
    assert stated == WHO_MAY


def test_nobody_removes_a_member_who_stands_as_high_or_higher() -> None:
    stated = {actor: "".join("y" if may_remove(actor, target=role) else "-" for role in Role) for actor in Role}
    assert stated == WHO_REMOVES_WHOM


@pytest.mark.parametrize(("actor", "of", "to"), list(itertools.product(Role, Role, Role)))
def test_a_role_is_given_only_by_someone_above_both_the_old_and_the_new_one(actor: Role, of: Role, to: Role) -> None:
    below = {"owner": {"admin", "analyst", "viewer"}, "admin": {"analyst", "viewer"}}.get(actor, set())
    assert may_change_role(actor, of=of, to=to) == (of in below and to in below)


def test_no_one_can_invite_or_promote_anyone_to_owner() -> None:
    assert not any(Role.OWNER in manageable_roles(role) for role in Role)


def test_an_unknown_capability_is_an_error_and_not_a_no() -> None:
    with pytest.raises(KeyError):
        may("owner", "connection.mange")


def test_a_refusal_can_say_who_to_ask() -> None:
    assert holders("account.delete") == "the owner"
    assert holders("team.invite") == "the owner or an admin"
    assert holders("evidence.export") == "the owner, an admin or an analyst"
