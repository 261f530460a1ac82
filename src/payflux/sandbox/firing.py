"""What can be let happen to a merchant by hand: each by its name, with the fields that a form asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from payflux.sandbox import restrictions
from payflux.sandbox.amendments import amend
from payflux.sandbox.api.reports import fail_report
from payflux.sandbox.app_grants import uninstall
from payflux.sandbox.errors import StripeError
from payflux.sandbox.listing import EVERYTHING, list_page
from payflux.sandbox.merchants.aftermath import DISPUTE_REASONS, FRAUD_TYPES
from payflux.sandbox.merchants.reviews import CLOSED_REASONS
from payflux.sandbox.payments import disputes, refunds
from payflux.sandbox.payments.payouts import PAYOUT_FAILURES, fail_payout
from payflux.sandbox.reserves import disable_plan, hold_back, open_plan, release
from payflux.sandbox.reviews import close_review, open_review
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work

Given = Mapping[str, str]
LARGEST = 99_999_999  # minor units


@dataclass(frozen=True)
class Field:
    """A field of a form; left empty, it means `hint`. Where there are `choices`, it has one of them."""

    name: str
    hint: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fire:
    """Something that can happen: called with a unit of work on the merchant's account and the form's fields, it answers
    the object that it is about. Raises StripeError 400 for a field that it does not know or cannot take."""

    label: str
    run: Callable[[Work, Given], Json]
    fields: tuple[Field, ...] = field(default=())

    def __call__(self, work: Work, params: Given) -> Json:
        given = {name: value.strip() for name, value in params.items() if value.strip()}
        known = {known.name: known for known in self.fields}
        for name, value in given.items():
            if name not in known:
                words = ", ".join(known) or "no field"
                raise StripeError(400, f"Received unknown parameter: {name}. This takes {words}.", param=name)
            if known[name].choices and value not in known[name].choices:
                raise StripeError(400, f"{name} must be one of {', '.join(known[name].choices)}", param=name)
        return self.run(work, given)


def _number(given: Given, name: str, default: int, most: int = LARGEST) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:12]) <= most:
        raise StripeError(
            400, f"{name} is a whole number from 1 to {most}.", code="parameter_invalid_integer", param=name
        )
    return int(text)


def _charge(work: Work, given: Given) -> Json:
    """The charge that is named; else the newest paid one that nothing has happened to."""
    if "charge" in given:
        return work.require("charge", given["charge"], "charge")
    view = work.view
    taken = {view.id("charges", row) for row in view.merchant.told}
    for charge in list_page(work, "charge", "/v1/charges", EVERYTHING)["data"]:
        touched = charge["disputed"] or charge["amount_refunded"] or charge["review"] or view.touched(charge["id"])
        if charge["paid"] and not touched and charge["id"] not in taken and charge["currency"] == view.currency:
            return charge
    raise StripeError(400, "None of the last hundred payments is untouched. Name a charge.", param="charge")


def _newest(work: Work, kind: str, given: Given, name: str, **where: object) -> Json:
    """The object that is named; else the newest that was made by hand with these fields."""
    if name in given:
        return work.require(kind, given[name], name)
    found = work.find(kind, where, limit=1)
    if not found:
        raise StripeError(400, f"No {kind} of this account fits. Make one first, or name one.", param=name)
    return found[0]


def _dispute(work: Work, given: Given) -> Json:
    charge = _charge(work, given)
    amount = _number(given, "amount", charge["amount"]) if "amount" in given else None
    inquiry = given.get("inquiry") == "yes"
    return disputes.open_dispute(work, charge, given.get("reason", "fraudulent"), inquiry=inquiry, amount=amount)


def _answered(work: Work, given: Given) -> Json:
    dispute = _newest(work, "dispute", given, "dispute", status=disputes.OPEN)
    return disputes.answer(work, _made(work, dispute), {}, submit=True)


def _closed(work: Work, given: Given) -> Json:
    dispute = _newest(
        work, "dispute", given, "dispute", status=(*disputes.OPEN, "under_review", "warning_under_review")
    )
    return disputes.close(work, _made(work, dispute), given.get("status", "lost"))


def _made(work: Work, found: Json) -> Json:
    if work.store.place(work.account_id, found["id"]) is None:
        raise StripeError(
            400, f"{found['id']} has a story of its own. Fire a dispute and choose that.", param="dispute"
        )
    return found


def _warning(work: Work, given: Given) -> Json:
    charge = _charge(work, given)
    if work.store.place(work.account_id, charge["id"]) is None:
        amend(work.view, work.store, charge["id"], {})  # nothing else is to happen to it
    return disputes.warn(work, charge, given.get("fraud_type", "unauthorized_use_of_card"))


def _refund(work: Work, given: Given) -> Json:
    charge = _charge(work, given)
    amount = _number(given, "amount", charge["amount"]) if "amount" in given else None
    return refunds.refund(work, charge, amount, given.get("reason", "requested_by_customer"))


def _payout_failed(work: Work, given: Given) -> Json:
    if "payout" in given:
        payout = work.require("payout", given["payout"], "payout")
    else:
        page = list_page(work, "payout", "/v1/payouts", EVERYTHING._replace(filters={"status": "paid"}))
        payout = next(iter(page["data"]), None)
    return fail_payout(work, payout, given.get("failure_code", "account_closed"))


def _review_opened(work: Work, given: Given) -> Json:
    return open_review(work, _charge(work, given))


def _review_closed(work: Work, given: Given) -> Json:
    return close_review(work, _newest(work, "review", given, "review", open=1), given.get("reason", "approved"))


def _plan(work: Work, given: Given) -> Json:
    return open_plan(work, _number(given, "percent", 10, 100), _number(given, "days", 90, 730))


def _plan_disabled(work: Work, given: Given) -> Json:
    return disable_plan(work, _newest(work, "reserve.plan", given, "reserve_plan", status="active"))


def _hold(work: Work, given: Given) -> Json:
    plans = work.find("reserve.plan", {"status": "active"}, limit=1)
    charge = work.require("charge", given["charge"], "charge") if "charge" in given else None
    plan = plans[0] if plans else None
    days = plan["rolling_release"]["days_after_charge"] if plan else 90
    amount = max(charge["amount"] * (plan["percent"] if plan else 10) // 100, 1) if charge else 100_000
    return hold_back(
        work, _number(given, "amount", amount), _number(given, "days", days, 730), plan=plan, charge=charge
    )


def _release(work: Work, given: Given) -> Json:
    return release(work, _newest(work, "reserve.hold", given, "reserve_hold", is_releasable=1), "hold_released_early")


RESTRICTIONS = (
    "requirements.past_due",
    "under_review",
    "rejected.fraud",
    "rejected.terms_of_service",
    "rejected.other",
    "listed",
)


def _app_uninstalled(work: Work, _given: Given) -> Json:
    application = uninstall(work)
    if application is None:
        raise StripeError(400, f"Account {work.account_id} does not have the Stripe App.")
    return application


def _restricted(work: Work, given: Given) -> Json:
    reason = given.get("disabled_reason", RESTRICTIONS[0])
    return restrictions.restrict(work, reason, ["company.tax_id"] if reason == RESTRICTIONS[0] else [])


_CHARGE = Field("charge", "the newest payment that nothing has happened to")
_AMOUNT = Field("amount", "all of it, in minor units")
_OPEN_DISPUTE = Field("dispute", "the newest one made here that is open")

FIRE: dict[str, Fire] = {
    "dispute": Fire(
        "A customer disputes a payment",
        _dispute,
        (
            _CHARGE,
            Field("reason", "fraudulent", tuple(reason for reason, *_ in DISPUTE_REASONS)),
            _AMOUNT,
            Field("inquiry", "no", ("no", "yes")),
        ),
    ),
    "dispute_answered": Fire("The merchant answers a dispute", _answered, (_OPEN_DISPUTE,)),
    "dispute_closed": Fire(
        "The bank decides a dispute", _closed, (_OPEN_DISPUTE, Field("status", "lost", ("lost", "won")))
    ),
    "early_fraud_warning": Fire(
        "The card's issuer reports fraud",
        _warning,
        (_CHARGE, Field("fraud_type", "unauthorized_use_of_card", tuple(name for name, _ in FRAUD_TYPES))),
    ),
    "refund": Fire(
        "The merchant refunds a payment",
        _refund,
        (
            _CHARGE,
            _AMOUNT,
            Field("reason", "requested_by_customer", ("duplicate", "fraudulent", "requested_by_customer")),
        ),
    ),
    "payout_failed": Fire(
        "The bank sends a payout back",
        _payout_failed,
        (Field("payout", "the newest one that is paid"), Field("failure_code", "account_closed", (*PAYOUT_FAILURES,))),
    ),
    "review_opened": Fire("A payment is put under review", _review_opened, (_CHARGE,)),
    "review_closed": Fire(
        "A review ends",
        _review_closed,
        (Field("review", "the newest one made here that is open"), Field("reason", "approved", CLOSED_REASONS)),
    ),
    "reserve_plan": Fire("Stripe announces a rolling reserve", _plan, (Field("percent", "10"), Field("days", "90"))),
    "reserve_plan_disabled": Fire(
        "Stripe ends a reserve and releases its holds", _plan_disabled, (Field("reserve_plan", "the newest one"),)
    ),
    "reserve_hold": Fire(
        "Stripe holds money back",
        _hold,
        (
            Field("amount", "the plan's share of the charge, or 100000, in minor units"),
            Field("charge", "none: of the balance"),
            Field("days", "those of the plan, or 90"),
        ),
    ),
    "reserve_release": Fire(
        "Stripe releases a hold early", _release, (Field("reserve_hold", "the newest one made here"),)
    ),
    "account_restricted": Fire(
        "Stripe stops payments and payouts",
        _restricted,
        (Field("disabled_reason", RESTRICTIONS[0], RESTRICTIONS),),
    ),
    "payouts_paused": Fire("Stripe stops payouts", lambda work, _given: restrictions.pause_payouts(work)),
    "account_restored": Fire(
        "Stripe allows payments and payouts again", lambda work, _given: restrictions.restore(work)
    ),
    "deauthorize": Fire("The merchant disconnects the platform", lambda work, _given: restrictions.deauthorize(work)),
    "app_uninstalled": Fire("The merchant uninstalls the Stripe App", _app_uninstalled),
    "report_run_failed": Fire(
        "A report fails",
        lambda work, given: fail_report(
            work, _newest(work, "reporting.report_run", given, "report_run", status="pending")["id"]
        ),
        (Field("report_run", "the newest one that is pending"),),
    ),
}
