"""What a Prometheus reads, who may, and that the alert rules speak of what is there."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from payflux.app import create_app
from payflux.kit.failures import JOB, MAIL, count_failure
from payflux.kit.jobs import enqueue
from payflux.web.policies import guarded_routes
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser

RULES = yaml.safe_load(Path("deploy/prometheus/rules.yml").read_text())
TOKEN = "a token for the collector"


def collecting(world: World) -> World:
    return with_settings(world, metrics_token=SecretStr(TOKEN), stripe_webhook_secrets=SecretStr("whsec_one"))


async def samples(browser: Browser) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await browser.get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_requests_failures_and_the_state_of_the_queue_are_told_by_names_of_ours(world: World) -> None:
    browser = Browser(create_app(collecting(world)))
    assert (await browser.post("/register", {"name": "", "email": "", "password": ""})).status_code == 422
    forged = await browser.http.post("/api/v1/webhooks/stripe", content=b"{}", headers={"Stripe-Signature": "t=1,v1=0"})
    assert forged.status_code == 400
    assert (await browser.get("/no/such/alice@shop.example")).status_code == 404
    assert (await browser.get("/api/v1/billing/state", Accept="application/json")).status_code == 401
    now = world.clock.now()
    async with world.database.system() as session:
        await enqueue(session, "tell_alert", {"alert_id": "1"})
        for day in range(2):
            await count_failure(session, MAIL, "verify_address", at=now - timedelta(days=day))
        await count_failure(session, JOB, "read_workspace", at=now)
    found = await samples(browser)

    def told(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    requests = "payflux_http_requests_total"
    assert told(requests, method="POST", route="/register", status="422") == 1
    assert told(requests, method="POST", route="/api/v1/webhooks/stripe", status="400") == 1
    assert told(requests, method="GET", route="unmatched", status="404") == 1
    assert told(requests, method="GET", route="/api/v1/billing/state", status="401") == 1
    assert told("payflux_http_request_seconds_count", method="POST", route="/register") == 1
    assert told("payflux_webhook_signature_failures_total", source="billing") == 1
    assert told("payflux_mail_failures_total", mail="verify_address") == 2
    assert told("payflux_jobs_dead_total", job="read_workspace") == 1
    assert told("payflux_jobs_waiting", job="tell_alert") == 1
    assert told("payflux_activations_stuck") == 0
    assert "alice" not in str(found)


async def test_every_metric_and_label_of_an_alert_rule_is_there_and_every_rule_says_what_to_do(world: World) -> None:
    app = create_app(collecting(world))
    browser = Browser(app)
    await browser.get("/healthz")
    found = [(name, dict(labels)) for name, labels in await samples(browser)]
    names = {name for name, _ in found}
    routes = {route.path for route in guarded_routes(app)}
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len(rules) >= 12
    for rule in rules:
        used = set(re.findall(r"payflux_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert used <= names, rule["alert"]
        for name, matchers in re.findall(r"(payflux_\w+)\{([^}]*)\}", rule["expr"]):
            labels = [each for metric, each in found if metric == name]
            for label, how, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
                assert all(label in each for each in labels), (rule["alert"], label)
                told = routes if label == "route" else {each[label] for each in labels}
                pattern = value if "~" in how else re.escape(value)
                if label != "status":  # an answer that never came has no line yet
                    assert any(re.fullmatch(pattern, each) for each in told), (rule["alert"], value)
        for grouped in re.findall(r"by \((\w+(?:, *\w+)*)\)", rule["expr"]):
            known = {label for metric, each in found if metric in used for label in each}
            assert set(re.split(", *", grouped)) <= known, (rule["alert"], grouped)
        assert {"summary", "action"} == set(rule["annotations"])
        assert rule["labels"]["severity"] in ("page", "ticket")
    (slow,) = (rule["expr"] for rule in rules if rule["alert"] == "SlowRequests")
    left_out = [value if how == "!~" else re.escape(value) for how, value in re.findall(r'route(!~|!=)"([^"]*)"', slow)]
    assert [path for path in routes if any(re.fullmatch(each, path) for each in left_out)] == [
        "/activate/arming/events"
    ], "only what stays open by design may be slow"


async def test_metrics_are_for_a_collector_with_the_token_and_else_for_this_machine_in_development(
    world: World,
) -> None:
    async def status(world: World, *, host: str, address: str, **headers: str) -> int:
        transport = httpx.ASGITransport(create_app(world), client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as http:
            return (await http.get("/metrics", headers=headers)).status_code

    local = {"host": "localhost:8000", "address": "127.0.0.1"}
    assert await status(world, **local) == 200
    assert await status(world, host="localhost:8000", address="203.0.113.7") == 404
    assert await status(world, host="payflux.example", address="127.0.0.1") == 404, "a proxy on this machine"
    assert await status(world, **local, **{"X-Forwarded-For": "203.0.113.7"}) == 404
    assert await status(with_settings(world, environment="production"), **local) == 404
    assert await status(collecting(world), **local) == 404
    assert await status(collecting(world), **local, Authorization="Bearer another") == 404
    assert (
        await status(collecting(world), host="a.example", address="203.0.113.7", Authorization=f"Bearer {TOKEN}") == 200
    )
