"""What happens to a payment afterwards: refunds, early fraud warnings and disputes.

Disputes and warnings are made to a quota: each day owes `rate x payments of that day`, fractions carry over, and every
whole one falls on an earlier payment at a lag drawn from a curve. Disputes that a warning announced count towards the
quota. So a rate holds in every month, by construction, where a draw for each payment would let it wander by a third.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from payflux.sandbox.merchants.archetypes import Archetype
from payflux.sandbox.merchants.chance import Chance, quantile
from payflux.sandbox.merchants.purchases import DAY, Calendar, midnight
from payflux.sandbox.merchants.tables import Charge, Course, Dispute, FraudWarning, Refund, Table

# (probability, days after the payment)
REFUND_LAG = ((0.0, 0.01), (0.25, 1.0), (0.5, 4.0), (0.75, 11.0), (0.9, 25.0), (0.97, 45.0), (1.0, 90.0))
DISPUTE_LAG = (
    (0.0, 2.0),
    (0.1, 8.0),
    (0.3, 18.0),
    (0.5, 30.0),
    (0.7, 48.0),
    (0.85, 70.0),
    (0.95, 100.0),
    (1.0, 120.0),
)
WARNING_LAG = ((0.0, 0.5), (0.3, 4.0), (0.6, 10.0), (0.9, 30.0), (1.0, 60.0))
ESCALATION_LAG = ((0.0, 5.0), (0.5, 9.0), (1.0, 14.0))  # days from warning to dispute
ANSWER_LAG = ((0.0, 1.0), (0.5, 7.0), (1.0, 18.0))  # days from dispute to the merchant's evidence
DECISION_LAG = ((0.0, 35.0), (0.5, 60.0), (1.0, 75.0))  # days from dispute to the issuer's decision

DUE_DAYS = 20  # for evidence
ANSWERED = 0.6  # share of disputes that the merchant answers
WON = 0.4  # share of the answered disputes that it wins
PARTIAL_REFUND = 0.15  # share of refunds over a part of the amount
PARTIAL_DISPUTE = 0.08

REFUND_REASONS = (("requested_by_customer", 0.86), ("duplicate", 0.06), ("fraudulent", 0.08))
# reason, share, Visa's reason code
DISPUTE_REASONS = (
    ("fraudulent", 0.5, "10.4"),
    ("product_not_received", 0.2, "13.1"),
    ("product_unacceptable", 0.1, "13.3"),
    ("credit_not_processed", 0.08, "13.6"),
    ("duplicate", 0.05, "12.6.1"),
    ("unrecognized", 0.04, "10.4"),
    ("general", 0.03, "13.7"),
)
FRAUDULENT = 0
FRAUD_TYPES = (
    ("unauthorized_use_of_card", 0.68),
    ("made_with_stolen_card", 0.18),
    ("made_with_lost_card", 0.06),
    ("made_with_counterfeit_card", 0.05),
    ("misc", 0.03),
)


def _weights(table: tuple) -> tuple[float, ...]:
    return tuple(row[1] for row in table)


class Aftermath:
    """The refunds, warnings and disputes of `charges`, day by day up to `horizon`; none on those whose keys are in
    `amended`."""

    def __init__(
        self,
        archetype: Archetype,
        calendar: Calendar,
        horizon: date,
        charges: Table[Charge],
        amended: frozenset[int] = frozenset(),
    ) -> None:
        self.archetype, self.calendar, self.horizon = archetype, calendar, horizon
        self.chance = Chance(f"aftermath/{archetype.name}")
        self.ids = Chance(f"ids/{archetype.name}/{calendar.anchor}")
        self.charges = charges.data
        self.paid = np.flatnonzero(self.charges["paid"])  # row numbers, in order of time
        self.paid_at = self.charges["created"][self.paid]
        self.taken: set[int] = set()  # charges that already have a story
        self._amended = {row for row in map(charges.find, amended) if row is not None}
        self._refunds: list[dict[str, np.ndarray]] = [self._refunded()]
        self._warnings: list[tuple[int, ...]] = []
        self._disputes: list[tuple[int, ...]] = []
        self._tell()
        self.refunds: Table[Refund] = Table(
            Refund, {name: np.concatenate([part[name] for part in self._refunds]) for name in self._refunds[0]}
        )
        self.warnings: Table[FraudWarning] = Table(FraudWarning, _columns(FraudWarning._fields, self._warnings))
        self.disputes: Table[Dispute] = Table(Dispute, _columns(Dispute._fields, self._disputes))

    def _refunded(self) -> dict[str, np.ndarray]:
        keys = self.charges["key"][self.paid]
        # The draw is made on the rank of the payment, not on its id, so that it is the same for every anchor.
        ranks = np.arange(len(keys))
        chosen = self.chance.uniform("refunded", ranks) < self.archetype.refund_rate
        rows, ranks = self.paid[chosen], ranks[chosen]
        self.taken.update(rows.tolist())
        amount = self.charges["amount"][rows]
        part = (amount * (0.2 + 0.6 * self.chance.uniform("part", ranks))).astype(np.int64)
        partial = self.chance.uniform("partial", ranks) < PARTIAL_REFUND
        lag = quantile(REFUND_LAG, self.chance.uniform("refund-lag", ranks)) * DAY
        return {
            "created": self.paid_at[chosen] + lag.astype(np.int64),
            "key": self.ids.bits("refund", self.charges["key"][rows]),
            "charge": rows,
            "amount": np.where(partial, np.maximum(part, 1), amount),
            "reason": self.chance.choice("refund-reason", ranks, _weights(REFUND_REASONS)),
            "movement": np.full(len(rows), -1),
        }

    def _tell(self) -> None:
        """Walk through the days; whatever a day decides depends on nothing later."""
        a = self.archetype
        owed = dict.fromkeys(("warning", "dispute", "inquiry", "prevented"), 0.0)
        rates = {"warning": a.warning_rate, "inquiry": a.inquiry_rate, "prevented": a.prevented_rate}
        rates["dispute"] = 0.0
        escalations: dict[int, list[tuple[int, int]]] = {}  # by day number: (time, charge)
        spike_from = self.calendar.anchor - timedelta(days=a.spike_days)
        days = (self.horizon - self.calendar.first).days + 1
        payments = np.histogram(self.paid_at, midnight(self.calendar.first) + np.arange(days + 1) * DAY)[0].tolist()
        for number, volume in enumerate(payments):
            day = self.calendar.first + timedelta(days=number)
            spike = a.spike_days and day >= spike_from
            # Escalated warnings are part of the dispute rate.
            rates["dispute"] = (a.spike_rate if spike else a.dispute_rate) - a.warning_rate * a.escalation
            for what, rate in rates.items():
                owed[what] += rate * volume
            for at, charge in self._fallen(owed, "warning", day, WARNING_LAG):
                self._warn(at, charge, escalations)
            for at, charge in escalations.pop(number, ()):
                self._dispute(at, charge, Course.CHARGEBACK, FRAUDULENT)
            for what, course in (
                ("dispute", Course.CHARGEBACK),
                ("inquiry", Course.INQUIRY),
                ("prevented", Course.PREVENTED),
            ):
                for at, charge in self._fallen(owed, what, day, DISPUTE_LAG):
                    self._dispute(at, charge, course)

    def _fallen(self, owed: dict[str, float], what: str, day: date, lag: tuple) -> Iterator[tuple[int, int]]:
        """The whole events that `day` owes, each as its time and the payment it falls on."""
        number = 0
        while owed[what] >= 1:
            owed[what] -= 1
            key = ((day - self.calendar.first).days << 8) | number
            number += 1
            at = midnight(day) + int(self.chance.draw(f"{what}-time", key) * DAY)
            age = float(quantile(lag, self.chance.draw(f"{what}-lag", key))) * DAY
            charge = self._free_payment(at - int(age))
            if charge is not None:
                yield at, charge

    def _free_payment(self, before: int) -> int | None:
        """The last payment at or before `before` that has no story yet; it is taken from now on."""
        place = int(np.searchsorted(self.paid_at, before, side="right")) - 1
        for charge in self.paid[max(place - 200, 0) : place + 1][::-1].tolist():
            if charge not in self.taken and charge not in self._amended:
                self.taken.add(charge)
                return charge
        return None

    def _draw(self, stream: str, charge: int) -> float:
        return self.chance.draw(stream, int(self.charges["key"][charge]))

    def _id(self, stream: str, charge: int) -> int:
        return int(self.ids.bits(stream, self.charges["key"][charge : charge + 1])[0])

    def _pick(self, stream: str, charge: int, table: tuple) -> int:
        return int(self.chance.choice(stream, self.charges["key"][charge : charge + 1], _weights(table))[0])

    def _warn(self, at: int, charge: int, escalations: dict[int, list[tuple[int, int]]]) -> None:
        self._warnings.append((at, self._id("warning", charge), charge, self._pick("fraud-type", charge, FRAUD_TYPES)))
        # Systematic, not drawn: four of every five, so that the dispute rate stays on its quota.
        number, share = len(self._warnings), self.archetype.escalation
        if int(number * share) > int((number - 1) * share):
            then = at + int(float(quantile(ESCALATION_LAG, self._draw("escalation-lag", charge))) * DAY)
            number = (then - midnight(self.calendar.first)) // DAY
            escalations.setdefault(number, []).append((then, charge))

    def _dispute(self, at: int, charge: int, course: int, reason: int | None = None) -> None:
        amount = int(self.charges["amount"][charge])
        if course == Course.PREVENTED:
            self._refund_prevented(at, charge, amount)
        elif self._draw("partial-dispute", charge) < PARTIAL_DISPUTE:
            amount = max(int(amount * (0.3 + 0.6 * self._draw("disputed-part", charge))), 1)
        due_by = midnight_after(at + DUE_DAYS * DAY) - 1
        answered = course != Course.PREVENTED and self._draw("answered", charge) < ANSWERED
        answered_at = at + int(float(quantile(ANSWER_LAG, self._draw("answer-lag", charge))) * DAY) if answered else 0
        decided_at = at + int(float(quantile(DECISION_LAG, self._draw("decision-lag", charge))) * DAY)
        won = answered and course == Course.CHARGEBACK and self._draw("won", charge) < WON
        if reason is None:
            reason = self._pick("dispute-reason", charge, DISPUTE_REASONS)
        self._disputes.append(
            (
                at,
                self._id("dispute", charge),
                charge,
                amount,
                reason,
                course,
                due_by,
                answered_at,
                decided_at if answered else due_by + 1,
                int(won),
                -1,
                -1,
            )
        )

    def _refund_prevented(self, at: int, charge: int, amount: int) -> None:
        """Resolving a dispute before it is filed gives the money back."""
        row = (at + 60, self._id("refund", charge), charge, amount, 2, -1)
        self._refunds.append(_columns(Refund._fields, [row]))


def midnight_after(at: int) -> int:
    """The next start of a day, UTC, after `at`."""
    return at - at % DAY + DAY


def _columns(fields: tuple[str, ...], rows: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    matrix = np.array(rows, dtype=np.int64).reshape(len(rows), len(fields))
    return dict(zip(fields, matrix.T, strict=True))
