"""What an alert says of each kind, with its numbers, and what is posted of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from payflux.monitor.alerts.facts import Facts, facts_of
from payflux.monitor.alerts.metrics import METRICS
from payflux.monitor.alerts.models import Happening
from payflux.monitor.alerts.posting import Message, pagerduty_body, slack_body, webhook_body
from payflux.monitor.alerts.rules import Bounds, Comparison, Reading, Rule, Trigger, Watch, first_watch
from payflux.monitor.alerts.wording import asks, explanation, headline

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def reading(tier: int, t90: int, rate: float, *, coverage: float = 2.0) -> Reading:
    return Reading(
        as_of=NOW,
        risk_tier=tier,
        band="elevated",
        trend="DEGRADING",
        stability_score=40,
        currency="usd",
        trapped={30: Bounds(100_000, 90_000, 110_000), 90: Bounds(t90, t90 * 0.9, t90 * 1.1)},
        signals={
            "dispute_activity": Bounds(rate, rate * 0.9, rate * 1.1),
            "coverage": Bounds(coverage, coverage, coverage),
        },
        causes=(("1 & 2 <are> disputes.", "Refund > dispute."),),
    )


def told(rule: Rule, *, watch: Watch | None = None) -> Facts:
    before = reading(2, 1_000_000, 0.004)
    return facts_of(rule, watch or first_watch(rule, before), reading(3, 1_500_000, 0.0091, coverage=0.8))


@pytest.mark.parametrize(
    ("rule", "happened", "because"),
    [
        (Rule(Trigger.TIER_ESCALATION, 1), "Risk tier 3 (elevated), up from 2", "a rise by 1 tier or more"),
        (
            Rule(Trigger.RESERVE_SPIKE, 0.25),
            "Trapped capital at T+90 is 15,000 USD, up 50 %",
            "You were last told 10,000 USD for T+90. The 80 % interval is now 13,500 USD to 16,500 USD",
        ),
        (Rule(Trigger.TREND_DEGRADATION, 1), "The trend turned to degrading", "the last 30 days are worse"),
        (
            Rule(Trigger.PROJECTION_BREACH, 1),
            "Past its previous worst case: trapped capital at T+90",
            "13,500 USD, is past the worst case until now, 11,000 USD.",
        ),
        (
            Rule(Trigger.CUSTOM, 0.0075, "dispute_activity"),
            "Dispute activity: 0.91 %",
            "even its lower end is above your limit of 0.75 %.",
        ),
        (Rule(Trigger.CUSTOM, 1, "coverage", Comparison.BELOW), "Coverage of expected losses: 0.8 ×", "limit is 1 ×."),
    ],
)
def test_an_alert_names_its_numbers_and_what_they_were_judged_by(rule: Rule, happened: str, because: str) -> None:
    facts = told(rule)
    assert headline(facts) == happened
    assert because in explanation(facts)
    assert msgspec.convert(msgspec.to_builtins(facts, str_keys=True), Facts) == facts


def test_a_level_of_nothing_has_no_percentage() -> None:
    assert headline(told(Rule(Trigger.RESERVE_SPIKE, 0.25), watch=Watch({"usd 90": 0.0}))).endswith("15,000 USD")


@pytest.mark.parametrize("metric", METRICS)
def test_whatever_a_rule_may_watch_can_be_said(metric: str) -> None:
    assert METRICS[metric].label in asks(Rule(Trigger.CUSTOM, 3, metric), "usd")


def test_what_is_posted_is_escaped_where_it_has_to_be_and_ends_what_it_began() -> None:
    alert_id = UUID(int=5)
    facts = told(Rule(Trigger.TIER_ESCALATION, 1))
    raised = Message(alert_id, "R&D <tier>", Happening.RAISED, NOW, facts, "https://payflux.example/alerts")
    over = Message(alert_id, "R&D <tier>", Happening.CLEARED, NOW, facts, "https://payflux.example/alerts")
    assert "*R&amp;D &lt;tier&gt; is over" in json.loads(slack_body(over))["text"]
    assert json.loads(webhook_body(raised))["data"]["facts"]["causes"] == [
        ["1 & 2 <are> disputes.", "Refund > dispute."]
    ]
    resolved = replace(over, happening=Happening.RESOLVED)
    assert json.loads(webhook_body(resolved))["data"]["summary"] == "R&D <tier> was resolved"
    events = [json.loads(pagerduty_body(message, routing_key="k")) for message in (raised, over)]
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    assert "payload" not in events[1]
