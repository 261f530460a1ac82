"""Contexts for the pages of alerts: what is open and over, the rules, and a channel with its deliveries."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from payflux.activation.mail_preferences import MailKind
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.facts import facts_of
from payflux.monitor.alerts.metrics import METRICS, label_of
from payflux.monitor.alerts.models import (
    Alert,
    AlertAttempt,
    AlertChannel,
    AlertDelivery,
    AlertEvent,
    AlertRule,
    AlertState,
    DeliveryState,
    Happening,
)
from payflux.monitor.alerts.queries import Delivered
from payflux.monitor.alerts.rules import Bounds, Reading, Rule, Trigger, first_watch
from payflux.monitor.alerts.service import DEFAULT_RULES
from payflux.monitor.alerts.timing import MailTimes, time_zones
from payflux.monitor.alerts.wording import asks
from payflux.web.alert_form import typed_times
from payflux.web.alert_views import AlertView, OpenAlert, alert_view
from payflux.web.offers import Offer
from payflux.web.pages.alert_settings import KINDS, Refused, RuleView
from payflux.web.pages.alerts import SNOOZE_WORDS
from payflux.web.pages.mail_preferences import KINDS as MAIL_KINDS
from payflux.world.notification_services import SERVICES
from tests.unit.web.staff_samples import NOW, ONE

CAUSES = (
    (
        "248 disputes on 24,000 payments of the last 30 days are 1.03 %; processors are widely reported to act from "
        "0.75 %.",
        "Refund doubtful payments before they are disputed.",
    ),
)
BEFORE = Reading(
    as_of=NOW - timedelta(hours=6),
    risk_tier=2,
    band="moderate",
    trend="STABLE",
    stability_score=70,
    currency="usd",
    trapped={days: Bounds(days * 40_000, days * 38_000, days * 42_000) for days in (30, 60, 90)},
    signals={"dispute_activity": Bounds(0.004, 0.003, 0.005)},
)
AFTER = Reading(
    as_of=NOW,
    risk_tier=4,
    band="high",
    trend="DEGRADING",
    stability_score=41,
    currency="usd",
    trapped={days: Bounds(days * 61_000, days * 55_000, days * 66_000) for days in (30, 60, 90)},
    signals={"dispute_activity": Bounds(0.0103, 0.0092, 0.0116)},
    causes=CAUSES,
)
FEATURES = ("custom_alert_policies", "webhook_sinks", "alert_routing")
OWN = Rule(Trigger.CUSTOM, 0.0075, "dispute_activity")


def alert_of(number: int, rule: Rule, name: str, state: AlertState, *kinds: Happening) -> AlertView:
    """An alert that `rule` raised between the two readings."""
    facts = msgspec.to_builtins(facts_of(rule, first_watch(rule, BEFORE), AFTER), str_keys=True)
    alert = Alert(
        account_id=ONE,
        id=UUID(int=number),
        workspace_id=ONE,
        rule_id=ONE,
        name=name,
        state=state,
        raised_at=NOW - timedelta(hours=2),
        snoozed_until=NOW + timedelta(days=1) if state is AlertState.SNOOZED else None,
        resolved_at=NOW if state is AlertState.RESOLVED else None,
        facts=facts,
    )
    by_member = (Happening.ACKNOWLEDGED, Happening.SNOOZED, Happening.RESOLVED)
    events = [
        AlertEvent(kind=kind, at=NOW, actor_id=ONE if kind in by_member else None)
        for kind in (Happening.RAISED, *kinds)
    ]
    return alert_view(alert, events, {ONE: "Alice Archer"})


def rule_view(number: int, name: str, rule: Rule, *, by_mail: bool = True, armed: bool = True) -> RuleView:
    row = AlertRule(
        id=UUID(int=number),
        name=name,
        trigger=rule.trigger,
        threshold=rule.threshold,
        armed=armed,
        told_to=None,
        posted_to=None,
        last_triggered_at=NOW if by_mail else None,
    )
    return RuleView(
        row=row,
        asks=asks(rule, "usd"),
        unit="rate" if rule.trigger in (Trigger.RESERVE_SPIKE, Trigger.CUSTOM) else "",
        beside="%",
        typed="25",
        by_mail=by_mail,
        readers=("Alice Archer",) if by_mail else (),
    )


RULES = [
    rule_view(number, one.name, Rule(Trigger(one.trigger), one.threshold), by_mail="email" in one.channels)
    for number, one in enumerate(DEFAULT_RULES, start=1)
]
CHANNEL = AlertChannel(
    id=ONE,
    kind="webhook",
    name="Our finance systems",
    shown="https://hooks.a-long-company-name.example/incoming/payflux/alerts",
    created_at=NOW - timedelta(days=9),
    disabled_at=None,
    disabled_because="",
)
OFF = AlertChannel(
    id=UUID(int=2),
    kind="slack",
    name="Risk",
    shown="hooks.slack.com/…",
    created_at=NOW,
    disabled_at=NOW,
    disabled_because="It answered 410 Gone: it wants nothing more.",
)


def delivery(number: int, state: DeliveryState, *tries: tuple[int | None, str]) -> Delivered:
    row = AlertDelivery(id=UUID(int=number), state=state, created_at=NOW, due_at=NOW + timedelta(minutes=5))
    attempts = tuple(
        AlertAttempt(number=n, at=NOW, status=status, outcome=outcome, milliseconds=212)
        for n, (status, outcome) in enumerate(tries, start=1)
    )
    return Delivered(row, AlertEvent(kind=Happening.RAISED) if number > 1 else None, attempts)


DELIVERIES = [
    delivery(4, DeliveryState.WAITING, (503, "Answered 503: out for maintenance")),
    delivery(3, DeliveryState.FAILED, (None, "It did not answer in time."), (404, "Answered 404.")),
    delivery(1, DeliveryState.DELIVERED, (200, "Answered 200: ok")),
]
TIER = Rule(Trigger.TIER_ESCALATION, 1)
UNRESOLVED = [
    alert_of(1, TIER, "Tier escalation", AlertState.OPEN, Happening.WORSENED),
    alert_of(2, Rule(Trigger.RESERVE_SPIKE, 0.25), "Reserve spike", AlertState.ACKNOWLEDGED, Happening.ACKNOWLEDGED),
    alert_of(3, Rule(Trigger.PROJECTION_BREACH, 1), "Projection breach", AlertState.SNOOZED, Happening.SNOOZED),
]
RESOLVED = [
    alert_of(4, OWN, "Disputes near the limit", AlertState.RESOLVED, Happening.RESOLVED),
    alert_of(5, Rule(Trigger.TREND_DEGRADATION, 1), "Trend degradation", AlertState.RESOLVED, Happening.CLEARED),
]
OPEN_ALERTS = [OpenAlert(UNRESOLVED[0].id, UNRESOLVED[0].headline)]


def alert_pages(signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    page = signed_in | {
        "live_version": "a1b2c3d4",
        "unresolved": [],
        "resolved": [],
        "armed": [(one.row.name, one.asks) for one in RULES],
        "snoozes": SNOOZE_WORDS,
        "may_handle": True,
    }
    settings = signed_in | {
        "rules": RULES,
        "own_rules": [rule_view(9, "Disputes near the limit", OWN, armed=False)],
        "channels": [CHANNEL, OFF],
        "offers": dict.fromkeys(FEATURES),
        "metrics": {key: metric._replace(label=label_of(key)) for key, metric in METRICS.items()},
        "kinds": {kind: _(label) for kind, label in KINDS.items()},
        "currency": "USD",
        "members": [(str(ONE), "Alice Archer"), (str(UUID(int=7)), "Bob Baker")],
        "may_change": True,
        "times": typed_times(MailTimes(time(22), time(7), None, "Europe/Berlin")),
        "time_zones": time_zones(),
        "services": SERVICES.values(),
        "tested": True,
        "refused": Refused(),
        "secret": "",
    }
    offer = Offer("custom_alert_policies", "Your own alert rules", "Starter", ("Pro",), ("pro",))
    wrong = Refused("own", {"name": "", "threshold": "much"}, {"threshold": "Write a number such as 10 or 12.5."})
    channel = signed_in | {"channel": CHANNEL, "kind": "Endpoint", "deliveries": DELIVERIES, "may_change": True}
    unsubscribing = signed_in | {"user": None, "kind": "Alerts", "code": "abc"}
    mails = signed_in | {"kinds": MAIL_KINDS, "unwanted": {MailKind.REMINDERS}, "saved": False}
    return {
        "mail-preferences": ("mail_preferences.html", mails),
        "mail-preferences-saved": ("mail_preferences.html", mails | {"saved": True}),
        "unsubscribe": ("unsubscribe.html", unsubscribing | {"done": False}),
        "unsubscribed": ("unsubscribe.html", unsubscribing | {"done": True}),
        "alerts": ("alerts.html", page | {"unresolved": UNRESOLVED, "resolved": RESOLVED}),
        "alerts-none": ("alerts.html", page),
        "alerts-unarmed": ("alerts.html", page | {"armed": [], "may_handle": False}),
        "alert-settings": ("alert_settings.html", settings | {"secret": f"whsec_{'A' * 43}="}),
        "alert-settings-refused": ("alert_settings.html", settings | {"refused": wrong}),
        "alert-settings-starter": (
            "alert_settings.html",
            settings | {"own_rules": [], "channels": [], "offers": dict.fromkeys(FEATURES, offer)},
        ),
        "alert-channel": ("alert_channel.html", channel),
        "alert-channel-off": ("alert_channel.html", channel | {"channel": OFF, "kind": "Slack", "deliveries": []}),
    }
