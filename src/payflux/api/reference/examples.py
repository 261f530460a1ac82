"""How an operation is called, with curl and with the client, as text that runs as it stands. Pure.

What only the reader knows, such as the id of an alert, is a variable of the environment.
"""

from __future__ import annotations

import json
from typing import NamedTuple

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
    where nothing is sent. `secret` is the variable with the key or token, empty for what anybody may call."""

    operation: str
    method: str
    path: str
    known: dict[str, str]
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
        written = json.dumps(call.body).replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{written}'"]
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
