"""Where an account stands with its plan, as its pages say it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.billing.rules import TRIAL_PLAN, Standing, State, state_of, trial_days_left
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.notices import NOTICES
from payflux.kit.messages import gettext as _
from payflux.kit.messages import ngettext
from payflux.web.formatting import day, money, money_short

BILLING = "/account/billing"
SELECT_PLAN = "/account/billing/select-plan"
PREVIEW = "/dashboard/preview"

NOTICE_BEFORE_END = timedelta(days=4)
"""How long before a trial's end each member is told of it, once."""

LOCKED: frozenset[State] = frozenset({"none", "trial_ended", "bought_trial_ended", "incomplete", "canceled"})
"""The states in which what a plan pays for is closed, and billing, export, deletion and the way out are open."""

BY_CHECKOUT: frozenset[State] = frozenset({"none", "trial", "trial_ended", "free", "complimentary", "canceled"})
"""The states in which a plan is bought by Checkout. In the others Stripe holds a subscription, and its portal is the
way to the card and to the end."""

BY_CHANGE: frozenset[State] = frozenset({"active", "bought_trial"})
"""The states in which what was bought can be changed: Stripe shows what that costs, and asks."""


@dataclass(frozen=True)
class Pill:
    """The tag in the bar of every page; without `path` it leads nowhere and asks for nothing."""

    words: str
    tone: Literal["plain", "info", "warn", "danger"] = "plain"
    path: str = ""


def plan_name(plan: str) -> str:
    """The name of the plan with this key."""
    return plan.capitalize()


def ends_at(standing: Standing) -> datetime | None:
    """When a subscription that runs ends without a renewal; None for one that goes on."""
    return standing.cancel_at or (standing.current_period_end if standing.cancel_at_period_end else None)


def pill_of(standing: Standing | None, *, may_pay: bool, now: datetime) -> Pill:
    """What the pill says. Only who `may_pay` is led to the plans; the others are led to who can act."""
    choosing = SELECT_PLAN if may_pay else BILLING
    if standing is None:
        return Pill(_("Pick a plan"), "danger", choosing)
    name, end = plan_name(standing.plan), ends_at(standing)
    match state_of(standing, now):
        case "trial" | "bought_trial":
            return _trial_pill(standing, now)
        case "trial_ended":
            return Pill(_("Trial expired — pick a plan"), "danger", choosing)
        case "bought_trial_ended":
            return Pill(_("Confirming your payment"), "warn", BILLING)
        case "complimentary":
            return Pill(_("Complimentary %(name)s") % {"name": name})
        case "past_due":
            return Pill(_("Payment failed — update card"), "danger", BILLING)
        case "incomplete":
            return Pill(_("Payment not complete"), "danger", BILLING)
        case "canceled":
            return Pill(_("Reactivate"), "danger", choosing)
        case _:
            return (
                Pill(_("%(name)s · ends %(end)s") % {"name": name, "end": day(end)}, "warn", BILLING)
                if end
                else Pill(name)
            )


def buys_by_checkout(standing: Standing | None, now: datetime) -> bool:
    """Whether a plan is bought by Checkout now; else the way is the portal."""
    return state_of(standing, now) in BY_CHECKOUT


def may_choose_plan(standing: Standing | None, now: datetime) -> bool:
    """Whether a plan can be bought, or changed, now; else a payment has to be mended first, in the portal."""
    return state_of(standing, now) in BY_CHECKOUT | BY_CHANGE


def _trial_pill(standing: Standing, now: datetime) -> Pill:
    left = trial_days_left(status=standing.status, current_period_end=standing.current_period_end, now=now) or 0
    words = ngettext("%(plan)s trial · %(left)s day left", "%(plan)s trial · %(left)s days left", left) % {
        "plan": plan_name(TRIAL_PLAN),
        "left": left,
    }
    if standing.stripe_status and not ends_at(standing):
        return Pill(_("%(trial)s, then %(plan)s") % {"trial": words, "plan": plan_name(standing.plan)}, "info", BILLING)
    return Pill(words, "info" if left > 3 else "warn" if left > 1 else "danger", BILLING)


def is_near_end(standing: Standing | None, now: datetime) -> bool:
    """Whether a trial that nobody has paid on from ends within :data:`NOTICE_BEFORE_END`."""
    if standing is None or state_of(standing, now) != "trial":
        return False
    return standing.current_period_end is not None and standing.current_period_end - now <= NOTICE_BEFORE_END


def open_notices(standing: Standing | None, closed: Collection[str], now: datetime) -> list[str]:
    """The notices that a member who has closed some is shown."""
    said = {
        "trial_ending": is_near_end(standing, now),
        "complimentary": standing is not None and standing.status == "complimentary",
    }
    return [notice for notice in NOTICES if said[notice] and notice not in closed]


def price(cents: int) -> str:
    """A price of the catalogue, in whole units where it has no cents: "$499", "$499.50"."""
    currency = read_catalogue().billing.currency
    return money(cents, currency) if cents % 100 else money_short(cents, currency)


FILTERS: dict[str, Callable[..., object]] = {
    "buys_by_checkout": buys_by_checkout,
    "ends_at": ends_at,
    "may": may,
    "may_choose_plan": may_choose_plan,
    "pill": pill_of,
    "plan_name": plan_name,
    "price": price,
    "state": state_of,
}
"""Template filters by name."""
