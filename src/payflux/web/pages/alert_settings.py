"""Which rules raise alerts, past what, and whom they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.advancing import advance
from payflux.activation.alerting import readers_of
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.frontdoor.accounts.team.queries import members
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.alerts.channels import FEATURE_OF, channels_of
from payflux.monitor.alerts.evaluating import rule_of
from payflux.monitor.alerts.mail_times import mail_times
from payflux.monitor.alerts.metrics import METRICS, label_of
from payflux.monitor.alerts.models import AlertRule
from payflux.monitor.alerts.policies import add_rule, change_rule, get_rule, remove_rule
from payflux.monitor.alerts.queries import rules_of
from payflux.monitor.alerts.rules import Trigger
from payflux.monitor.alerts.timing import time_zones
from payflux.monitor.alerts.wording import asks
from payflux.monitor.projections.queries import told_currency
from payflux.web.alert_form import UNITS, read_threshold, typed_threshold, typed_times, unit_of
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Who
from payflux.web.offers import offer_of_feature
from payflux.web.pages.alerts import HANDLING, READING
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World
from payflux.world.notification_services import SERVICES

router = APIRouter()

PAGE = "/settings/alerts"
ROUTING = "alert_routing"
OWN_RULES = "custom_alert_policies"
KINDS = {"slack": "Slack", "pagerduty": "PagerDuty", "apprise": mark("Teams and others")}


@dataclass(frozen=True)
class Refused:
    """A form that was sent and not taken: which one, what was in it, and what is wrong with each field."""

    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleView:
    """A rule with its words; `readers` are the names of those whom it mails, empty for one that mails nobody."""

    row: AlertRule
    asks: str
    unit: str  # empty: no threshold to choose
    beside: str  # what stands beside the threshold
    typed: str
    by_mail: bool
    readers: tuple[str, ...]


@router.get(PAGE, dependencies=READING)
async def show(request: Request, who: Who, world: CurrentWorld) -> Response:
    """The rules, and the channels that alerts are posted to."""
    return await settings_page(request, world, who)


@router.post(f"{PAGE}/rules", dependencies=[guard(capability="alerts.manage", feature=OWN_RULES)])
async def add(
    request: Request,
    who: Who,
    world: CurrentWorld,
    name: Text = "",
    metric: Text = "",
    comparison: Text = "",
    threshold: Text = "",
    by_mail: Text = "",
) -> Response:
    """A rule of one's own."""
    typed = {"name": name, "metric": metric, "comparison": comparison, "threshold": threshold, "by_mail": by_mail}
    try:
        async with world.database.tenant(who.account_id) as session:
            workspace = await get_workspace(session, account_id=who.account_id)
            unit = METRICS[metric].unit if metric in METRICS else ""
            await add_rule(
                session,
                account_id=who.account_id,
                workspace_id=workspace.id,
                name=name,
                metric=metric,
                comparison=comparison,
                threshold=read_threshold(threshold, unit, await told_currency(session, account_id=who.account_id)),
                by_mail=bool(by_mail),
                actor_id=who.user_id,
                now=world.clock.now(),
            )
            await advance(session, account_id=who.account_id, now=world.clock.now(), actor_id=who.user_id)
    except InvalidInput as wrong:
        return await settings_page(request, world, who, Refused("own", typed, wrong.fields), status=wrong.status)
    return see_other(f"{PAGE}#own-rules")


