"""What Stripe allows an account: payments, payouts, and how they are made."""

from __future__ import annotations

from typing import Any

import stripe

from payflux.sandbox.amendments import amend, give_order
from payflux.sandbox.errors import StripeError
from payflux.sandbox.merchants.archetypes import PLATFORM
from payflux.sandbox.merchants.ledger import SETTLEMENT_DAYS
from payflux.sandbox.merchants.orders import CHARGES, DELAY, PAYOUTS, SCHEDULE, Schedule
from payflux.sandbox.objects.movements import BALANCE_SETTINGS, render_balance_settings
from payflux.sandbox.schema.objects import complete, fields
from payflux.sandbox.state import CLIENT_ID
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
LONGEST_DELAY = 31  # days, of the settlement


def restrict(work: Work, reason: str, due: list[str]) -> Json:
    """Stripe stops payments and payouts; the books follow at midnight. Raises StripeError where they are stopped."""
    account = _account(work)
    if not account["charges_enabled"]:
        raise StripeError(400, f"Account {work.account_id} is restricted already.")
    requirements = account["requirements"] | {
        "currently_due": due,
        "disabled_reason": reason,
        "eventually_due": due,
        "past_due": due,
    }
    return _allow(work, account, requirements, charges=False, payouts=False)


def restore(work: Work) -> Json:
    """Stripe allows payments and payouts again. Raises StripeError where it does."""
    account = _account(work)
    if account["charges_enabled"] and account["payouts_enabled"]:
        raise StripeError(400, f"Account {work.account_id} is not restricted.")
    if work.view.merchant.closed_at is not None:
        raise StripeError(400, "This merchant's story is that it is not ready. Choose another.")
    empty: Json = {"currently_due": [], "eventually_due": [], "past_due": []}
    requirements = account["requirements"] | empty | {"disabled_reason": None}
    return _allow(work, account, requirements, charges=True, payouts=True)


def pause_payouts(work: Work) -> Json:
    """Stripe stops payouts alone. Raises StripeError where they are stopped."""
    account = _account(work)
    if not account["payouts_enabled"]:
        raise StripeError(400, f"The payouts of account {work.account_id} are paused already.")
    return _allow(work, account, account["requirements"], charges=account["charges_enabled"], payouts=False)


def _allow(work: Work, account: Json, requirements: Json, *, charges: bool, payouts: bool) -> Json:
    active = "active" if charges else "inactive"
    changes = {
        "capabilities": account["capabilities"] | {"card_payments": active},
        "charges_enabled": charges,
        "payouts_enabled": payouts,
        "requirements": requirements,
    }
    before = account["capabilities"]["card_payments"]
    work.change(account, changes, "account.updated")
    if before != active:
        work.tell("capability.updated", _capability(work, requirements, active), {"status": before})
    for what, allowed in ((CHARGES, charges), (PAYOUTS, payouts)):
        give_order(work.view, work.store, what, allowed)
    payments = render_balance_settings(work.view)["payments"]
    status = {"status": "enabled" if payouts else "disabled"}
    _change_settings(work, payments | {"payouts": payments["payouts"] | status})
    return account


def _capability(work: Work, requirements: Json, status: str) -> Json:
    shown = {name: requirements[name] for name in fields(stripe.Capability.Requirements)}
    return complete(
        stripe.Capability,
        {
            "id": "card_payments",
            "account": work.account_id,
            "future_requirements": {},
            "requested": True,
            "requested_at": work.view.merchant.opened,
            "requirements": shown,
            "status": status,
        },
    )


def _account(work: Work) -> Json:
    return work.require("account", work.account_id)


