"""How an operation is called, with curl and with the client, as text that runs as it stands. Pure.

What only the reader knows, such as the id of an alert, is a variable of the environment.
"""

from __future__ import annotations

import json
from typing import NamedTuple

JSON = "application/json"

TYPED = {
    "risk_risk": "payflux.risk()",
    "workspace_workspace": "payflux.workspace()",
    "projections_projection": 'payflux.projection("self")',
    "projections_history": 'list(payflux.projection_history("self"))',
    "projections_scores": 'payflux.projection_scores("self")',
    "events_events": "next(payflux.events())",
    "events_stream": "next(payflux.stream_events())",
    "events_schema": "payflux.event_schema()",
    "alerts_alerts": "list(payflux.alerts())",
    "alerts_alert": 'payflux.alert(os.environ["ALERT_ID"])',
    "alerts_acknowledge": 'payflux.acknowledge(os.environ["ALERT_ID"])',
    "alerts_snooze": 'payflux.snooze(os.environ["ALERT_ID"], "1h")',
    "alerts_resolve": 'payflux.resolve(os.environ["ALERT_ID"])',
    "alert_rules_metrics": "payflux.alert_metrics()",
    "alert_rules_rules": "payflux.alert_rules()",
    "alert_rules_rule": 'payflux.alert_rule(os.environ["RULE_ID"])',
    "alert_rules_add_rule": 'payflux.add_alert_rule("disputes near the limit", "dispute_activity", "above", 0.0075)',
    "alert_rules_change_rule": 'payflux.change_alert_rule(os.environ["RULE_ID"], threshold=0.009)',
    "alert_rules_remove_rule": 'payflux.remove_alert_rule(os.environ["RULE_ID"])',
    "alert_rules_test_rule": 'payflux.test_alert_rule(os.environ["RULE_ID"])',
    "evidence_imports": "list(payflux.evidence_imports())",
    "evidence_bring_evidence": (
        """payflux.import_evidence(b'{"at":"2024-05-01T10:00:00Z","kind":"reserve.letter","body":{"rate":0.1}}')"""
    ),
    "webhook_sinks_sinks": "payflux.sinks()",
    "webhook_sinks_add_sink": 'payflux.add_sink("risk desk", "https://hooks.example.com/payflux")',
    "webhook_sinks_remove_sink": 'payflux.remove_sink(os.environ["CHANNEL_ID"])',
    "webhook_sinks_test_sink": 'payflux.test_sink(os.environ["CHANNEL_ID"])',
    "webhook_sinks_deliveries": 'payflux.deliveries(os.environ["CHANNEL_ID"])',
    "webhook_sinks_replay_delivery": 'payflux.replay(os.environ["CHANNEL_ID"], os.environ["DELIVERY_ID"])',
    "billing_list_usage": "payflux.usage()",
}
"""What the client has a method for, by operation."""


class Call(NamedTuple):
    """An operation to be called. `known` is the value of each part of the path that an example can know; `body` is None
    where nothing is sent, and text where `media` is not JSON. `secret` is the variable with the key or token, empty for
    what anybody may call."""

    operation: str
    method: str
    path: str
    known: dict[str, str]
    media: str
    body: object
    secret: str


def curl(call: Call, base: str) -> str:
    """As a command for a shell; `base` is the address of the API."""
    path = call.path
    for name in _names(call.path):
        path = path.replace(f"{{{name}}}", call.known.get(name, f"${name.upper()}"))
    lines = [f'curl "{base}{path}"' if call.method == "GET" else f'curl -X {call.method} "{base}{path}"']
    if call.secret:
        lines.append(f'-H "Authorization: Bearer ${call.secret}"')
    if call.body is not None:
        written = (json.dumps(call.body) if call.media == JSON else str(call.body)).replace("'", "'\\''")
        lines += [f'-H "Content-Type: {call.media}"', f"{'-d' if call.media == JSON else '--data-binary'} '{written}'"]
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    """With the client, by its own method where there is one; empty where the client is of no use, as it needs a key."""
    if not call.secret:
        return ""
    said = TYPED.get(call.operation) if call.secret == "PAYFLUX_API_KEY" else None  # noqa: S105 -- a variable's name
    if said is None:
        path = call.path
        for name in _names(call.path):
            path = path.replace(f"{{{name}}}", call.known.get(name) or f"{{os.environ['{name.upper()}']}}")
        written = f'f"{path}"' if "{" in path else f'"{path}"'
        body = "" if call.body is None else f", json={call.body!r}"
        said = f'payflux.request("{call.method}", {written}{body})'
    opened = "Client()" if call.secret == "PAYFLUX_API_KEY" else f'Client(os.environ["{call.secret}"])'  # noqa: S105
    imports = ["import os\n"] if "os.environ" in said + opened else []
    return "\n".join(
        [*imports, "from payflux.client import Client\n", f"with {opened} as payflux:", f"    print({said})"]
    )


def _names(path: str) -> list[str]:
    """The names of the parts of `path` that are filled in."""
    return [part.partition("}")[0] for part in path.split("{")[1:]]
