"""Where a merchant stands in a programme: step reached, months in it, this month's fines and the months to leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

from payflux.kit.phrases import Phrase, figure, say
from payflux.monitor.risk.rules.programmes.programme import EventFee, Month, Programme, Quantity, Step
from payflux.monitor.risk.rules.programmes.registry import programme

_FIRST_BREACH_MONTHS = 12


class Charge(NamedTuple):
    """One kind of money a programme takes for a month, as a range where sources conflict; minor units."""

    kind: Literal["fine", "event fee", "issuer recovery"]
    low: int
    high: int
    basis: str


class Status(NamedTuple):
    """A merchant's standing in the phase in force in the last month given.

    `months_in_programme` counts the months over an enrolling step since it was entered; months below do not count,
    and start it anew once `months_to_leave` of them followed each other (Dalenys on Mastercard). `months_to_leave`
    is how many more of them are needed, 0 outside. `unknown` names the figures that a step could not be judged for.
    `replaced_by` is the programme whose fines stand instead of these.
    """

    programme: Programme
    step: Step | None
    months_in_programme: int
    months_to_leave: int
    charges: tuple[Charge, ...]
    unknown: tuple[Quantity, ...]
    replaced_by: str = ""

    @property
    def enrolled(self) -> bool:
        """Whether this month's figures are those of a merchant in the programme."""
        return self.step is not None and self.step.enrols and self.months_in_programme > 0

    @property
    def fine(self) -> tuple[int, int]:
        """The month's fines and fees together, lowest and highest reading; minor units of the programme's currency."""
        return sum(charge.low for charge in self.charges), sum(charge.high for charge in self.charges)


def step_reached(phase: Programme, month: Month, previous: Month | None = None) -> Step | None:
    """The most severe step of which every condition holds and none is unknown, or None."""
    reached = [step for step in phase.steps if all(c.holds(month, previous) for c in step.conditions)]
    return reached[-1] if reached else None


def status(key: str, months: Sequence[Month], country: str = "", *, running: bool = False) -> Status | None:
    """Replay programme `key` over consecutive `months`, oldest first, each by the phase in force in it.

    The last month is the one asked about; `running` says that it is not over: it can add a breach, but not complete
    the months to leave. None without months or when the programme is not in force in the last one. ValueError when a
    month is missing in between. Whoever counts other than calendar months (United States accounts' disputes from the
    5th to the 5th) does so before.
    """
    if not months:
        return None
    phase = programme(key, _first_day(months[-1]), country)
    if phase is None:
        return None
    rows = _by_period(months, phase.period_months)
    running = running or (months[-1].month + 1) % phase.period_months > 0
    standing = _Standing()
    for previous, row in zip([None, *rows], rows, strict=False):
        then = programme(key, _first_day(row), country)
        last = row is rows[-1]
        standing = standing.after(then, row, previous, running=running and last) if then else _Standing()
    previous = rows[-2] if len(rows) > 1 else None
    step, inside = step_reached(phase, rows[-1], previous), standing.inside
    charged = step is not None and step.enrols and inside > 0 and phase.subject == "merchant"
    return Status(
        programme=phase,
        step=step,
        months_in_programme=inside,
        months_to_leave=phase.months_to_leave - standing.below if inside else 0,
        charges=_charges(phase, step, rows[-1], previous, standing) if step is not None and charged else (),
        unknown=_unknown(phase, rows[-1], previous),
    )


def with_precedence(statuses: Sequence[Status]) -> tuple[Status, ...]:
    """The same statuses, without the fines of a programme whose place another one takes this month.

    A merchant in EFM and in ECM in the same month pays EFM's alone (Braintree).
    """
    taken = {key: s.programme.name for s in statuses if s.enrolled for key in s.programme.precedes}
    return tuple(
        s._replace(charges=(), replaced_by=taken[s.programme.key]) if s.programme.key in taken else s for s in statuses
    )


