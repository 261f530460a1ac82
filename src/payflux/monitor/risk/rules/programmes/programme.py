"""What a network's monitoring programme is: conditions on a month's figures, steps, fines and dates, as data."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from payflux.monitor.processors.codes import Network
from payflux.monitor.risk.rules.programmes.regions import Scope

Confidence = Literal["processor", "secondary", "unconfirmed"]
"""`processor`: read in a network's or processor's own page. `secondary`: only reported by others. `unconfirmed`:
announced, its figures not seen."""

Quantity = Literal[
    "payments",
    "previous_payments",  # of the month before
    "net_payments",  # less credits
    "sales_amount",
    "secured_payments",  # authenticated by 3-D Secure
    "secured_amount",
    "authorisations",
    "disputes",
    "net_disputes",  # less reversals
    "fraud_disputes",
    "fraud_dispute_amount",
    "fraud_reports",
    "fraud_report_amount",
    "secured_fraud_amount",
    "vamp_events",  # disputes and fraud reports; one fraud can be both
    "vamp_amount",
    "enumerated",
]

BASIS_POINTS = 10_000


class Month(NamedTuple):
    """One month's plain figures of one network; None is "not known", which no condition is judged on.

    `month` counts calendar months since January 1970. Counts are of the network's payments that the programme looks
    at; disputes without inquiries and prevented ones. Amounts are minor units of the programme's currency.
    """

    month: int
    payments: int = 0
    disputes: int = 0
    fraud_reports: int = 0
    fraud_disputes: int = 0
    reversals: int = 0
    credits: int = 0
    sales_amount: int | None = None
    vamp_amount: int | None = None
    fraud_report_amount: int | None = None
    fraud_dispute_amount: int | None = None
    secured_payments: int | None = None
    secured_amount: int | None = None
    secured_fraud_amount: int | None = None
    authorisations: int | None = None
    enumerated: int | None = None

    @property
    def vamp_events(self) -> int:
        return self.disputes + self.fraud_reports

    @property
    def net_disputes(self) -> int:
        return max(0, self.disputes - self.reversals)

    @property
    def net_payments(self) -> int:
        return max(0, self.payments - self.credits)

    def get(self, quantity: Quantity, previous: Month | None) -> int | None:
        """The figure named `quantity`; `previous` is the month before, needed for its payments alone."""
        if quantity == "previous_payments":
            return previous.payments if previous is not None and previous.month == self.month - 1 else None
        return getattr(self, quantity)


class Condition(NamedTuple):
    """One bound of a step: on a figure itself, or on its ratio to `of` in basis points."""

    quantity: Quantity
    comparison: Literal[">=", ">", "<="]
    bound: int  # events, minor units, or basis points of `of`
    of: Quantity | None = None

    def holds(self, month: Month, previous: Month | None = None) -> bool | None:
        """Whether the month meets it, in exact integers; None when a figure is not known or there is no `of`."""
        value = month.get(self.quantity, previous)
        bound, scale = self._bound(month, previous)
        if value is None or bound is None:
            return None
        if self.comparison == "<=":
            return value * scale <= bound
        return value * scale > bound if self.comparison == ">" else value * scale >= bound

    def needed(self, month: Month, previous: Month | None = None) -> int | None:
        """The smallest whole figure that meets a lower bound; None when it cannot be said or the bound is an upper."""
        bound, scale = self._bound(month, previous)
        if bound is None or self.comparison == "<=":
            return None
        return bound // scale + 1 if self.comparison == ">" else -(-bound // scale)

    def _bound(self, month: Month, previous: Month | None) -> tuple[int | None, int]:
        """What the figure times the second number is compared with."""
        if self.of is None:
            return self.bound, 1
        base = month.get(self.of, previous)
        return (self.bound * base if base else None), BASIS_POINTS


class EventFee(NamedTuple):
    """A charge for each event, from that month in the programme on.

    `above` events of the month are free. `beyond_limit`: only events beyond the last count that stays outside the
    step are charged; "disputed" means that sources conflict, and both readings are computed.
    """

    kind: Literal["event fee", "issuer recovery"]
    amount: int  # minor units each
    from_month: int = 1
    above: int = 0
    beyond_limit: Literal["no", "yes", "disputed"] = "no"


class Step(NamedTuple):
    """One level of a programme: all its conditions must hold in one month. A step that does not enrol only warns.

    `fines` are (from month in the programme, minor units); the last one stays.
    """

    name: str
    conditions: tuple[Condition, ...]
    fines: tuple[tuple[int, int], ...] = ()
    fees: tuple[EventFee, ...] = ()
    enrols: bool = True


class Programme(NamedTuple):
    """One phase of a network's programme, in force from `valid_from` until before `valid_to`.

    `network` None means all cards. `counted` is what the programme counts, in words in `counts`; `base` is what its
    ratio divides by. Steps go from mild to severe; none means that the figures are not known. `precedes` names
    programmes whose fines this one replaces in the same month. `grace_months` of a first breach in twelve months are
    free by some reports. A programme about the acquirer is context: it never reaches a merchant. What it counts is
    not `visible` where only the network can tell it, so that any figure of ours is a proxy.
    """

    key: str
    name: str
    network: Network | None
    scope: Scope
    valid_from: date
    valid_to: date | None
    counted: Quantity
    base: Quantity
    counts: str
    steps: tuple[Step, ...]
    months_to_leave: int  # consecutive periods below the enrolling steps
    source: str
    confidence: Confidence
    months_to_enter: int = 1
    grace_months: int = 0
    period_months: int = 1
    precedes: tuple[str, ...] = ()
    subject: Literal["merchant", "acquirer"] = "merchant"
    visible: bool = True
    currency: str = "usd"
    note: str = ""

    @property
    def sets_tier(self) -> bool:
        """Whether a step of it may set a risk tier: only what a processor's own page states about merchants, on
        figures that can be seen."""
        stated = self.confidence == "processor" and bool(self.steps)
        return stated and self.visible and self.subject == "merchant"

    def in_force(self, day: date, country: str) -> bool:
        """Whether it applies to a merchant of `country` (ISO 3166, empty: unknown) on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to) and self.scope.covers(country)
