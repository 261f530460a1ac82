"""Alerts and their settings as members see and handle them, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from payflux.activation.service import get_workspace
from payflux.activation.states import Cause
from payflux.monitor.alerts.evaluating import evaluate
from payflux.monitor.alerts.models import AlertState
from payflux.monitor.alerts.queries import rules_of, unresolved_alerts
from payflux.monitor.alerts.rules import Bounds, Reading
from payflux.monitor.alerts.service import arm_default_rules
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of, connected, move_on, subscribe


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


def reading(world: World, tier: int, rate: float = 0.004) -> Reading:
    return Reading(
        as_of=world.clock.now(),
        risk_tier=tier,
        band="elevated" if tier == 3 else "moderate",
        trend="STABLE",
        stability_score=70,
        currency="usd",
        trapped={90: Bounds(1_200_000, 1_150_000, 1_250_000)},
        signals={"dispute_activity": Bounds(rate, rate * 0.9, rate * 1.1)},
        causes=(("120 disputes on 16,000 payments are 0.75 %.", "Refund doubtful payments before they are disputed."),),
    )


async def judged(world: World, clock: MovedClock, *readings: tuple[int, float]) -> None:
    """Alice's workspace is read again and again, each time a sweep later."""
    account_id = await account_of(world, ALICE)
    before = None
    for tier, rate in readings:
        clock.move(timedelta(hours=6))
        async with world.database.tenant(account_id) as session:
            workspace = await get_workspace(session, account_id=account_id)
            after = reading(world, tier, rate)
            await evaluate(
                session,
                account_id=account_id,
                workspace_id=workspace.id,
                before=before,
                after=after,
                now=clock.now(),
            )
        before = after


@pytest.fixture
async def armed(world: World, alice: Browser) -> Browser:
    account_id = await account_of(world, ALICE)
    await connected(world, ALICE, "Alices_shop")
    await move_on(world, ALICE, Cause.BASELINE, Cause.ARMED)
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        await arm_default_rules(session, account_id=account_id, workspace_id=workspace.id, now=world.clock.now())
    return alice


async def open_alerts(world: World) -> list[tuple[UUID, str]]:
    account_id = await account_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        found = await unresolved_alerts(session, account_id=account_id, workspace_id=workspace.id)
    return [(alert.id, alert.state) for alert in found]


async def rule_ids(world: World) -> dict[str, UUID]:
    account_id = await account_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        return {
            rule.name: rule.id for rule in await rules_of(session, account_id=account_id, workspace_id=workspace.id)
        }


async def test_where_nothing_is_open_the_page_says_what_would_be(alice: Browser, armed: Browser) -> None:
    page = text_of((await alice.get("/alerts")).text)
    assert "Nothing is open" in page
    assert "4 rules are armed" in page
    assert "Reserve spike. Trapped capital at T+90 is more than 25 % above what you were last told." in page


async def test_an_alert_says_what_it_means_and_what_lowers_it_and_is_handled(
    armed: Browser, world: World, clock: MovedClock
) -> None:
    await judged(world, clock, (2, 0.004), (3, 0.0075))
    ((alert_id, _),) = await open_alerts(world)
    page = (await armed.get("/alerts")).text
    assert f'id="alert-{alert_id}"' in page
    told = text_of(page)
    assert "Risk tier 3 (elevated), up from 2" in told
    assert "Refund doubtful payments before they are disputed." in told
    assert (await armed.post(f"/alerts/{alert_id}/acknowledge")).headers["Location"] == f"/alerts#alert-{alert_id}"
    assert "Acknowledged by Alice" in text_of((await armed.get("/alerts")).text)
    assert (await armed.post(f"/alerts/{alert_id}/snooze", {"length": "1d"})).status_code == 303
    assert await open_alerts(world) == [(alert_id, AlertState.SNOOZED)]
    assert (await armed.post(f"/alerts/{alert_id}/snooze", {"length": "forever"})).status_code == 422
    assert (await armed.post(f"/alerts/{alert_id}/resolve")).status_code == 303
    assert await open_alerts(world) == []
    assert (await armed.post(f"/alerts/{alert_id}/resolve")).status_code == 409
    assert "Nothing is open" in (await armed.get("/alerts")).text


