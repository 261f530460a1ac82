"""Who gets through to which route: every route's policy against a cast of callers, as a table that a person can read.

What a caller gets is worked out here from the declared policy alone, apart from the code that enforces it: the tests
call every route as everyone in the cast and compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from payflux.frontdoor.accounts.keys.rules import SCOPES
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.web.policies import API_ACCESS, Audience, GuardedRoute, Policy


class Answer(StrEnum):
    """What becomes of a call: THROUGH the guard to the route itself, or which rule refuses it."""

    THROUGH = "yes"
    SIGN_IN = "sign in"
    READ_ONLY = "only look"
    VERIFY = "verify"
    SCOPE = "scope"
    ROLE = "role"
    PLAN = "plan"
    CONFIRM = "confirm"
    SIGNATURE = "signature"
    STAFF = "staff"
    TOKEN = "token"  # noqa: S105 -- what is asked for


@dataclass(frozen=True)
class Persona:
    """A caller. A stranger has no `role`. `plan` is that of the account, and `status` that of its subscription: None
    where there never was one, "expired" for a trial that has just ended, and "long expired" for one whose history is no
    longer readable. `scopes` is what the key allows that they call with, None without one."""

    name: str
    role: str | None = "owner"
    verified: bool = True
    in_grace: bool = False
    plan: str = "pro"
    status: str | None = "trialing"
    proven_recently: bool = True
    for_support: bool = False
    by_token: bool = False
    scopes: frozenset[str] | None = None

    @property
    def is_program(self) -> bool:
        return self.by_token or self.scopes is not None


CAST = (
    Persona("stranger", role=None),
    Persona("new, unproven", verified=False, in_grace=True),
    Persona("unproven, late", verified=False),
    Persona("owner"),
    Persona("admin", role="admin"),
    Persona("analyst", role="analyst"),
    Persona("viewer", role="viewer"),
    Persona("trial over", status="expired"),
    Persona("long over", status="long expired"),
    Persona("past due", status="past_due"),
    Persona("canceled", status="canceled"),
    Persona("incomplete", status="incomplete"),
    Persona("no plan", status=None),
    Persona("on Free", plan="free", status="active"),
    Persona("on Starter", plan="starter", status="active"),
    Persona("complimentary", status="complimentary"),
    Persona("proof is old", proven_recently=False),
    Persona("support visit", for_support=True),
    Persona("program", by_token=True),
    Persona("program on Starter", plan="starter", status="active", by_token=True),
    Persona("key", scopes=frozenset(SCOPES), proven_recently=False),
    Persona("narrow key", scopes=frozenset({"usage:read"}), proven_recently=False),
    Persona("viewer's key", role="viewer", scopes=frozenset(SCOPES), proven_recently=False),
)
"""Owners in a running Pro trial with a proven address who have just signed in, but for what their name says."""


def answer_of(route: GuardedRoute, caller: Persona) -> Answer:
    """What becomes of `caller` at `route`: the first rule that refuses, in the order in which a guard asks."""
    policy = route.policy
    may_only_look = caller.for_support and route.methods != ("GET",)
    if policy.audience is Audience.PUBLIC:
        return Answer.READ_ONLY if may_only_look else Answer.THROUGH
    if policy.audience is Audience.SIGNED_BODY:
        return Answer.SIGNATURE
    if policy.audience is Audience.STAFF:
        return Answer.STAFF
    if policy.audience is Audience.COLLECTOR:
        return Answer.TOKEN
    if caller.role is None:
        return Answer.SIGN_IN
    refused = [
        (Answer.READ_ONLY, may_only_look),
        (Answer.SCOPE, caller.scopes is not None and policy.scope not in caller.scopes),
        (Answer.VERIFY, policy.verified and not caller.verified and not (policy.grace and caller.in_grace)),
        (Answer.ROLE, policy.capability is not None and not may(caller.role, policy.capability)),
        (Answer.PLAN, _lacks_plan(policy, caller, reads=route.methods == ("GET",))),
        (Answer.CONFIRM, policy.step_up and not caller.proven_recently),
    ]
    return next((answer for answer, holds in refused if holds), Answer.THROUGH)


LIVE = frozenset({"trialing", "active", "past_due", "complimentary"})
READABLE = frozenset({"expired", "canceled", "incomplete"})
"""In front of the wall, and behind it where what was seen before may still be read."""


def _lacks_plan(policy: Policy, caller: Persona, *, reads: bool) -> bool:
    asked = {policy.feature} - {None}
    if policy.metered and caller.is_program:
        asked.add(API_ACCESS)
    elif not policy.asks_plan:
        return False
    passes_wall = caller.status in LIVE or (policy.history and reads and caller.status in READABLE)
    return not passes_wall or not asked <= read_catalogue().plans[caller.plan].features


def as_table(routes: Sequence[GuardedRoute]) -> str:
    """The matrix of `routes` as a Markdown document, one row a route and one column a caller."""
    head = ["", "route", "asks", *(caller.name for caller in CAST)]
    rows = [
        ["/".join(route.methods), f"`{route.path}`", str(route.policy), *(answer_of(route, each) for each in CAST)]
        for route in routes
    ]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
    return f"{_PREFACE}\n{table}\n"


_PREFACE = """# Who gets through to which route

`payflux admin guards` writes this page; a test compares the two, then calls every route as every caller. Each caller
is the owner of an account in a running Pro trial, with a proven address, who has just signed in, but for what the
column says. A cell holds what becomes of the call: **yes**, it reaches the route; **sign in**, **verify** and
**confirm**, what the caller has to do first; **scope** (of an API key), **role** and **plan**, what would have to be
another; **only look**, that support changes nothing; **signature**, that the body has to be signed; **staff**, that the
console asks in its own way; **token**, that only a collector with its token is answered.
"""
