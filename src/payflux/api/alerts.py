"""Alerts: what was raised, what happened to it, and what a member does with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel

from payflux.activation.service import get_workspace
from payflux.api.paging import Cursor, Limit, Page, page_of, read_cursor
from payflux.api.problems import Responses
from payflux.kit.errors import NotFound
from payflux.kit.phrases import without_phrases
from payflux.monitor.alerts import handling
from payflux.monitor.alerts.models import Alert as AlertRow
from payflux.monitor.alerts.models import AlertState, Happening
from payflux.monitor.alerts.queries import events_of, list_alerts, told_facts
from payflux.monitor.alerts.wording import headline
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/alerts", tags=["alerts"])

READ = [guard(capability="monitor.read", feature="reserve_projection", metered=True, scope="alerts:read")]
HANDLE = [guard(capability="alerts.manage", feature="reserve_projection", metered=True, scope="alerts:write")]
GONE: Responses = {404: {"description": "no alert of yours"}}
OVER: Responses = {409: {"description": "the alert is resolved already"}}
WRONG: Responses = {422: {"description": "a parameter is wrong"}}

Snooze = StrEnum("Snooze", [(f"FOR_{name.upper()}", name) for name in handling.SNOOZES])


class Alert(BaseModel):
    """What a rule has raised. `facts` are the numbers that were last told of it."""

    id: UUID
    rule_id: UUID
    rule: str
    state: AlertState
    headline: str
    raised_at: datetime
    snoozed_until: datetime | None
    resolved_at: datetime | None
    facts: dict[str, Any]


class AlertEvent(BaseModel):
    """One thing that happened to an alert."""

    kind: Happening
    at: datetime
    actor_id: UUID | None
    facts: dict[str, Any]


class AlertWithHistory(Alert):
    history: list[AlertEvent]


@router.get("", dependencies=READ, responses=WRONG)
async def alerts(
    who: Who,
    session: Tenant,
    state: Annotated[list[AlertState] | None, Query(description="any of these")] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[Alert]:
    """The workspace's alerts, those raised last first."""
    workspace = await get_workspace(session, account_id=who.account_id)
    rows = await list_alerts(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        states=state or [],
        after=read_cursor(cursor, datetime, UUID),
        limit=limit + 1,
    )
    shown, following = page_of(rows, limit, lambda row: (row.raised_at, row.id))
    return Page(data=[Alert(**_alert(row)) for row in shown], next_cursor=following)


@router.get("/{alert_id}", dependencies=READ, responses=GONE)
async def alert(who: Who, session: Tenant, alert_id: UUID) -> AlertWithHistory:
    """One alert with everything that happened to it."""
    return await _told(session, who.account_id, alert_id)


@router.post("/{alert_id}/acknowledge", dependencies=HANDLE, responses={**GONE, **OVER})
async def acknowledge(who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID) -> AlertWithHistory:
    """Say that somebody looks after it: it is told again only where it becomes worse."""
    await handling.acknowledge(
        session, account_id=who.account_id, alert_id=alert_id, actor_id=who.user_id, now=world.clock.now()
    )
    return await _told(session, who.account_id, alert_id)


@router.post("/{alert_id}/snooze", dependencies=HANDLE, responses={**GONE, **OVER, **WRONG})
async def snooze(
    who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID, length: Annotated[Snooze, Body(embed=True)]
) -> AlertWithHistory:
    """Tell nothing of it for a while."""
    await handling.snooze(
        session,
        account_id=who.account_id,
        alert_id=alert_id,
        length=str(length),
        actor_id=who.user_id,
        now=world.clock.now(),
    )
    return await _told(session, who.account_id, alert_id)


@router.post("/{alert_id}/resolve", dependencies=HANDLE, status_code=HTTPStatus.OK, responses={**GONE, **OVER})
async def resolve(who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID) -> AlertWithHistory:
    """End it: only more than what was told is raised again."""
    await handling.resolve(
        session, account_id=who.account_id, alert_id=alert_id, actor_id=who.user_id, now=world.clock.now()
    )
    return await _told(session, who.account_id, alert_id)


async def _told(session: Tenant, account_id: UUID, alert_id: UUID) -> AlertWithHistory:
    row = await handling.get_alert(session, account_id=account_id, alert_id=alert_id)
    found = await events_of(session, account_id=account_id, alert_ids=[alert_id])
    if alert_id not in found:
        raise NotFound("There is no such alert.", way_out="Read the list of alerts.")
    history = [
        AlertEvent(kind=Happening(each.kind), at=each.at, actor_id=each.actor_id, facts=_facts(each))
        for each in found[alert_id]
    ]
    return AlertWithHistory(**_alert(row), history=history)


def _alert(row: AlertRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule_id": row.rule_id,
        "rule": row.name,
        "state": row.state,
        "headline": headline(told_facts(row)),
        "raised_at": row.raised_at,
        "snoozed_until": row.snoozed_until,
        "resolved_at": row.resolved_at,
        "facts": _facts(row),
    }


def _facts(row: Any) -> dict[str, Any]:
    return msgspec.to_builtins(without_phrases(told_facts(row)), str_keys=True)
