"""Alert rules: what raises an alert, past which threshold, and whom it is told."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.advancing import advance
from payflux.activation.alerting import channels_told
from payflux.activation.service import get_workspace
from payflux.api.alert_rule_forms import (
    AlertMetric,
    AlertMetricList,
    AlertRule,
    AlertRuleList,
    ChangedAlertRule,
    MetricKey,
    NewAlertRule,
    RuleTest,
    RuleTestList,
    described,
    mails,
)
from payflux.api.conditional import IfMatch, refuse_stale, with_tag
from payflux.api.problems import Responses
from payflux.api.repeating import IdempotencyKey, answer, once
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.queries import members
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.errors import Conflict, InvalidInput
from payflux.monitor.alerts import policies
from payflux.monitor.alerts.asking import send_test
from payflux.monitor.alerts.channels import channels_of
from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.models import AlertRule as RuleRow
from payflux.monitor.alerts.queries import rules_of
from payflux.monitor.projections.queries import told_currency
from payflux.web.alert_form import unit_of
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.refusals import refuse_missing_feature
from payflux.world.bootstrap import World

router = APIRouter(prefix="/alert-rules", tags=["alert rules"])

FEATURE, OWN_RULES, ROUTING = "reserve_projection", "custom_alert_policies", "alert_routing"
SCOPE = "alert-rules:write"
READ = [guard(capability="monitor.read", feature=FEATURE, metered=True, scope="alerts:read")]
ADD = [guard(capability="alerts.manage", feature=OWN_RULES, metered=True, scope=SCOPE)]
CHANGE = [guard(capability="alerts.manage", feature=FEATURE, metered=True, scope=SCOPE)]

GONE: Responses = {404: {"description": "no rule of yours"}}
WRONG: Responses = {422: {"description": "a field is wrong"}}
FULL: Responses = {409: {"description": "there are too many already, or the Idempotency-Key came with another request"}}
DEFAULT: Responses = {409: {"description": "a default rule cannot be removed"}}
CHANGED: Responses = {412: {"description": "the rule is not what `If-Match` names any more"}}
UNTOLD: Responses = {409: {"description": "the rule posts to no channel"}}
SOON: Responses = {429: {"description": "one of the channels was tested a moment ago"}}


class NothingToTest(Conflict):
    """The rule posts to no channel that could be tried."""

    code = "nothing_to_test"


@router.get("/metrics", dependencies=READ)
async def metrics() -> AlertMetricList:
    """What a rule of your own may watch."""
    return AlertMetricList(data=[AlertMetric(key=MetricKey(key), **each._asdict()) for key, each in METRICS.items()])


@router.get("", dependencies=READ)
async def rules(who: Who, session: Tenant) -> AlertRuleList:
    """The workspace's rules: the default ones, then your own by when they were made."""
    workspace = await get_workspace(session, account_id=who.account_id)
    currency = await told_currency(session, account_id=who.account_id)
    found = await rules_of(session, account_id=who.account_id, workspace_id=workspace.id)
    return AlertRuleList(data=[described(each, currency) for each in found])


@router.get("/{rule_id}", dependencies=READ, response_model=AlertRule, responses=GONE)
async def rule(who: Who, session: Tenant, rule_id: UUID) -> Response:
    """One rule. Its `ETag`, sent as `If-Match` with a change, keeps the change from undoing another."""
    row = await policies.get_rule(session, account_id=who.account_id, rule_id=rule_id, lock=False)
    return answer(await _told(session, who, row))


