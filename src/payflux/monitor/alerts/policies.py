"""Change a rule, add one of one's own, and take it away again; each with an entry in the log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.evaluating import end_alert
from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.models import Alert, AlertRule, AlertState, Happening
from payflux.monitor.alerts.rules import Comparison, Trigger

MOST_CUSTOM = 20
_LONGEST_NAME = 60
LIMITS: dict[Trigger, tuple[float, float]] = {Trigger.TIER_ESCALATION: (1, 4), Trigger.RESERVE_SPIKE: (0.05, 10)}
"""Of the default rules that have a threshold to choose: the least and the most it may be."""


class TooManyRules(Conflict):
    code = "too_many_rules"


async def get_rule(session: AsyncSession, *, account_id: UUID, rule_id: UUID, lock: bool = True) -> AlertRule:
    """One rule of the account, locked until the transaction ends unless it is only read. Raises NotFound."""
    query = select(AlertRule).where(AlertRule.account_id == account_id, AlertRule.id == rule_id)
    found = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if found is None:
        raise NotFound(_("There is no such rule."), way_out=_("Go to Settings, Alerts, and choose one there."))
    return found


async def change_rule(
    session: AsyncSession,
    rule: AlertRule,
    *,
    threshold: float,
    by_mail: bool,
    armed: bool,
    told_to: Sequence[UUID] | None,
    posted_to: Sequence[UUID] | None,
    actor_id: UUID,
    now: datetime,
) -> None:
    """Set what `rule` is past and whom it tells. Disarmed, it judges nothing, and its alert is over; armed again, it
    starts from the next reading. Raises InvalidInput on `threshold`."""
    _check_threshold(Trigger(rule.trigger), threshold)
    before = _logged(rule)
    if rule.trigger == Trigger.CUSTOM and threshold != rule.threshold and rule.base is None:
        rule.level = {"past": 0.0}  # past another limit is news again
    rule.threshold = threshold
    rule.channels = ["email", "dashboard"] if by_mail else ["dashboard"]
    rule.told_to = None if told_to is None else list(told_to)
    rule.posted_to = None if posted_to is None else list(posted_to)
    if rule.armed and not armed:
        await _end_alert(session, rule, actor_id=actor_id, now=now)
        rule.level = rule.base = rule.calm_since = rule.read_at = None
    if armed and not rule.armed:
        rule.armed_at = now
    rule.armed = armed
    await session.flush()
    if before != _logged(rule):
        await _log(session, rule, "changed", actor_id=actor_id, now=now, before=before, after=_logged(rule))


async def add_rule(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    name: str,
    metric: str,
    comparison: str,
    threshold: float,
    by_mail: bool,
    told_to: Sequence[UUID] | None = None,
    posted_to: Sequence[UUID] | None = None,
    actor_id: UUID,
    now: datetime,
) -> AlertRule:
    """A rule of the workspace's own, armed. It is judged by the next reading. Raises InvalidInput on `name`, `metric`,
    `comparison` or `threshold`, and TooManyRules."""
    name, wrong = " ".join(name.split()), {}
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        wrong["name"] = _("Name the rule in up to %(longest_name)s letters, such as “Disputes near the limit”.") % {
            "longest_name": _LONGEST_NAME
        }
    if metric not in METRICS:
        wrong["metric"] = _("Choose what the rule watches.")
    if comparison not in list(Comparison):
        wrong["comparison"] = _("Choose above or below.")
    if wrong:
        raise InvalidInput(wrong)
    _check_threshold(Trigger.CUSTOM, threshold)
    own = select(AlertRule.id).where(
        AlertRule.account_id == account_id,
        AlertRule.workspace_id == workspace_id,
        AlertRule.trigger == Trigger.CUSTOM,
    )
    if len((await session.execute(own)).all()) >= MOST_CUSTOM:
        raise TooManyRules(
            _("There are %(most_custom)s rules of your own already.") % {"most_custom": MOST_CUSTOM},
            way_out=_("Remove one first."),
        )
    rule = AlertRule(
        account_id=account_id,
        id=new_id(),
        workspace_id=workspace_id,
        trigger=Trigger.CUSTOM,
        name=name,
        threshold=threshold,
        channels=["email", "dashboard"] if by_mail else ["dashboard"],
        armed=True,
        armed_at=now,
        metric=metric,
        comparison=comparison,
        told_to=None if told_to is None else list(told_to),
        posted_to=None if posted_to is None else list(posted_to),
    )
    session.add(rule)
    await session.flush()
    await _log(session, rule, "added", actor_id=actor_id, now=now, after=_logged(rule))
    return rule


async def remove_rule(session: AsyncSession, rule: AlertRule, *, actor_id: UUID, now: datetime) -> None:
    """Take a rule of the workspace's own away; what it raised stays in the record. Raises Conflict for a default one,
    which is disarmed instead."""
    if rule.trigger != Trigger.CUSTOM:
        raise Conflict(_("A default rule cannot be removed."), way_out=_("Disarm it instead."))
    await _end_alert(session, rule, actor_id=actor_id, now=now)
    await _log(session, rule, "removed", actor_id=actor_id, now=now, before=_logged(rule))
    await session.delete(rule)
    await session.flush()


def _check_threshold(trigger: Trigger, threshold: float) -> None:
    if not math.isfinite(threshold):
        raise InvalidInput({"threshold": _("Write a number.")})
    least, most = LIMITS.get(trigger, (-math.inf, math.inf))
    if not least <= threshold <= most:
        spike = trigger is Trigger.RESERVE_SPIKE
        span = f"from {least * 100:.0f} to {most * 100:.0f} %" if spike else f"from {least:.0f} to {most:.0f} tiers"
        raise InvalidInput({"threshold": _("The threshold is %(span)s.") % {"span": span}})


async def _end_alert(session: AsyncSession, rule: AlertRule, *, actor_id: UUID, now: datetime) -> None:
    query = select(Alert).where(
        Alert.account_id == rule.account_id, Alert.rule_id == rule.id, Alert.state != AlertState.RESOLVED
    )
    alert = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if alert is not None:
        await end_alert(session, alert, Happening.RESOLVED, now=now, actor_id=actor_id)


def _logged(rule: AlertRule) -> dict[str, object]:
    return {
        "rule": rule.name,
        "threshold": rule.threshold,
        "metric": rule.metric,
        "comparison": rule.comparison,
        "channels": list(rule.channels),
        "armed": rule.armed,
        "told_to": None if rule.told_to is None else [str(user_id) for user_id in rule.told_to],
        "posted_to": None if rule.posted_to is None else [str(channel_id) for channel_id in rule.posted_to],
    }


async def _log(
    session: AsyncSession,
    rule: AlertRule,
    change: str,
    *,
    actor_id: UUID,
    now: datetime,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    await record_change(
        session,
        account_id=rule.account_id,
        actor_id=actor_id,
        action=f"alert_rule.{change}",
        subject=str(rule.id),
        at=now,
        before=before,
        after=after,
    )
