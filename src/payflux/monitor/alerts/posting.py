"""What is posted of an event: one document for endpoints of the customer's own, and the forms of Slack, of PagerDuty
and of services that take plain text. Pure.

Sources: the Standard Webhooks specification, "Payload structure": type, timestamp, data;
api.slack.com/messaging/webhooks; developer.pagerduty.com/docs/events-api-v2/trigger-events.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from payflux.kit.phrases import without_phrases
from payflux.monitor.alerts.facts import Facts
from payflux.monitor.alerts.models import Happening
from payflux.monitor.alerts.wording import explanation, headline, over, resolved

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
_SEVERITY = {1: "info", 2: "info", 3: "warning", 4: "error", 5: "critical"}


@dataclass(frozen=True)
class Message:
    """An event of an alert, as it is told to programs; of a test there are no facts."""

    alert_id: UUID
    rule: str
    happening: Happening
    at: datetime
    facts: Facts | None
    url: str

    @property
    def ends(self) -> bool:
        """Whether nothing is wrong, or not any more."""
        return self.facts is None or self.happening in (Happening.CLEARED, Happening.RESOLVED)

    @property
    def summary(self) -> str:
        if self.facts is None:
            return "This is a test of PayFlux's alerts. Nothing has happened"
        match self.happening:
            case Happening.CLEARED:
                return over(self.rule)
            case Happening.RESOLVED:
                return resolved(self.rule)
            case _:
                return headline(self.facts)

    @property
    def text(self) -> str:
        return explanation(self.facts) if self.facts is not None and not self.ends else ""


def webhook_body(message: Message) -> bytes:
    """The document that an endpoint of the customer's own gets; amounts are minor units of `currency`."""
    data = {
        "alert_id": str(message.alert_id),
        "rule": message.rule,
        "summary": message.summary,
        "explanation": message.text,
        "url": message.url,
        "facts": msgspec.to_builtins(without_phrases(message.facts), str_keys=True),
    }
    kind = "alert.test" if message.facts is None else f"alert.{message.happening}"
    return _json({"type": kind, "timestamp": message.at.isoformat(), "data": data})


def slack_body(message: Message) -> bytes:
    """A message of Slack: what happened, why, and a link."""
    lines = [f"*{_escaped(message.summary)}*", _escaped(message.text), f"<{message.url}|Look at it in PayFlux>"]
    return _json({"text": "\n".join(line for line in lines if line)})


def service_text(message: Message) -> str:
    """What stands below the summary where a service gets plain text: why, and the address of the page."""
    return "\n\n".join(line for line in (message.text, f"Look at it in PayFlux: {message.url}") if line)


def pagerduty_body(message: Message, *, routing_key: str) -> bytes:
    """An event of PagerDuty: one incident for each alert, resolved with it. A test resolves what was never there, so
    that it is taken and wakes nobody."""
    event: dict[str, object] = {
        "routing_key": routing_key,
        "event_action": "resolve" if message.ends else "trigger",
        "dedup_key": f"payflux {message.alert_id}",
    }
    if message.facts is not None and not message.ends:
        event |= {
            "payload": {
                "summary": message.summary,
                "source": "PayFlux",
                "severity": _SEVERITY[message.facts.risk_tier],
                "timestamp": message.at.isoformat(),
                "custom_details": {"rule": message.rule, "explanation": message.text},
            },
            "links": [{"href": message.url, "text": "Look at it in PayFlux"}],
        }
    return _json(event)


def _escaped(text: str) -> str:
    """`text` without the three characters that are control characters to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()
