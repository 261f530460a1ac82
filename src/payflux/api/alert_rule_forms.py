"""Alert rules as the API takes and tells them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from payflux.monitor.alerts.evaluating import rule_of
from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.models import AlertRule as RuleRow
from payflux.monitor.alerts.rules import Comparison, Trigger
from payflux.monitor.alerts.wording import asks
from payflux.web.alert_form import LARGEST_THRESHOLD, unit_of

MetricKey = StrEnum("MetricKey", [(key.upper(), key) for key in METRICS])
Threshold = Annotated[
    float,
    Field(ge=-LARGEST_THRESHOLD, le=LARGEST_THRESHOLD, description="in the unit of what is watched", examples=[0.0075]),
]
Members = Annotated[list[UUID], Field(min_length=1, max_length=100)]
Channels = Annotated[list[UUID], Field(max_length=100)]


class AlertMetric(BaseModel):
    """What a rule may watch. `unit`: `rate` is in [0, 1], `money` in minor units of the currency of your newest
    projection, `tier` 1 to 5, `score` 0 to 100. `falling`: a lower value is the worse one."""

    key: MetricKey
    label: str
    unit: str
    falling: bool


class AlertMetricList(BaseModel):
    data: list[AlertMetric]


class AlertRule(BaseModel):
    """A rule. `asks` says in a sentence when it raises an alert. `threshold` is in `unit`; both are null where there is
    none to choose. `metric` and `comparison` are those of a rule of your own. `told_to` are the members whom it mails,
    null for everybody who looks after alerts; `posted_to` are the channels, sinks among them, null for all."""

    id: UUID
    trigger: Trigger
    name: str
    asks: str
    metric: MetricKey | None
    comparison: Comparison | None
    threshold: float | None
    unit: str | None
    armed: bool
    armed_at: datetime
    last_triggered_at: datetime | None
    by_mail: bool
    told_to: list[UUID] | None
    posted_to: list[UUID] | None


class AlertRuleList(BaseModel):
    data: list[AlertRule]


class NewAlertRule(BaseModel):
    """A rule of your own. It is judged by the next reading, on the careful end of each interval."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60, examples=["disputes near the limit"])
    metric: MetricKey = Field(examples=["dispute_activity"])
    comparison: Comparison
    threshold: Threshold
    by_mail: bool = True
    told_to: Members | None = None
    posted_to: Channels | None = None


class ChangedAlertRule(BaseModel):
    """What becomes different. What is left out stays; null is everybody for `told_to`, all for `posted_to`, and changes
    nothing elsewhere. Disarmed, a rule judges nothing and its alert is over."""

    model_config = ConfigDict(extra="forbid")

    threshold: Threshold | None = Field(None, examples=[0.009])
    armed: bool | None = None
    by_mail: bool | None = None
    told_to: Members | None = None
    posted_to: Channels | None = None


class RuleTest(BaseModel):
    """A test on its way to a channel; for a sink, its deliveries say what becomes of it."""

    channel_id: UUID
    delivery_id: UUID


class RuleTestList(BaseModel):
    data: list[RuleTest]


def described(row: RuleRow, currency: str) -> AlertRule:
    """A rule as the API tells it; amounts in its sentence are in `currency`."""
    own, unit = row.trigger == Trigger.CUSTOM, unit_of(row)
    return AlertRule(
        id=row.id,
        trigger=Trigger(row.trigger),
        name=row.name,
        asks=asks(rule_of(row), currency),
        metric=MetricKey(row.metric) if own else None,
        comparison=Comparison(row.comparison) if own else None,
        threshold=row.threshold if unit else None,
        unit=unit or None,
        armed=row.armed,
        armed_at=row.armed_at,
        last_triggered_at=row.last_triggered_at,
        by_mail=mails(row),
        told_to=row.told_to,
        posted_to=row.posted_to,
    )


def mails(row: RuleRow) -> bool:
    """Whether a rule mails anybody."""
    return "email" in row.channels