async def test_a_viewer_sees_alerts_and_handles_none(
    armed: Browser, bob: Browser, charlie: Browser, world: World, clock: MovedClock
) -> None:
    await judged(world, clock, (2, 0.004), (3, 0.0075))
    ((alert_id, _),) = await open_alerts(world)
    page = (await bob.get("/alerts")).text
    assert "Risk tier 3 (elevated), up from 2" in page
    assert "/acknowledge" not in page
    assert (await bob.post(f"/alerts/{alert_id}/acknowledge")).status_code == 403
    assert (await charlie.post(f"/alerts/{alert_id}/acknowledge")).status_code == 404
    assert "Risk tier 3" not in (await charlie.get("/alerts")).text
    assert (await armed.post(f"/alerts/{uuid4()}/resolve")).status_code == 404
    assert await open_alerts(world) == [(alert_id, AlertState.OPEN)]


async def test_a_rule_is_changed_and_disarmed_by_form(armed: Browser, world: World, clock: MovedClock) -> None:
    ids = await rule_ids(world)
    spike, tier = ids["Reserve spike"], ids["Tier escalation"]
    wrong = await armed.post(f"/settings/alerts/rules/{spike}", {"threshold": "much", "armed": "yes"})
    assert (wrong.status_code, "Write a number such as 10 or 12.5." in wrong.text) == (422, True)
    assert 'value="much"' in wrong.text
    assert (await armed.post(f"/settings/alerts/rules/{spike}", {"threshold": "2", "armed": "yes"})).status_code == 422
    changed = {"threshold": "40", "armed": "yes", "by_mail": "yes"}
    assert (await armed.post(f"/settings/alerts/rules/{spike}", changed)).status_code == 303
    page = text_of((await armed.get("/settings/alerts")).text)
    assert "Trapped capital at T+90 is more than 40 % above what you were last told." in page
    assert "Dashboard, and by mail to Alice" in page
    await judged(world, clock, (2, 0.004), (3, 0.0075))
    assert len(await open_alerts(world)) == 1
    assert (await armed.post(f"/settings/alerts/rules/{tier}", {"threshold": "1"})).status_code == 303
    assert await open_alerts(world) == []
    await judged(world, clock, (2, 0.004), (5, 0.0075))
    assert await open_alerts(world) == []


async def test_a_rule_of_ones_own_is_added_judged_and_removed(armed: Browser, world: World, clock: MovedClock) -> None:
    own = {"name": "Near the limit", "metric": "dispute_activity", "comparison": "above", "threshold": "0.6"}
    for changes, said in (
        ({"name": " "}, "Name the rule"),
        ({"metric": "phase_of_the_moon"}, "Choose what the rule watches."),
        ({"comparison": "beside"}, "Choose above or below."),
        ({"threshold": "nan"}, "Write a number"),
    ):
        refused = await armed.post("/settings/alerts/rules", own | changes)
        assert (refused.status_code, said in refused.text) == (422, True)
    assert (await armed.post("/settings/alerts/rules", own)).status_code == 303
    assert "Dispute activity is above 0.60 %." in text_of((await armed.get("/settings/alerts")).text)
    await judged(world, clock, (2, 0.004), (2, 0.008))
    assert "Dispute activity: 0.80 %" in text_of((await armed.get("/alerts")).text)
    rule_id = (await rule_ids(world))["Near the limit"]
    assert (await armed.post(f"/settings/alerts/rules/{rule_id}/remove")).status_code == 303
    assert await open_alerts(world) == []
    assert "Near the limit" not in (await armed.get("/settings/alerts")).text
    tier = (await rule_ids(world))["Tier escalation"]
    assert (await armed.post(f"/settings/alerts/rules/{tier}/remove")).status_code == 409


