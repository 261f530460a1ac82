"""The programmes of Mastercard, American Express and AusPayNet, and what Mastercard is reported to change."""

from __future__ import annotations

from datetime import date

from payflux.monitor.processors.codes import Network
from payflux.monitor.risk.rules.programmes.programme import Condition, EventFee, Programme, Step
from payflux.monitor.risk.rules.programmes.regions import STRONG_AUTHENTICATION, Scope

_FIRST_REPLAY = date(2024, 1, 1)
_STRIPE = "docs.stripe.com/disputes/monitoring-programs"
_BRAINTREE = "developer.paypal.com/braintree card-brand-monitoring-programs/mastercard-programs"
_DALENYS = "help.dalenys.com 14654560203548"

_RECOVERY = EventFee("issuer recovery", 500, from_month=4, above=300)


def _ladder(*fines: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((month, amount * 100) for month, amount in fines)


def _chargebacks(name: str, basis_points: int, count: int, fines: tuple[tuple[int, int], ...]) -> Step:
    ratio = Condition("disputes", ">=", basis_points, "previous_payments")
    return Step(name, (ratio, Condition("disputes", ">=", count)), fines, (_RECOVERY,))


_ECM = Programme(
    key="ecm",
    name="Mastercard Excessive Chargeback Program",
    network=Network.MASTERCARD,
    scope=Scope(),
    valid_from=_FIRST_REPLAY,
    valid_to=None,
    counted="disputes",
    base="previous_payments",
    counts="first chargebacks received in the month, whatever the reason, outcome or refund",
    steps=(
        _chargebacks("ECM", 150, 100, _ladder((2, 1_000), (4, 5_000), (7, 25_000), (12, 50_000), (19, 100_000))),
        _chargebacks(
            "HECM", 300, 300, _ladder((2, 1_000), (3, 2_000), (4, 10_000), (7, 50_000), (12, 100_000), (19, 200_000))
        ),
    ),
    months_to_leave=3,
    source=f"{_STRIPE}; {_BRAINTREE}; {_DALENYS}; SPME manual 8.3.1 as cited by processors",
    confidence="processor",
    note="Fines in USD or EUR. In force earlier than its first day here, where replays begin.",
)


def _fraud(minimum: int, basis_points: int, secured: int) -> Step:
    return Step(
        "EFM",
        (
            Condition("previous_payments", ">=", 1_000),
            Condition("fraud_dispute_amount", ">", minimum * 100),
            Condition("fraud_disputes", ">", basis_points, "previous_payments"),
            Condition("secured_payments", "<=", secured, "payments"),
        ),
        _ladder((2, 500), (3, 1_000), (4, 5_000), (7, 25_000), (12, 50_000), (19, 100_000)),
    )


_EXEMPT = frozenset(["CH", "DE", "IN", "LI"])
_EFM = _ECM._replace(
    key="efm",
    name="Mastercard Excessive Fraud Merchant program",
    scope=Scope(excluded=_EXEMPT | STRONG_AUTHENTICATION | {"AU"}),
    counted="fraud_disputes",
    counts="first chargebacks under 4837 and 4863 on e-commerce payments",
    steps=(_fraud(50_000, 50, 1_000),),
    source=f"{_STRIPE}; {_BRAINTREE}; {_DALENYS}",
    precedes=("ecm",),
    note="Fines in USD or EUR. More than 50,000 and 0.50 % by Stripe, at least by Dalenys. The share of 3-D Secure is "
    "taken by number of payments. Not in CH and DE, nor in IN (Stripe) and LI (Dalenys).",
)
_EFM_REGULATED = _EFM._replace(
    scope=Scope(countries=STRONG_AUTHENTICATION, excluded=_EXEMPT), steps=(_fraud(50_000, 50, 5_000),)
)
_EFM_AUSTRALIA = _EFM._replace(scope=Scope(countries=frozenset(["AU"])), steps=(_fraud(15_000, 20, 1_000),))

_GMAP = _ECM._replace(
    key="gmap",
    name="Mastercard GMAP",
    valid_from=date(2027, 4, 1),
    steps=(),
    counts="reported to mix fraud and non-fraud, and to attribute ECM, HECM and EFM by sub-merchant",
    source="justt.ai/blog/mastercard-gmap (2026-09-01); altopay.com/gmap; chargebackgurus.com (2026-07-31)",
    confidence="secondary",
    note="Reported of Mastercard's bulletin GLB 14127.1, which is not public; its figures were not seen.",
)

_AMEX = Programme(
    key="amex",
    name="American Express excessive disputes",
    network=Network.AMEX,
    scope=Scope(),
    valid_from=_FIRST_REPLAY,
    valid_to=None,
    counted="net_disputes",
    base="net_payments",
    counts="disputes less reversals, by number",
    steps=(
        Step(
            "excessive",
            (Condition("net_disputes", ">", 100, "net_payments"),),
            fees=(EventFee("event fee", 2_500, beyond_limit="yes"),),
        ),
    ),
    months_to_leave=1,
    source="chargebackgurus.com; support.paya.com",
    confidence="secondary",
    months_to_enter=3,
    note="In force earlier than its first day here. One month to leave is assumed.",
)

_AUSPAYNET = Programme(
    key="auspaynet",
    name="AusPayNet card-not-present fraud mitigation framework",
    network=None,
    scope=Scope(countries=frozenset(["AU"])),
    valid_from=_FIRST_REPLAY,
    valid_to=None,
    counted="fraud_dispute_amount",
    base="sales_amount",
    counts="amounts of card-not-present fraud in a quarter",
    steps=(
        Step(
            "in breach",
            (
                Condition("fraud_dispute_amount", ">", 5_000_000),
                Condition("fraud_dispute_amount", ">=", 20, "sales_amount"),
            ),
        ),
    ),
    months_to_leave=1,
    source=_STRIPE,
    confidence="processor",
    period_months=3,
    currency="aud",
    note="No fine: strong authentication on every payment in the third quarter, off-boarding from the fourth. One "
    "quarter to leave is assumed, and that fraud is taken from fraud disputes.",
)

MASTERCARD: tuple[Programme, ...] = (_ECM, _EFM, _EFM_REGULATED, _EFM_AUSTRALIA, _GMAP)
OTHERS: tuple[Programme, ...] = (_AMEX, _AUSPAYNET)
