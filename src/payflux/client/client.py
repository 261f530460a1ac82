"""The API as methods."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from payflux.client import answers
from payflux.client.calls import Calls, usable_address, usable_key

HERE = "http://127.0.0.1:8000"
BATCH = 1000
"""Events of one post, at most."""

Answer = TypeVar("Answer")


class Client:
    """The API of the PayFlux at `url`, as the account of `key`. Both are read from PAYFLUX_API_URL and PAYFLUX_API_KEY
    where they are not given. `timeout` is in seconds. Every method raises ApiError for a refusal and Unreachable where
    nothing answers, after it was tried again; a key or an address that cannot be one is a ValueError."""

    def __init__(
        self,
        key: str | None = None,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        key = usable_key(key or os.environ.get("PAYFLUX_API_KEY", ""))
        base = usable_address(url or os.environ.get("PAYFLUX_API_URL") or HERE)
        self._sleep = sleep
        self._calls = Calls(
            httpx.Client(
                base_url=f"{base}/api/v1",
                headers={"Authorization": f"Bearer {key}", "User-Agent": "payflux-client"},
                timeout=timeout,
                transport=transport,
            ),
            sleep,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._calls.close()

    def request(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, json: object = None) -> Any:
        """The answer of any operation as plain values; None where there is no body."""
        answer = self._calls.send(method, path, query=query, json=json)
        return msgspec.json.decode(answer.content) if answer.content else None

    def risk(self) -> answers.Risk:
        """The workspace's risk, with its reasons, signals and forecast."""
        return self._get("/risk", answers.Risk)

    def scan(self, url: str, *, wait: float = 120.0) -> answers.WebsiteRisk:
        """What a reviewer would find on a website's public pages. Waits up to `wait` seconds for the scan, and gives it
        as it stands then."""
        while True:
            answer = self._calls.send("GET", "/risk", query={"url": url})
            found = msgspec.json.decode(answer.content, type=answers.WebsiteRisk)
            pause = float(answer.headers.get("Retry-After", "2"))
            wait -= pause
            if answer.status_code != httpx.codes.ACCEPTED or wait < 0:
                return found
            self._sleep(pause)

    def workspace(self) -> answers.Workspace:
        """How far the workspace has come."""
        return self._get("/workspace", answers.Workspace)

    def projection(self, merchant: str = "self") -> answers.Projection:
        """The trapped capital that is projected for a merchant of the workspace."""
        return self._get(f"/projections/{_part(merchant)}", answers.Projection)

    def projection_history(self, merchant: str = "self") -> Iterator[answers.PastProjection]:
        """What was said before, the newest first."""
        return self._pages(f"/projections/{_part(merchant)}/history", answers.PastProjection, limit=100)

    def projection_scores(self, merchant: str = "self", *, limit: int = 12) -> answers.TrackRecord:
        """How good the last `limit` projections were that are over."""
        return self._get(f"/projections/{_part(merchant)}/scores", answers.TrackRecord, limit=limit)

    def events(
        self, *, kinds: Sequence[str] = (), since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[answers.Event]:
        """Payment events from `since` on and before `until`, the newest first, of all `kinds` where none is named."""
        return self._pages(
            "/events",
            answers.Event,
            kind=list(kinds),
            since=since.isoformat() if since else None,
            until=until.isoformat() if until else None,
            limit=1000,
        )

    def stream_events(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[answers.Event]:
        """The same, the oldest first and in one snapshot, by one call: for a whole history."""
        span = {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
        for line in self._calls.lines("/events.ndjson", query=span):
            yield msgspec.json.decode(line, type=answers.Event)

    def event_schema(self) -> dict[str, Any]:
        """The JSON Schema of an event that can be posted."""
        return self._get("/events/schema", dict)

    def post_events(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Post events of any number, in batches that are each taken as a whole or not at all; how many were taken."""
        taken, rest = 0, iter(events)
        while batch := list(islice(rest, BATCH)):
            answer = self._calls.send("POST", "/events", json=batch, repeatable=True)
            taken += int(msgspec.json.decode(answer.content)["received"])
        return taken

    def alerts(self, *, states: Sequence[str] = ()) -> Iterator[answers.Alert]:
        """Alerts in any of `states`, those raised last first."""
        return self._pages("/alerts", answers.Alert, state=list(states), limit=100)

    def alert(self, alert_id: str) -> answers.Alert:
        return self._get(f"/alerts/{_part(alert_id)}", answers.Alert)

    def acknowledge(self, alert_id: str) -> answers.Alert:
        """Say that somebody looks after it."""
        return self._post(f"/alerts/{_part(alert_id)}/acknowledge", answers.Alert)

    def snooze(self, alert_id: str, length: str) -> answers.Alert:
        """Tell nothing of it for a while, such as `1d`."""
        return self._post(f"/alerts/{_part(alert_id)}/snooze", answers.Alert, {"length": length})

    def resolve(self, alert_id: str) -> answers.Alert:
        return self._post(f"/alerts/{_part(alert_id)}/resolve", answers.Alert)

    def alert_metrics(self) -> list[answers.AlertMetric]:
        """What a rule of your own may watch."""
        return self._list("/alert-rules/metrics", answers.AlertMetric)

    def alert_rules(self) -> list[answers.AlertRule]:
        """The default rules, then your own."""
        return self._list("/alert-rules", answers.AlertRule)

    def alert_rule(self, rule_id: str) -> answers.AlertRule:
        return self._get(f"/alert-rules/{_part(rule_id)}", answers.AlertRule)

    def add_alert_rule(
        self, name: str, metric: str, comparison: str, threshold: float, **more: object
    ) -> answers.AlertRule:
        """Add a rule of your own, such as ``("disputes", "dispute_activity", "above", 0.0075, by_mail=False)``."""
        asked = {"name": name, "metric": metric, "comparison": comparison, "threshold": threshold, **more}
        return self._post("/alert-rules", answers.AlertRule, asked, repeatable=True)

    def change_alert_rule(self, rule_id: str, **changes: object) -> answers.AlertRule:
        """Change a rule, such as ``armed=False``; what is not named stays."""
        answer = self._calls.send("PATCH", f"/alert-rules/{_part(rule_id)}", json=changes, repeatable=True)
        return msgspec.json.decode(answer.content, type=answers.AlertRule)

    def remove_alert_rule(self, rule_id: str) -> None:
        self._calls.send("DELETE", f"/alert-rules/{_part(rule_id)}")

    def test_alert_rule(self, rule_id: str) -> list[str]:
        """Have a test posted to each channel of a rule; the ids of the deliveries."""
        return [str(each["delivery_id"]) for each in self._post(f"/alert-rules/{_part(rule_id)}/test", dict)["data"]]

    def import_evidence(self, lines: bytes, file_name: str = "") -> answers.EvidenceImport:
        """Keep evidence from elsewhere, an exported ledger or one record a line; the same file only once."""
        query = {"file_name": file_name}
        answer = self._calls.send("POST", "/evidence/imports", query=query, lines=lines, repeatable=True)
        return msgspec.json.decode(answer.content, type=answers.EvidenceImport)

    def evidence_imports(self) -> Iterator[answers.EvidenceImport]:
        """What was brought from elsewhere, the newest first."""
        return self._pages("/evidence/imports", answers.EvidenceImport, limit=100)

    def sinks(self) -> list[answers.Sink]:
        return self._list("/sinks", answers.Sink)

    def add_sink(self, name: str, url: str) -> answers.Sink:
        """Have alerts posted to `url`; keep the `secret` of the answer, which signs them."""
        return self._post("/sinks", answers.Sink, {"name": name, "url": url}, repeatable=True)

    def remove_sink(self, sink_id: str) -> None:
        self._calls.send("DELETE", f"/sinks/{_part(sink_id)}")

    def test_sink(self, sink_id: str) -> str:
        """Have a test posted; the id of its delivery."""
        return str(self._post(f"/sinks/{_part(sink_id)}/test", dict)["delivery_id"])

    def deliveries(self, sink_id: str) -> list[answers.Delivery]:
        return self._list(f"/sinks/{_part(sink_id)}/deliveries", answers.Delivery)

    def replay(self, sink_id: str, delivery_id: str) -> None:
        """Have a delivery posted once more, under the same id."""
        self._calls.send("POST", f"/sinks/{_part(sink_id)}/deliveries/{_part(delivery_id)}/replay")

    def what_if(self, **changes: float) -> dict[str, Any]:
        """What would be different with `changes`, such as ``growth=0.2``; nothing is kept."""
        return self._post("/what-if", dict, changes, repeatable=True)

    def usage(self) -> list[answers.Usage]:
        """How much of every limit of the plan is used."""
        return self._list("/usage", answers.Usage)

    def _get(self, path: str, of: type[Answer], /, **query: object) -> Answer:
        return msgspec.json.decode(self._calls.send("GET", path, query=query).content, type=of)

    def _post(self, path: str, kind: type[Answer], body: object = None, *, repeatable: bool = False) -> Answer:
        answer = self._calls.send("POST", path, json=body, repeatable=repeatable)
        return msgspec.json.decode(answer.content, type=kind)

    def _list(self, path: str, kind: type[Answer]) -> list[Answer]:
        return [msgspec.convert(each, kind, strict=False) for each in self._get(path, dict)["data"]]

    def _pages(self, path: str, of: type[Answer], /, **query: object) -> Iterator[Answer]:
        cursor: str | None = ""
        while cursor is not None:
            page = self._get(path, dict, **query, cursor=cursor)
            yield from (msgspec.convert(each, of, strict=False) for each in page["data"])
            cursor = page["next_cursor"]


def _part(text: str) -> str:
    """`text` as one part of a path."""
    return quote(str(text), safe="")