async def test_what_the_plan_does_not_hold_is_offered_and_refused(armed: Browser, world: World) -> None:
    await subscribe(world, ALICE, plan="starter", status="active")
    page = (await armed.get("/settings/alerts")).text
    assert "Tier escalation" in page
    assert [f'data-locked="{key}"' in page for key in ("custom_alert_policies", "webhook_sinks", "alert_routing")] == [
        True
    ] * 3
    own = {"name": "Mine", "metric": "risk_tier", "comparison": "above", "threshold": "3"}
    assert (await armed.post("/settings/alerts/rules", own)).status_code == 402
    assert (
        await armed.post("/settings/alerts/endpoints", {"name": "Us", "address": "https://example.com/"})
    ).status_code == 402


async def test_a_channel_is_added_shows_its_secret_once_and_never_its_address_key(armed: Browser, world: World) -> None:
    wrong = await armed.post("/settings/alerts/endpoints", {"name": "Ours", "address": "ftp://example.com"})
    assert (wrong.status_code, "not an address that can be posted to" in wrong.text) == (422, True)
    made = await armed.post(
        "/settings/alerts/endpoints", {"name": "Ours", "address": "https://example.com/payflux?key=abc123"}
    )
    assert re.search(r"<code>whsec_[A-Za-z0-9+/=]{44}</code>", made.text)
    page = (await armed.get("/settings/alerts")).text
    assert "whsec_" not in page
    assert "https://example.com/payflux" in page
    assert "abc123" not in page
    slack = {"kind": "slack", "name": "Finance", "address": "https://hooks.slack.com/services/T0/B0/geheim"}
    assert (await armed.post("/settings/alerts/channels", slack)).status_code == 303
    pager = {"kind": "pagerduty", "name": "On call", "address": "0123456789abcdef0123456789abcdef"}
    assert (await armed.post("/settings/alerts/channels", pager | {"address": "short"})).status_code == 422
    assert (await armed.post("/settings/alerts/channels", pager)).status_code == 303
    page = (await armed.get("/settings/alerts")).text
    assert "hooks.slack.com/…" in page
    assert "key ending in cdef" in page
    assert "geheim" not in page
    assert "0123456789" not in page
    channel = re.findall(r'href="(/settings/alerts/channels/[\w-]+)"', page)[0]
    assert (await armed.post(f"{channel}/test")).status_code == 303
    tier = (await rule_ids(world))["Tier escalation"]
    form = {"threshold": "1", "armed": "yes", "posted_to": channel.rpartition("/")[2]}
    assert (await armed.post(f"/settings/alerts/rules/{tier}", form)).status_code == 303
    ticked = re.findall(
        rf'id="rule-{tier}-[\w-]+" name="posted_to"[^>]*?( checked)?>', (await armed.get("/settings/alerts")).text
    )
    assert ticked == [" checked", "", ""]
    log = text_of((await armed.get(channel)).text)
    assert "Test Waiting" in log
    assert (await armed.post(f"{channel}/remove")).status_code == 303
    assert (await armed.get(channel)).status_code == 404


async def test_quiet_hours_are_set_by_form_and_a_test_mail_is_sent_to_whoever_asks(armed: Browser) -> None:
    form = {"quiet_from": "22:00", "quiet_until": "07:00", "digest_at": "", "time_zone": "Europe/Berlin"}
    for changes, said in (
        ({"quiet_until": ""}, "Quiet hours have a beginning and an end"),
        ({"quiet_from": "late"}, "Write a time of day such as 22:00."),
        ({"time_zone": "Mars/Olympus"}, "Choose a time zone from the list."),
    ):
        refused = await armed.post("/settings/alerts/times", form | changes)
        assert (refused.status_code, said in refused.text) == (422, True)
    assert (await armed.post("/settings/alerts/times", form)).status_code == 303
    assert "not from 22:00 to 07:00 (Europe/Berlin)" in text_of((await armed.get("/settings/alerts")).text)
    tested = await armed.post("/settings/alerts/test")
    assert "A test mail is on its way to alice@" in (await armed.get(tested.headers["Location"])).text