class _Standing(NamedTuple):
    """What is carried from period to period: breaches in a row, those counted inside, periods below since the last."""

    streak: int = 0
    inside: int = 0
    below: int = 0
    last_breach: int | None = None  # the month
    first_breach: bool = True  # of this stay, in twelve months

    def after(self, phase: Programme, row: Month, previous: Month | None, *, running: bool) -> _Standing:
        step = step_reached(phase, row, previous)
        if step is not None and step.enrols:
            return self._breached(phase, row.month)
        if running or _enrolment_unknown(phase, row, previous):
            return self
        below = self.below + 1 if self.inside else 0
        if below >= phase.months_to_leave:
            return self._replace(streak=0, inside=0, below=0)
        return self._replace(streak=0, below=below)

    def _breached(self, phase: Programme, month: int) -> _Standing:
        streak = self.streak + 1
        if self.inside:
            return self._replace(streak=streak, inside=self.inside + 1, below=0, last_breach=month)
        first = self.first_breach if streak > 1 else self._is_first(month)
        inside = int(streak >= phase.months_to_enter)
        return _Standing(streak, inside, 0, month, first)

    def _is_first(self, month: int) -> bool:
        return self.last_breach is None or month - self.last_breach > _FIRST_BREACH_MONTHS


def _enrolment_unknown(phase: Programme, row: Month, previous: Month | None) -> bool:
    """Whether an enrolling step may hold or not: nothing known speaks against it, and something is not known."""
    for step in phase.steps:
        held = [condition.holds(row, previous) for condition in step.conditions]
        if step.enrols and False not in held and None in held:
            return True
    return False


def _unknown(phase: Programme, row: Month, previous: Month | None) -> tuple[Quantity, ...]:
    names: dict[Quantity, None] = {}
    for step in phase.steps:
        for condition in step.conditions:
            if condition.holds(row, previous) is None:
                missing = row.get(condition.quantity, previous) is None
                names[condition.quantity if missing else condition.of or condition.quantity] = None
    return tuple(names)


def _charges(
    phase: Programme, step: Step, row: Month, previous: Month | None, standing: _Standing
) -> tuple[Charge, ...]:
    inside = standing.inside
    found = []
    fine = max((amount for month, amount in step.fines if inside >= month), default=0)
    if fine:
        found.append(Charge("fine", fine, fine, _month_inside(step, inside)))
    grace = standing.first_breach and inside <= phase.grace_months
    events = row.get(phase.counted, previous) or 0
    for fee in step.fees:
        if inside >= fee.from_month:
            outside = _last_outside(phase, step, row, previous)
            found.append(_fee_charge(fee, events, outside, grace=grace))
    return tuple(charge for charge in found if charge.high)


def _month_inside(step: Step, inside: int) -> Phrase:
    return say("%(step)s, month %(month)s in the programme", step=step.name, month=inside)


def _fee_charge(fee: EventFee, events: int, outside: int, *, grace: bool) -> Charge:
    every, beyond = max(0, events - fee.above), max(0, events - max(fee.above, outside))
    low = 0 if grace else every if fee.beyond_limit == "no" else beyond
    high = beyond if fee.beyond_limit == "yes" else every
    few, many = figure(f"{low:,}"), figure(f"{high:,}")
    numbers = few if low == high else say("%(low)s to %(high)s", low=few, high=many)
    amount = figure(f"{fee.amount / 100:g}")
    if grace:
        basis = say("%(amount)s for each of %(numbers)s events, with or without grace", amount=amount, numbers=numbers)
    else:
        basis = say("%(amount)s for each of %(numbers)s events", amount=amount, numbers=numbers)
    return Charge(fee.kind, low * fee.amount, high * fee.amount, basis)


def _last_outside(phase: Programme, step: Step, row: Month, previous: Month | None) -> int:
    """The highest count of events that does not yet meet the step's own bounds on them."""
    bounds = [c.needed(row, previous) or 0 for c in step.conditions if c.quantity == phase.counted]
    return max(bounds, default=1) - 1


def _first_day(month: Month) -> date:
    return date(1970 + month.month // 12, month.month % 12 + 1, 1)


def _by_period(months: Sequence[Month], length: int) -> list[Month]:
    """`months` checked to follow each other and, in programmes that look at quarters, summed by calendar quarter.

    A quarter that `months` begin in the middle of is left out, unless it is the only one.
    """
    for earlier, later in pairwise(months):
        if later.month != earlier.month + 1:
            raise ValueError("months follow each other without a gap, oldest first")
    if length == 1:
        return list(months)
    periods: dict[int, list[Month]] = {}
    for month in months:
        periods.setdefault(month.month // length, []).append(month)
    if len(periods) > 1 and months[0].month % length:
        del periods[months[0].month // length]
    return [_total(period * length, rows) for period, rows in periods.items()]


def _total(first: int, rows: Sequence[Month]) -> Month:
    figures = zip(*(row[1:] for row in rows), strict=True)
    return Month._make((first, *(None if None in column else sum(column) for column in figures)))