def change_settings(work: Work, asked: Json) -> Json:
    """Carry out `POST /v1/balance_settings`; the books follow at midnight, but they keep no minimum balance. Raises
    StripeError 400."""
    payments = render_balance_settings(work.view)["payments"]
    payouts, timing = asked.get("payouts", {}), asked.get("settlement_timing", {})
    if "automatic_transfer_rules_by_currency" in payouts:
        raise _unknown("payments[payouts][automatic_transfer_rules_by_currency]")
    if "start_of_day" in timing:
        raise _unknown("payments[settlement_timing][start_of_day]")
    changed = payments | {name: asked[name] for name in ("debit_negative_balances",) if name in asked}
    changed["payouts"] = payments["payouts"] | {
        name: payouts[name] or None for name in ("statement_descriptor",) if name in payouts
    }
    if "minimum_balance_by_currency" in payouts:
        changed["payouts"]["minimum_balance_by_currency"] = _minimum(
            payments["payouts"]["minimum_balance_by_currency"] or {}, payouts["minimum_balance_by_currency"]
        )
    if "schedule" in payouts:
        schedule, days = _schedule(payouts["schedule"])
        changed["payouts"]["schedule"] = schedule
        give_order(work.view, work.store, SCHEDULE, days)
    if "delay_days_override" in timing:
        override = timing["delay_days_override"] or None
        if override is not None and not SETTLEMENT_DAYS <= override <= LONGEST_DELAY:
            raise StripeError(
                400,
                f"delay_days_override must be between {SETTLEMENT_DAYS} and {LONGEST_DELAY}.",
                param="payments[settlement_timing][delay_days_override]",
            )
        delay = override or SETTLEMENT_DAYS
        changed["settlement_timing"] = payments["settlement_timing"] | {
            "delay_days": delay,
            "delay_days_override": override,
        }
        give_order(work.view, work.store, DELAY, delay)
    return _change_settings(work, changed)


def _change_settings(work: Work, payments: Json) -> Json:
    before = render_balance_settings(work.view)
    if payments == before["payments"]:
        return before
    amend(work.view, work.store, BALANCE_SETTINGS, {"payments": payments})
    after = render_balance_settings(work.view)
    work.tell("balance_settings.updated", after, {"payments": before["payments"]})
    account = _account(work)
    schedule = payments["payouts"]["schedule"] | {"delay_days": payments["settlement_timing"]["delay_days"]}
    shown = account["settings"]["payouts"] | {"schedule": schedule}
    if shown != account["settings"]["payouts"]:
        work.change(account, {"settings": account["settings"] | {"payouts": shown}}, "account.updated")
    return after


def _minimum(before: Json, given: Any) -> Json | None:
    if given == "":
        return None
    amounts = {currency: int(amount) for currency, amount in given.items() if amount != ""}
    kept = {currency: amount for currency, amount in before.items() if currency not in given}
    return kept | amounts or None


def _schedule(given: Json) -> tuple[Json, Schedule]:
    interval = given.get("interval", "daily")
    needed = {"weekly": "weekly_payout_days", "monthly": "monthly_payout_days"}.get(interval)
    for name in ("weekly_payout_days", "monthly_payout_days"):
        place = f"payments[payouts][schedule][{name}]"
        if (name == needed) != bool(given.get(name)):
            word = "is required" if name == needed else "cannot be given"
            raise StripeError(400, f"{name} {word} when interval is {interval}.", param=place)
    days = given.get(needed, [])
    if interval == "weekly" and not set(days) <= set(WEEKDAYS):
        raise StripeError(
            400, f"Choose from: {', '.join(WEEKDAYS)}.", param="payments[payouts][schedule][weekly_payout_days]"
        )
    if interval == "monthly" and not set(days) <= set(range(1, 32)):
        raise StripeError(
            400, "Days of the month are 1 to 31.", param="payments[payouts][schedule][monthly_payout_days]"
        )
    shown = {"interval": interval} | ({needed: days} if needed else {})
    match interval:
        case "weekly":
            return shown, Schedule(frozenset(map(WEEKDAYS.index, days)))
        case "monthly":
            return shown, Schedule(frozenset(), frozenset(days))
        case "manual":
            return shown, Schedule(frozenset())
    return shown, Schedule()


def _unknown(name: str) -> StripeError:
    return StripeError(400, f"The sandbox does not carry out the parameter {name}: leave it out.", param=name)


def deauthorize(work: Work) -> Json:
    """The merchant takes the platform's access away. Raises StripeError where it has none."""
    state = work.state
    if not state.disconnect(work.account_id):
        raise StripeError(400, f"Account {work.account_id} is not connected to the platform.")
    return tell_deauthorized(work)


def tell_deauthorized(work: Work) -> Json:
    """Tell the application that an account has left it."""
    application = {"id": CLIENT_ID, "object": "application", "name": PLATFORM.business}
    work.tell("account.application.deauthorized", application)
    return application