@router.post(f"{PAGE}/rules/{{rule_id}}", dependencies=HANDLING)
async def change(
    request: Request,
    who: Who,
    world: CurrentWorld,
    rule_id: UUID,
    threshold: Text = "",
    by_mail: Text = "",
    armed: Text = "",
    told_to: Annotated[list[str] | None, Form()] = None,
    posted_to: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """What a rule is past, whether it is armed, and whom it mails."""
    try:
        async with world.database.tenant(who.account_id) as session:
            rule = await get_rule(session, account_id=who.account_id, rule_id=rule_id)
            held = await entitlements_of(session, world, account_id=who.account_id)
            unit, currency = unit_of(rule), await told_currency(session, account_id=who.account_id)
            here = await members(session, account_id=who.account_id)
            readers = [member.user_id for member in here if str(member.user_id) in (told_to or [])]
            there = await channels_of(session, account_id=who.account_id, workspace_id=rule.workspace_id)
            posted = [channel.id for channel in there if str(channel.id) in (posted_to or [])]
            await change_rule(
                session,
                rule,
                threshold=read_threshold(threshold, unit, currency) if unit else rule.threshold,
                by_mail=bool(by_mail),
                armed=bool(armed),
                told_to=(readers or None) if held.features[ROUTING] else rule.told_to,
                posted_to=(None if len(posted) == len(there) else posted) if held.features[ROUTING] else rule.posted_to,
                actor_id=who.user_id,
                now=world.clock.now(),
            )
    except InvalidInput as wrong:
        refused = Refused(f"rule-{rule_id}", {"threshold": threshold}, wrong.fields)
        return await settings_page(request, world, who, refused, status=wrong.status)
    return see_other(f"{PAGE}#rule-{rule_id}")


@router.post(f"{PAGE}/rules/{{rule_id}}/remove", dependencies=HANDLING)
async def remove(who: Who, world: CurrentWorld, rule_id: UUID) -> Response:
    """Take a rule of one's own away."""
    async with world.database.tenant(who.account_id) as session:
        rule = await get_rule(session, account_id=who.account_id, rule_id=rule_id)
        await remove_rule(session, rule, actor_id=who.user_id, now=world.clock.now())
    return see_other(f"{PAGE}#own-rules")


async def settings_page(
    request: Request,
    world: World,
    who: SignedIn,
    refused: Refused | None = None,
    *,
    secret: str = "",
    status: int = 200,
) -> Response:
    """The page, with a form that was `refused`, or with a new `secret` that is shown this once."""
    async with world.database.tenant(who.account_id) as session:
        workspace = await get_workspace(session, account_id=who.account_id)
        where = {"account_id": who.account_id, "workspace_id": workspace.id}
        currency = await told_currency(session, account_id=who.account_id)
        here = await members(session, account_id=who.account_id)
        held = await entitlements_of(session, world, account_id=who.account_id)
        rules = [
            await _rule_view(session, rule, currency, {member.user_id: member.name for member in here})
            for rule in await rules_of(session, **where)
        ]
        context = {
            "channels": await channels_of(session, **where),
            "times": typed_times(await mail_times(session, **where)),
            "offers": {
                feature: await offer_of_feature(session, held, feature)
                for feature in (OWN_RULES, *sorted(set(FEATURE_OF.values())))
            },
            **product_context(world, workspace, await newest_subscription(session, account_id=who.account_id)),
        }
    return render(
        request,
        "alert_settings.html",
        status,
        rules=[rule for rule in rules if rule.row.trigger != Trigger.CUSTOM],
        own_rules=[rule for rule in rules if rule.row.trigger == Trigger.CUSTOM],
        metrics={key: metric._replace(label=label_of(key)) for key, metric in METRICS.items()},
        kinds={kind: _(label) for kind, label in KINDS.items()},
        services=SERVICES.values(),
        currency=currency.upper(),
        time_zones=time_zones(),
        tested="tested" in request.query_params,
        members=[(str(member.user_id), member.name) for member in here],
        may_change=may(who.role, "alerts.manage"),
        refused=refused or Refused(),
        secret=secret,
        **context,
    )


async def _rule_view(session: AsyncSession, row: AlertRule, currency: str, names: Mapping[UUID, str]) -> RuleView:
    unit, by_mail = unit_of(row), "email" in row.channels
    return RuleView(
        row=row,
        asks=asks(rule_of(row), currency),
        unit=unit,
        beside=currency.upper() if unit == "money" else UNITS.get(unit, ""),
        typed=typed_threshold(row.threshold, unit, currency) if unit else "",
        by_mail=by_mail,
        readers=tuple(names[user_id] for user_id in await readers_of(session, row)) if by_mail else (),
    )
