"""Judge a new reading by the rules of its workspace: raise, worsen and clear alerts, in the transaction that stores it.

What happens is recorded before anybody is told: a job that this transaction enqueues tells it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.monitor.alerts.facts import facts_of
from payflux.monitor.alerts.models import Alert, AlertEvent, AlertRule, AlertState, Happening
from payflux.monitor.alerts.rules import (
    Comparison,
    Flip,
    Reading,
    Rule,
    Trigger,
    Watch,
    advance,
    begins_anew,
    first_watch,
)

TELL = "tell_alert"
"""The job that finds whom an event of an alert is told to, with the account's and the event's id."""


async def evaluate(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    before: Reading | None,
    after: Reading,
    now: datetime,
    terms_changed: bool = False,
) -> list[Flip]:
    """Judge `after` by every armed rule of the workspace; what that did to their alerts.

    A rule that has judged nothing yet goes by `before`, the reading until now; without one, `after` is where it starts.
    A reading that a rule has judged, or one older than that, does nothing again. Where the reserve terms of the
    projection have changed since `before`, rules that compare capital begin anew at `after`, and their alerts are
    resolved.
    """
    armed = (
        select(AlertRule)
        .where(AlertRule.account_id == account_id, AlertRule.workspace_id == workspace_id, AlertRule.armed)
        .order_by(AlertRule.id)
        .with_for_update()
    )
    flips = []
    for row in (await session.execute(armed)).scalars():
        rule = rule_of(row)
        watch = watch_of(row) if row.level is not None else first_watch(rule, before)
        if terms_changed and begins_anew(rule):
            _remember(row, first_watch(rule, after))
            if watch.is_open:
                await end_alert(session, await _unresolved(session, row), Happening.RESOLVED, now=now)
            continue
        moved, flip = advance(rule, watch, after)
        _remember(row, moved)
        if flip is None:
            continue
        flips.append(flip)
        facts = msgspec.to_builtins(facts_of(rule, watch, after), str_keys=True)
        if flip is not Flip.CLEARED:
            row.last_triggered_at = now
        await _record(session, row, flip, facts, now=now)
    await session.flush()
    return flips


def rule_of(row: AlertRule) -> Rule:
    return Rule(Trigger(row.trigger), row.threshold, row.metric, Comparison(row.comparison))


def watch_of(row: AlertRule) -> Watch:
    """What the rule of `row` remembers; nothing before its first reading."""
    return Watch(row.level or {}, row.base, row.calm_since, row.read_at)


def _remember(row: AlertRule, watch: Watch) -> None:
    row.level, row.calm_since, row.read_at = dict(watch.level), watch.calm_since, watch.read_at
    row.base = None if watch.base is None else dict(watch.base)


async def _record(
    session: AsyncSession, row: AlertRule, flip: Flip, facts: dict[str, object], *, now: datetime
) -> None:
    if flip is Flip.RAISED:
        alert = Alert(
            account_id=row.account_id,
            id=new_id(),
            workspace_id=row.workspace_id,
            rule_id=row.id,
            name=row.name,
            state=AlertState.OPEN,
            raised_at=now,
            facts=facts,
        )
        session.add(alert)
        await session.flush()
        await record_event(session, alert, Happening.RAISED, now=now)
        return
    alert = await _unresolved(session, row)
    if flip is Flip.CLEARED:
        await end_alert(session, alert, Happening.CLEARED, now=now, facts=facts)
        return
    alert.facts = facts
    quiet = alert.state == AlertState.SNOOZED
    if not quiet:
        alert.state = AlertState.OPEN  # what somebody looks after has become more
    await record_event(session, alert, Happening.WORSENED, now=now, tells=not quiet)


async def _unresolved(session: AsyncSession, row: AlertRule) -> Alert:
    query = select(Alert).where(
        Alert.account_id == row.account_id, Alert.rule_id == row.id, Alert.state != AlertState.RESOLVED
    )
    return (await session.execute(query.with_for_update())).scalar_one()


async def end_alert(
    session: AsyncSession,
    alert: Alert,
    kind: Happening,
    *,
    now: datetime,
    actor_id: UUID | None = None,
    facts: dict[str, object] | None = None,
) -> None:
    """Resolve `alert`, by a reading or by what `actor_id` did, and have that told."""
    alert.state, alert.resolved_at, alert.snoozed_until = AlertState.RESOLVED, now, None
    await record_event(session, alert, kind, now=now, actor_id=actor_id, facts=facts)


async def record_event(
    session: AsyncSession,
    alert: Alert,
    kind: Happening,
    *,
    now: datetime,
    actor_id: UUID | None = None,
    tells: bool = True,
    facts: dict[str, object] | None = None,
) -> None:
    """Write to the history of `alert` what happened to it and, where it `tells`, have it told once the transaction
    commits."""
    event = AlertEvent(
        account_id=alert.account_id,
        id=new_id(),
        alert_id=alert.id,
        kind=kind,
        at=now,
        actor_id=actor_id,
        tells=tells,
        facts=alert.facts if facts is None else facts,
    )
    session.add(event)
    await session.flush()
    if tells:
        await enqueue_telling(session, account_id=alert.account_id, event_id=event.id)


async def enqueue_telling(session: AsyncSession, *, account_id: UUID, event_id: UUID) -> None:
    payload = {"account_id": str(account_id), "event_id": str(event_id)}
    await enqueue(session, TELL, payload, dedupe_key=f"{TELL}:{event_id}")
