"""What members do with an alert: acknowledge, snooze, resolve; each with an entry in its history and in the log."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.evaluating import record_event, watch_of
from payflux.monitor.alerts.models import Alert, AlertRule, AlertState, Happening
from payflux.monitor.alerts.rules import let_go

SNOOZES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "1w": timedelta(days=7)}
"""How long an alert may be snoozed, by the word that a form sends."""


class AlertResolved(Conflict):
    """The alert is over; nothing more can be done with it."""

    code = "alert_resolved"


async def get_alert(session: AsyncSession, *, account_id: UUID, alert_id: UUID, lock: bool = False) -> Alert:
    """One alert of the account. Raises NotFound."""
    query = select(Alert).where(Alert.account_id == account_id, Alert.id == alert_id)
    alert = (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()
    if alert is None:
        raise NotFound(_("There is no such alert."), way_out=_("Go to Alerts, and choose one there."))
    return alert


async def acknowledge(
    session: AsyncSession, *, account_id: UUID, alert_id: UUID, actor_id: UUID, now: datetime
) -> None:
    """Say that somebody looks after the alert. It is told again only where it becomes worse. Raises NotFound and
    AlertResolved."""
    _rule, alert = await _unresolved(session, account_id=account_id, alert_id=alert_id)
    if alert.state != AlertState.ACKNOWLEDGED:
        await _move(session, alert, AlertState.ACKNOWLEDGED, Happening.ACKNOWLEDGED, actor_id=actor_id, now=now)


async def snooze(
    session: AsyncSession, *, account_id: UUID, alert_id: UUID, length: str, actor_id: UUID, now: datetime
) -> None:
    """Tell nothing of the alert for one of :data:`SNOOZES`, then once more. Raises NotFound, AlertResolved, and
    InvalidInput on `length`."""
    _rule, alert = await _unresolved(session, account_id=account_id, alert_id=alert_id)
    if length not in SNOOZES:
        raise InvalidInput({"length": _("Snooze for one of %(snoozes)s.") % {"snoozes": ", ".join(SNOOZES)}})
    alert.snoozed_until = now + SNOOZES[length]
    await _move(session, alert, AlertState.SNOOZED, Happening.SNOOZED, actor_id=actor_id, now=now)


async def resolve(session: AsyncSession, *, account_id: UUID, alert_id: UUID, actor_id: UUID, now: datetime) -> None:
    """End the alert. What was told is the level from now on, so that only more of it is raised again. Raises NotFound
    and AlertResolved."""
    rule, alert = await _unresolved(session, account_id=account_id, alert_id=alert_id)
    if rule is not None:
        rule.base = rule.calm_since = None
        rule.level = dict(let_go(watch_of(rule)).level)
    alert.resolved_at = now
    await _move(session, alert, AlertState.RESOLVED, Happening.RESOLVED, actor_id=actor_id, now=now)


async def wake(session: AsyncSession, *, account_id: UUID, alert_id: UUID, now: datetime) -> bool:
    """Open an alert whose snooze is over, and have it told again; whether it was one."""
    alert = await get_alert(session, account_id=account_id, alert_id=alert_id, lock=True)
    if alert.state != AlertState.SNOOZED or alert.snoozed_until is None or alert.snoozed_until > now:
        return False
    alert.state, alert.snoozed_until = AlertState.OPEN, None
    await record_event(session, alert, Happening.WOKEN, now=now)
    return True


async def _unresolved(session: AsyncSession, *, account_id: UUID, alert_id: UUID) -> tuple[AlertRule | None, Alert]:
    """The alert with its rule, locked in the order in which a reading locks them."""
    rule_id = (await get_alert(session, account_id=account_id, alert_id=alert_id)).rule_id
    rules = select(AlertRule).where(AlertRule.account_id == account_id, AlertRule.id == rule_id).with_for_update()
    rule = (await session.execute(rules)).scalar_one_or_none()
    alert = await get_alert(session, account_id=account_id, alert_id=alert_id, lock=True)
    await session.refresh(alert)
    if alert.state == AlertState.RESOLVED:
        raise AlertResolved(
            _("This alert is resolved already."), way_out=_("Go to Alerts; a new one is raised if it happens again.")
        )
    return rule, alert


async def _move(
    session: AsyncSession, alert: Alert, to: AlertState, kind: Happening, *, actor_id: UUID, now: datetime
) -> None:
    before = alert.state
    alert.state = to
    if to is not AlertState.SNOOZED:
        alert.snoozed_until = None
    # whoever was told that something is wrong is told that it is over; what is looked after, members see
    await record_event(session, alert, kind, now=now, actor_id=actor_id, tells=to is AlertState.RESOLVED)
    await record_change(
        session,
        account_id=alert.account_id,
        actor_id=actor_id,
        action=f"alert.{kind}",
        subject=str(alert.id),
        at=now,
        before={"state": before},
        after={"state": to, "rule": alert.name},
    )
