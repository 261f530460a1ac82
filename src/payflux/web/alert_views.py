"""Alerts as their page shows them: in words, with their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.kit.phrases import spoken
from payflux.monitor.alerts.models import Alert, AlertEvent, AlertState, Happening
from payflux.monitor.alerts.queries import told_facts, unresolved_alerts
from payflux.monitor.alerts.wording import explanation, headline, name_of

_HAPPENED = {
    Happening.RAISED: mark("Raised"),
    Happening.WORSENED: mark("Became worse"),
    Happening.CLEARED: mark("Cleared: calm for two sweeps"),
    Happening.ACKNOWLEDGED: mark("Acknowledged"),
    Happening.SNOOZED: mark("Snoozed"),
    Happening.WOKEN: mark("Snooze over"),
    Happening.RESOLVED: mark("Resolved"),
}


class OpenAlert(NamedTuple):
    """An alert that nobody looks after yet, in a line."""

    id: UUID
    headline: str


async def open_alerts(session: AsyncSession, workspace: Workspace) -> list[OpenAlert]:
    """The open alerts of `workspace`, the newest first."""
    found = await unresolved_alerts(session, account_id=workspace.account_id, workspace_id=workspace.id)
    return [OpenAlert(alert.id, headline(told_facts(alert))) for alert in found if alert.state == AlertState.OPEN]


@dataclass(frozen=True)
class PastEvent:
    """One line of an alert's history; `by` is a member's name, empty where a reading or the clock did it."""

    words: str
    at: datetime
    by: str


@dataclass(frozen=True)
class AlertView:
    id: UUID
    rule: str
    state: AlertState
    headline: str
    explanation: str
    causes: tuple[tuple[str, str], ...]
    raised_at: datetime
    snoozed_until: datetime | None
    resolved_at: datetime | None
    as_of: datetime
    history: tuple[PastEvent, ...]


def alert_view(alert: Alert, events: Sequence[AlertEvent], names: Mapping[UUID, str]) -> AlertView:
    """`alert` in words; `names` are the members' by their ids."""
    facts = told_facts(alert)
    return AlertView(
        id=alert.id,
        rule=name_of(facts.trigger, alert.name),
        state=AlertState(alert.state),
        headline=headline(facts),
        explanation=explanation(facts),
        causes=spoken(facts).causes,
        raised_at=alert.raised_at,
        snoozed_until=alert.snoozed_until,
        resolved_at=alert.resolved_at,
        as_of=facts.as_of,
        history=tuple(
            PastEvent(
                _(_HAPPENED[Happening(event.kind)]),
                event.at,
                "" if event.actor_id is None else names.get(event.actor_id, _("somebody who has left")),
            )
            for event in events
        ),
    )
