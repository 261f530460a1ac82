"""Alerts: what is open, what it means, what lowers it, and what a member does with it."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.routing import Page, elsewhere
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.alerts import handling
from payflux.monitor.alerts.evaluating import rule_of
from payflux.monitor.alerts.queries import events_of, resolved_alerts, rules_of, unresolved_alerts
from payflux.monitor.alerts.wording import asks, name_of
from payflux.monitor.projections.queries import told_currency
from payflux.web.alert_views import alert_view
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.live import version_of
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter()

FEATURE = "reserve_projection"
READING = [guard(capability="monitor.read", feature=FEATURE)]
HANDLING = [guard(capability="alerts.manage", feature=FEATURE)]

SNOOZE_WORDS = {"1h": mark("an hour"), "1d": mark("a day"), "1w": mark("a week")}


@router.get("/alerts", dependencies=READING)
async def alerts(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """Alerts that are not over, open ones first, then those that are."""
    workspace = await get_workspace(session, account_id=who.account_id)
    if to := elsewhere(Page.ALERTS, workspace, world.clock.now()):
        return see_other(to)
    where = {"account_id": who.account_id, "workspace_id": workspace.id}
    unresolved, resolved = await unresolved_alerts(session, **where), await resolved_alerts(session, **where)
    found = [alert.id for alert in (*unresolved, *resolved)]
    events = await events_of(session, account_id=who.account_id, alert_ids=found)
    names = {member.user_id: member.name for member in await members(session, account_id=who.account_id)}
    armed = [rule for rule in await rules_of(session, **where) if rule.armed]
    currency = await told_currency(session, account_id=who.account_id)
    return render(
        request,
        "alerts.html",
        unresolved=[alert_view(alert, events[alert.id], names) for alert in unresolved],
        resolved=[alert_view(alert, events[alert.id], names) for alert in resolved],
        armed=[(name_of(rule.trigger, rule.name), asks(rule_of(rule), currency)) for rule in armed],
        snoozes={key: _(words) for key, words in SNOOZE_WORDS.items()},
        may_handle=may(who.role, "alerts.manage"),
        live_version=await version_of(session, workspace),
        **product_context(world, workspace, subscription),
    )


@router.post("/alerts/{alert_id}/acknowledge", dependencies=HANDLING)
async def acknowledge(who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID) -> Response:
    """Look after an alert."""
    await handling.acknowledge(
        session, account_id=who.account_id, alert_id=alert_id, actor_id=who.user_id, now=world.clock.now()
    )
    return see_other(f"/alerts#alert-{alert_id}")


@router.post("/alerts/{alert_id}/snooze", dependencies=HANDLING)
async def snooze(who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID, length: Text = "") -> Response:
    """Tell nothing of an alert for a while."""
    await handling.snooze(
        session,
        account_id=who.account_id,
        alert_id=alert_id,
        length=length,
        actor_id=who.user_id,
        now=world.clock.now(),
    )
    return see_other(f"/alerts#alert-{alert_id}")


@router.post("/alerts/{alert_id}/resolve", dependencies=HANDLING)
async def resolve(who: Who, session: Tenant, world: CurrentWorld, alert_id: UUID) -> Response:
    """End an alert."""
    await handling.resolve(
        session, account_id=who.account_id, alert_id=alert_id, actor_id=who.user_id, now=world.clock.now()
    )
    return see_other("/alerts")
