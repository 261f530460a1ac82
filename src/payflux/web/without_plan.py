"""What a member may reach whatever their plan is: the way out, and the way back in."""

from __future__ import annotations

from payflux.web.policies import Audience, GuardedRoute

WITHOUT_PLAN = {
    "/accept-invite": "whoever is invited joins before they see what the account has",
    "/account/billing": "this is where a plan is chosen, paid and ended",
    "/account/confirm": "a fresh proof is asked for by what is open itself",
    "/account/delete": "nobody has to pay to leave",
    "/account/email": "a person's address is theirs",
    "/account/export": "what is stored of an account is its own",
    "/account/no-trial": "who had a trial before is told the ways on",
    "/account/password": "a person's password is theirs",
    "/account/profile": "a person's name is theirs, and so is the account's",
    "/account/security": "how a person signs in does not depend on a plan",
    "/account/sessions": "a person ends their sessions at any time",
    "/account/sso": "single sign-on can be ended at any time; all else about it needs a plan",
    "/account/switch": "another account of theirs may have a plan",
    "/account/team": "members leave and are removed, so that a smaller plan fits; inviting needs a plan",
    "/activate/arming/events": "how far the work is, without a figure, for the page that shows it",
    "/activate/arming/state": "the same",
    "/activate/cancel": "what was connected can be taken away",
    "/api-keys": "a key can be ended at any time; all else about it needs a plan",
    "/connection": "what is connected can be looked at and taken away; all else about it needs a plan",
    "/connectors": "the same",
    "/readiness": "whether an account could go live is told before anything is paid",
    "/scan": "a scan that somebody made before they had an account is theirs to keep",
    "/sources": "the same for another processor",
    "/how-it-works": "how the numbers are made is no secret",
    "/settings/mail": "which mails somebody gets is theirs to say",
    "/sign-out": "everybody may leave",
    "/start": "leads each member to where they may go",
    "/upgrade": "why something is not in the plan, and which plan has it",
    "/verify-email": "an address is proven whatever the plan is",
    "/api/v1/accounts/me": "the account itself, its export and its end",
    "/api/v1/auth": "programs sign in and out, and people prove their addresses",
    "/api/v1/billing": "where a plan is chosen, paid and ended",
    "/api/v1/entitlements": "why something is refused has to be readable by whom it is refused",
    "/api/v1/scim": "a directory ends a member's place at any time; to make one needs a plan",
    "/api/v1/usage": "how much of a plan is used, likewise",
}
"""Why each route of members needs no plan, by the beginning of its path. One that asks for a plan all the same, below
such a beginning, asks for it."""


def needs_no_plan(route: GuardedRoute) -> bool:
    """Whether a member reaches the route however their account stands."""
    policy = route.policy
    return policy.audience is Audience.SIGNED_IN and not policy.asks_plan and not policy.metered


def reason_of(path: str) -> str | None:
    """Why the route at `path` needs no plan; None where nobody has said so."""
    begun = [start for start in WITHOUT_PLAN if path == start or path.startswith(f"{start}/")]
    return WITHOUT_PLAN[max(begun, key=len)] if begun else None
