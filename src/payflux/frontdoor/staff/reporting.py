"""The numbers that whoever runs PayFlux looks at each day and each week. As the system role throughout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.billing.revenue import paying_accounts
from payflux.frontdoor.funnel.events import (
    CheckoutCompleted,
    FeatureGateBlocked,
    MonthlyRevenueChanged,
    RegisterCompleted,
    TrialStarted,
    WelcomeWizardSkipped,
    WelcomeWizardStepCompleted,
)
from payflux.frontdoor.funnel.models import RecordedEvent

DAYS, WEEKS = 14, 8
WIZARD_STEPS = (1, 2, 3)

_TOLD = (
    CheckoutCompleted,
    FeatureGateBlocked,
    MonthlyRevenueChanged,
    RegisterCompleted,
    TrialStarted,
    WelcomeWizardSkipped,
    WelcomeWizardStepCompleted,
)


@dataclass(frozen=True)
class DayReport:
    """One UTC day: trials that began, Checkouts that were completed, and by how many US cents a month what accounts
    pay has grown."""

    day: date
    trials: int
    checkouts: int
    revenue_change_cents: int


@dataclass(frozen=True)
class WeekReport:
    """One week from Monday (UTC). `converted` are the accounts whose trial began in it and who have bought by now; it
    still grows for two weeks. `methods` counts new owners by the way they registered. `wizard_skips` has of each step
    how many accounts skipped it and how many came to it; `blocks` counts, by feature, the members and days on which
    the plan refused it."""

    week: date
    trials: int
    converted: int
    methods: dict[str, int]
    wizard_skips: dict[int, tuple[int, int]]
    blocks: dict[str, int]

    @property
    def conversion(self) -> float | None:
        """The rate in [0, 1] at which trials became customers; None without a trial."""
        return self.converted / self.trials if self.trials else None


@dataclass(frozen=True)
class Report:
    """`revenue_cents` is what the paying accounts pay a month, in US cents. The newest day and week come first and are
    not over."""

    at: datetime
    paying: int
    revenue_cents: int
    days: list[DayReport]
    weeks: list[WeekReport]


async def report(session: AsyncSession, *, now: datetime) -> Report:
    """The last :data:`DAYS` days and :data:`WEEKS` weeks until `now`."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    monday = today - timedelta(days=today.weekday())
    weeks = [monday - timedelta(weeks=back) for back in range(WEEKS)]
    since = datetime.combine(min(days[-1], weeks[-1]), datetime.min.time(), UTC)
    query = select(RecordedEvent.name, RecordedEvent.account_id, RecordedEvent.properties, RecordedEvent.at)
    wanted = query.where(RecordedEvent.name.in_([kind.NAME for kind in _TOLD]), RecordedEvent.at >= since)
    events = (await session.execute(wanted)).all()
    by_day, by_week = _grouped(events, lambda day: day), _grouped(events, lambda day: day - timedelta(day.weekday()))
    buyers = {event.account_id for event in events if event.name == CheckoutCompleted.NAME}
    paying = await paying_accounts(session)
    return Report(
        at=now,
        paying=len(paying),
        revenue_cents=sum(paying.values()),
        days=[_day(day, by_day[day]) for day in days],
        weeks=[_week(week, by_week[week], buyers) for week in weeks],
    )


Events = Sequence[Row]


def _grouped(events: Events, key: Callable[[date], date]) -> defaultdict[date, list[Row]]:
    groups: defaultdict[date, list[Row]] = defaultdict(list)
    for event in events:
        groups[key(event.at.astimezone(UTC).date())].append(event)
    return groups


def _day(day: date, events: Events) -> DayReport:
    changes = [event.properties for event in events if event.name == MonthlyRevenueChanged.NAME]
    return DayReport(
        day=day,
        trials=_number(events, TrialStarted.NAME),
        checkouts=_number(events, CheckoutCompleted.NAME),
        revenue_change_cents=sum(change["after_cents"] - change["before_cents"] for change in changes),
    )


def _week(week: date, events: Events, buyers: set[object]) -> WeekReport:
    trials = {event.account_id for event in events if event.name == TrialStarted.NAME}
    methods: defaultdict[str, int] = defaultdict(int)
    blocks: defaultdict[str, int] = defaultdict(int)
    passed: dict[int, set[UUID]] = {step: set() for step in WIZARD_STEPS}
    skipped: dict[int, set[UUID]] = {step: set() for step in WIZARD_STEPS}
    for event in events:
        told = event.properties
        if event.name == RegisterCompleted.NAME and not told["invited"]:
            methods[told["method"]] += 1
        elif event.name == FeatureGateBlocked.NAME:
            blocks[told["feature_key"]] += 1
        elif event.name == WelcomeWizardStepCompleted.NAME:
            passed[told["step"]].add(event.account_id)
        elif event.name == WelcomeWizardSkipped.NAME:
            for step in WIZARD_STEPS[told["from_step"] - 1 :] if told["rest"] else [told["from_step"]]:
                skipped[step].add(event.account_id)
    return WeekReport(
        week=week,
        trials=len(trials),
        converted=len(trials & buyers),
        methods=dict(sorted(methods.items())),
        wizard_skips={
            step: (len(skipped[step] - passed[step]), len(skipped[step] | passed[step])) for step in WIZARD_STEPS
        },
        blocks=dict(sorted(blocks.items(), key=lambda item: -item[1])),
    )


def _number(events: Events, name: str) -> int:
    return sum(event.name == name for event in events)
