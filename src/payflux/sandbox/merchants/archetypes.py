"""The cast: every simulated merchant as one row of parameters. docs/sandbox.md explains each column."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Archetype:
    """What happens to one merchant. Rates are fractions of successful payments unless said otherwise."""

    name: str
    business: str
    story: str
    url: str
    mcc: str
    country: str = "US"
    currency: str = "usd"  # what it is settled in
    foreign: tuple[tuple[str, float], ...] = ()  # what else customers pay in: currency, share of them
    fee_per_mille: int = 29  # of a payment, and 2 % more where it is converted
    fee_fixed: int = 30
    dispute_fee: int = 1500
    sample: float  # share of the real purchases that this merchant makes
    decline_rate: float = 0.05  # failed attempts / all attempts
    refund_rate: float = 0.03  # payments refunded at some time, in full or in part
    dispute_rate: float = (
        0.002  # disputes a day / payments that day; with escalated warnings, without inquiries and prevented ones
    )
    spike_rate: float = 0.0  # dispute_rate on the days of a spike
    spike_days: int = 0  # the spike began so many days before the anchor and goes on
    inquiry_rate: float = 0.0002  # inquiries that no dispute follows
    prevented_rate: float = 0.0002  # disputes resolved before they were filed
    warning_rate: float = 0.0005  # early fraud warnings
    escalation: float = 0.8  # share of early fraud warnings that a dispute follows
    three_d_secure: float = 0.12  # share of attempts authenticated with 3D Secure
    testing_attempts: int = 0  # attempts of a card-testing attack two days before the anchor
    reserve_rate: float = 0.0  # share of each payment held back in a rolling reserve
    reserve_days: int = 90  # how long each hold lasts
    reserve_since: int = 0  # the reserve began so many days before the anchor
    legacy_reserve: bool = False  # the reserve shows as `reserved_funds`, in the payments balance alone
    closed_since: int = 0  # Stripe stopped charges and payouts so many days before the anchor; 0: not stopped

    @property
    def slug(self) -> str:
        return self.name.replace("-", "_")

    @property
    def account_id(self) -> str:
        return "acct_1Sandbox" + hashlib.blake2b(self.name.encode(), digest_size=4).hexdigest()

    @property
    def restricted_key(self) -> str:
        return f"rk_test_sandbox_{self.slug}"


ARCHETYPES: dict[str, Archetype] = {
    a.name: a
    for a in (
        Archetype(
            name="default",
            business="CDNOW Records",
            story="A music shop whose disputes creep towards the card networks' limits.",
            url="https://cdnow.example",
            mcc="5735",
            sample=1.0,
            decline_rate=0.07,
            refund_rate=0.05,
            dispute_rate=0.0087,
            inquiry_rate=0.0008,
            prevented_rate=0.0006,
            warning_rate=0.003,
        ),
        Archetype(
            name="healthy",
            business="Quiet Harbor Books",
            story="A bookshop with little to worry about: few declines, refunds and disputes.",
            url="https://quietharbor.example",
            mcc="5942",
            sample=0.6,
            decline_rate=0.03,
            refund_rate=0.015,
            dispute_rate=0.001,
            warning_rate=0.0003,
            three_d_secure=0.3,
        ),
        Archetype(
            name="dispute-spike",
            business="Northbeam Electronics",
            story="A late shipment went wrong: disputes have quadrupled in three weeks.",
            url="https://northbeam.example",
            mcc="5732",
            sample=0.7,
            decline_rate=0.06,
            refund_rate=0.06,
            dispute_rate=0.006,
            spike_rate=0.025,
            spike_days=21,
            inquiry_rate=0.001,
            warning_rate=0.003,
        ),
        Archetype(
            name="card-testing",
            business="Little Acorn Gifts",
            story="Two days ago a script tried a thousand stolen cards against its checkout.",
            url="https://littleacorn.example",
            mcc="5947",
            sample=0.4,
            dispute_rate=0.003,
            warning_rate=0.001,
            testing_attempts=1000,
        ),
        Archetype(
            name="reserve-in-force",
            business="Summit Trail Outfitters",
            story="Stripe has held back 10 % of every payment for 90 days, since two months ago.",
            url="https://summittrail.example",
            mcc="5941",
            sample=0.35,
            decline_rate=0.06,
            refund_rate=0.06,
            dispute_rate=0.009,
            warning_rate=0.002,
            reserve_rate=0.10,
            reserve_days=90,
            reserve_since=60,
        ),
        Archetype(
            name="reserve-legacy",
            business="Old Mill Furniture",
            story="A rolling reserve of 15 % for 60 days, shown in Stripe's older form: one movement, no hold objects.",
            url="https://oldmill.example",
            mcc="5712",
            sample=0.1,
            refund_rate=0.05,
            dispute_rate=0.006,
            warning_rate=0.001,
            reserve_rate=0.15,
            reserve_days=60,
            reserve_since=100,
            legacy_reserve=True,
        ),
        Archetype(
            name="gbp-shop",
            business="Fenwick and Daughters",
            story="A British shop that is settled in pounds; a third of its customers pay in euros or dollars.",
            url="https://fenwickdaughters.example",
            mcc="5947",
            country="GB",
            currency="gbp",
            foreign=(("eur", 0.25), ("usd", 0.1)),
            fee_per_mille=15,
            fee_fixed=20,
            dispute_fee=2000,
            sample=0.15,
            refund_rate=0.04,
            dispute_rate=0.005,
            warning_rate=0.001,
        ),
        Archetype(
            name="low-activity",
            business="Harriet's Letterpress",
            story="A studio with about a payment a week: too few for any rate to mean much.",
            url="https://letterpress.example",
            mcc="5970",
            sample=0.00205,
            dispute_rate=0.001,
        ),
        Archetype(
            name="not-ready",
            business="Brand New Bakery",
            story="Verification is past due: Stripe has switched off charges and payouts.",
            url="https://newbakery.example",
            mcc="5462",
            sample=0.002,
            dispute_rate=0.0,
            closed_since=45,
        ),
    )
}

PLATFORM = Archetype(
    name="platform",
    business="PayFlux",
    story="The platform's own account, which takes no payments itself.",
    url="https://payflux.example",
    mcc="5734",
    sample=0.0,
)

APP = Archetype(
    name="app",
    business="PayFlux for Stripe",
    story="The account that publishes the Stripe App, which takes no payments itself.",
    url="https://payflux.example/app",
    mcc="5734",
    sample=0.0,
)
