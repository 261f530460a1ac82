"""Visa's programmes since 2024: VDMP and VFMP, VAMP and its phases, enumeration, Visa Secure, and what is announced."""

from __future__ import annotations

from datetime import date

from payflux.monitor.processors.codes import Network
from payflux.monitor.risk.rules.programmes.programme import Condition, EventFee, Programme, Step
from payflux.monitor.risk.rules.programmes.regions import Scope

_FIRST_REPLAY = date(2024, 1, 1)
_VAMP_STARTS = date(2025, 4, 1)
_STRIPE = "docs.stripe.com/disputes/monitoring-programs"
_PAYPAL = "securepayments.paypal.com/us/brc/article/fall-2025-release-guide"
_CHECKOUT = "support.checkout.com article 23330844282514"
_THOUSAND_USD = 100_000


def _by_count(name: str, basis_points: int, disputes: int, *fees: EventFee, enrols: bool = True) -> Step:
    ratio = Condition("disputes", ">=", basis_points, "payments")
    return Step(name, (ratio, Condition("disputes", ">=", disputes)), fees=fees, enrols=enrols)


_VDMP = Programme(
    key="vdmp",
    name="Visa Dispute Monitoring Program",
    network=Network.VISA,
    scope=Scope(),
    valid_from=_FIRST_REPLAY,
    valid_to=_VAMP_STARTS,
    counted="disputes",
    base="payments",
    counts="disputes of the month, whatever became of them",
    steps=(
        _by_count("early warning", 65, 75, enrols=False),
        _by_count("standard", 90, 100, EventFee("event fee", 5_000, from_month=5)),
        _by_count("excessive", 180, 1_000, EventFee("event fee", 5_000)),
    ),
    months_to_leave=3,
    source="help.dalenys.com 14654118795548; checkout.com/blog/what-is-the-visa-fraud-monitoring-program (fees)",
    confidence="processor",
    note="In force earlier than its first day here, where replays begin. Three months to leave are assumed.",
)


def _by_fraud(name: str, basis_points: int, thousand: int, *fines: tuple[int, int], enrols: bool = True) -> Step:
    ratio = Condition("fraud_report_amount", ">=", basis_points, "sales_amount")
    amount = Condition("fraud_report_amount", ">=", thousand * _THOUSAND_USD)
    return Step(name, (ratio, amount), tuple((month, fine * _THOUSAND_USD) for month, fine in fines), enrols=enrols)


_VFMP = _VDMP._replace(
    key="vfmp",
    name="Visa Fraud Monitoring Program",
    counted="fraud_report_amount",
    base="sales_amount",
    counts="amounts of fraud reported by issuers (TC40)",
    steps=(
        _by_fraud("early warning", 65, 50, enrols=False),
        _by_fraud("standard", 90, 75, (5, 25), (7, 50), (10, 75)),
        _by_fraud("excessive", 180, 250, (1, 10), (4, 25), (7, 50), (10, 75)),
    ),
    source="help.dalenys.com 14654118795548; docs.acquired.com (fines, reported only there)",
    note="In force earlier than its first day here. Assumed: three months to leave; from month 10 the excessive step "
    "costs as much as the standard one; the last known fine stays.",
)

_NON_COMPLIANT = Step(
    "non-compliant",
    (Condition("vamp_events", ">=", 50, "payments"), Condition("vamp_events", ">=", 5)),
    enrols=False,
)
_VAMP_FEE = EventFee("event fee", 800, beyond_limit="disputed")


def _excessive(basis_points: int, events: int, *more: Condition, fined: bool) -> Step:
    both = (Condition("vamp_events", ">=", basis_points, "payments"), Condition("vamp_events", ">=", events))
    return Step("excessive", (*both, *more), fees=(_VAMP_FEE,) if fined else ())


_VAMP_NOTE = (
    "Stripe: fees may be assessed when non-compliant, amounts not stated. The 8 USD are charged on every event "
    "(merchantcostconsulting.com) or on the excess (merchantgreat.com); three months' grace is reported by vendors."
)
_VAMP = Programme(
    key="vamp",
    name="Visa Acquirer Monitoring Program",
    network=Network.VISA,
    scope=Scope(regions=frozenset(["AP", "CA", "EU", "US"])),
    valid_from=_VAMP_STARTS,
    valid_to=date(2025, 6, 1),
    counted="vamp_events",
    base="payments",
    counts="disputes (TC15) and fraud reports (TC40) on card-not-present payments, a fraud in both counted twice; not "
    "those that pre-dispute products resolved within the month",
    steps=(_NON_COMPLIANT,),
    months_to_leave=1,
    source=_STRIPE,
    confidence="processor",
    grace_months=3,
    note=_VAMP_NOTE,
)
_VAMP_OPEN = _VAMP._replace(source=f"{_STRIPE}; {_PAYPAL}; {_CHECKOUT}")
_CEMEA = _VAMP._replace(
    scope=Scope(regions=frozenset(["CEMEA"])),
    source=f"{_STRIPE}; {_CHECKOUT}",
    note=f"Stripe: 150 events and 75,000 USD; Checkout.com: more than 100 events. {_VAMP_NOTE}",
)
_CEMEA_AMOUNT = Condition("vamp_amount", ">=", 75 * _THOUSAND_USD)
_LAC = _VAMP._replace(
    scope=Scope(regions=frozenset(["LAC"])),
    source=f"{_STRIPE}; a vendor's page of 2025 (1.5 % from the start)",
    confidence="secondary",
    note=f"Payments within Brazil are reported to be exempt. {_VAMP_NOTE}",
)