@router.post(
    "", dependencies=ADD, status_code=HTTPStatus.CREATED, response_model=AlertRule, responses={**WRONG, **FULL}
)
async def add_rule(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    asked: NewAlertRule,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a rule of your own, armed."""

    async def add() -> AlertRule:
        workspace = await get_workspace(session, account_id=who.account_id)
        if asked.told_to is not None or asked.posted_to is not None:
            await _require_routing(session, world, who)
        await _check_told(session, who, workspace.id, told_to=asked.told_to, posted_to=asked.posted_to)
        row = await policies.add_rule(
            session,
            account_id=who.account_id,
            workspace_id=workspace.id,
            **asked.model_dump(),
            actor_id=who.user_id,
            now=world.clock.now(),
        )
        await advance(session, account_id=who.account_id, now=world.clock.now(), actor_id=who.user_id)
        return await _told(session, who, row)

    return await once(request, session, world, who, idempotency_key, add, status=HTTPStatus.CREATED)


@router.patch("/{rule_id}", dependencies=CHANGE, response_model=AlertRule, responses={**GONE, **WRONG, **CHANGED})
async def change_rule(
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    rule_id: UUID,
    asked: ChangedAlertRule,
    if_match: IfMatch = None,
) -> Response:
    """Set what a rule is past, whether it is armed, and whom it tells."""
    row = await policies.get_rule(session, account_id=who.account_id, rule_id=rule_id)
    refuse_stale(if_match, answer(await _told(session, who, row)))
    named = asked.model_fields_set & {"told_to", "posted_to"}
    if named:
        await _require_routing(session, world, who)
    await _check_told(session, who, row.workspace_id, told_to=asked.told_to, posted_to=asked.posted_to)
    if asked.threshold is not None and not unit_of(row):
        raise InvalidInput({"threshold": "This rule has no threshold to choose. Leave it out."})
    await policies.change_rule(
        session,
        row,
        threshold=row.threshold if asked.threshold is None else asked.threshold,
        by_mail=mails(row) if asked.by_mail is None else asked.by_mail,
        armed=row.armed if asked.armed is None else asked.armed,
        told_to=asked.told_to if "told_to" in named else row.told_to,
        posted_to=asked.posted_to if "posted_to" in named else row.posted_to,
        actor_id=who.user_id,
        now=world.clock.now(),
    )
    return with_tag(answer(await _told(session, who, row)))


@router.delete("/{rule_id}", dependencies=CHANGE, status_code=HTTPStatus.NO_CONTENT, responses={**GONE, **DEFAULT})
async def remove_rule(who: Who, session: Tenant, world: CurrentWorld, rule_id: UUID) -> None:
    """Take a rule of your own away; its alert is over, and what it raised stays in the record."""
    row = await policies.get_rule(session, account_id=who.account_id, rule_id=rule_id)
    await policies.remove_rule(session, row, actor_id=who.user_id, now=world.clock.now())


@router.post(
    "/{rule_id}/test",
    dependencies=CHANGE,
    status_code=HTTPStatus.ACCEPTED,
    responses={**GONE, **UNTOLD, **SOON},
)
async def test_rule(who: Who, session: Tenant, world: CurrentWorld, rule_id: UUID) -> RuleTestList:
    """Post a test to each channel that the rule posts to."""
    row = await policies.get_rule(session, account_id=who.account_id, rule_id=rule_id)
    channels = await channels_told(session, world, account_id=who.account_id, workspace_id=row.workspace_id)
    chosen = [each for each in channels if row.posted_to is None or each.id in row.posted_to]
    if not chosen:
        raise NothingToTest("This rule posts to no channel.", way_out="Add a sink, or name one in posted_to.")
    now = world.clock.now()
    return RuleTestList(
        data=[RuleTest(channel_id=each.id, delivery_id=await send_test(session, each, now=now)) for each in chosen]
    )


async def _require_routing(session: AsyncSession, world: World, who: SignedIn) -> None:
    refuse_missing_feature(await entitlements_of(session, world, account_id=who.account_id), ROUTING)


async def _check_told(
    session: AsyncSession,
    who: SignedIn,
    workspace_id: UUID,
    *,
    told_to: Sequence[UUID] | None,
    posted_to: Sequence[UUID] | None,
) -> None:
    """Raises InvalidInput naming whom there is none of."""
    problems = {}
    if told_to:
        here = {each.user_id for each in await members(session, account_id=who.account_id)}
        if strangers := [str(each) for each in told_to if each not in here]:
            problems["told_to"] = f"No member of the account is {', '.join(strangers)}."
    if posted_to:
        there = {each.id for each in await channels_of(session, account_id=who.account_id, workspace_id=workspace_id)}
        if unknown := [str(each) for each in posted_to if each not in there]:
            problems["posted_to"] = f"No channel of the workspace is {', '.join(unknown)}."
    if problems:
        raise InvalidInput(problems)


async def _told(session: AsyncSession, who: SignedIn, row: RuleRow) -> AlertRule:
    return described(row, await told_currency(session, account_id=who.account_id))