def _phase(programme: Programme, start: date, end: date | None, excessive: Step) -> Programme:
    return programme._replace(valid_from=start, valid_to=end, steps=(_NON_COMPLIANT, excessive))


_JUNE, _OCTOBER, _APRIL = date(2025, 6, 1), date(2025, 10, 1), date(2026, 4, 1)
_VAMP_PHASES = (
    _VAMP,
    _phase(_VAMP_OPEN, _JUNE, _OCTOBER, _excessive(220, 1_500, fined=False)),
    _phase(_VAMP_OPEN, _OCTOBER, _APRIL, _excessive(220, 1_500, fined=True)),
    _phase(_VAMP_OPEN, _APRIL, None, _excessive(150, 1_500, fined=True)),
    _CEMEA,
    _phase(_CEMEA, _JUNE, _OCTOBER, _excessive(220, 150, _CEMEA_AMOUNT, fined=False)),
    _phase(_CEMEA, _OCTOBER, None, _excessive(220, 150, _CEMEA_AMOUNT, fined=True)),
    _LAC,
    _phase(_LAC, _JUNE, _OCTOBER, _excessive(150, 1_500, fined=False)),
    _phase(_LAC, _OCTOBER, None, _excessive(150, 1_500, fined=True)),
)


def _acquirer(name: str, basis_points: int, fee: int = 0) -> Step:
    fees = (EventFee("event fee", fee),) if fee else ()
    return Step(name, (Condition("vamp_events", ">=", basis_points, "payments"),), fees=fees, enrols=bool(fee))


_ACQUIRER_2025 = _VAMP._replace(
    key="vamp_acquirer",
    name="Visa Acquirer Monitoring Program: the acquirer's own lines",
    scope=Scope(),
    valid_from=_OCTOBER,
    valid_to=date(2026, 1, 1),
    steps=(_acquirer("early warning", 40), _acquirer("excessive", 70, 800)),
    source=_PAYPAL,
    grace_months=0,
    subject="acquirer",
    note="Of the acquirer's whole portfolio: why a processor acts on a merchant far below the merchant's own limit.",
)
_ACQUIRER = _ACQUIRER_2025._replace(
    valid_from=date(2026, 1, 1),
    valid_to=None,
    steps=(_acquirer("early warning", 40), _acquirer("above standard", 50, 400), _acquirer("excessive", 70, 800)),
)

_ENUMERATION = _VAMP._replace(
    key="vamp_enumeration",
    name="Visa Acquirer Monitoring Program: enumeration",
    scope=Scope(),
    valid_to=None,
    counted="enumerated",
    base="authorisations",
    counts="authorisations, approved or declined, that Visa's own model takes for card testing",
    steps=(
        Step(
            "enumeration",
            (Condition("enumerated", ">=", 300_000), Condition("enumerated", ">=", 2_000, "authorisations")),
        ),
    ),
    source=_STRIPE,
    grace_months=0,
    visible=False,
    note="No fines. Visa's own model decides. Starts with VAMP, assumed.",
)

_VISA_SECURE = _VAMP._replace(
    key="visa_secure",
    name="Visa Secure Excessive Fraud Program",
    scope=Scope(countries=frozenset(["US"])),
    valid_to=None,
    counted="secured_fraud_amount",
    base="secured_amount",
    counts="amounts of fraud reported on payments authenticated by 3-D Secure",
    steps=(
        Step(
            "excessive",
            (
                Condition("secured_fraud_amount", ">=", 75 * _THOUSAND_USD),
                Condition("secured_fraud_amount", ">=", 90, "secured_amount"),
            ),
        ),
    ),
    source=_STRIPE,
    grace_months=0,
    note="No fine: the liability shift of domestic 3-D Secure payments is lost. Starts with VAMP, assumed.",
)

_MERP = _VAMP._replace(
    key="merp",
    name="Visa MERP",
    scope=Scope(regions=frozenset(["AP"])),
    valid_from=date(2026, 10, 1),
    valid_to=None,
    counts="fraud, disputes, abnormal activity and declines of a single merchant, early and without high volume",
    steps=(),
    source="razorpay.com/docs/payments/international-payments/visa-merp.md",
    confidence="unconfirmed",
    grace_months=0,
    note="Announced; its figures were not seen.",
)

VISA: tuple[Programme, ...] = (
    _VDMP,
    _VFMP,
    *_VAMP_PHASES,
    _ACQUIRER_2025,
    _ACQUIRER,
    _ENUMERATION,
    _VISA_SECURE,
    _MERP,
)
