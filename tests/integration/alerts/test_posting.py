"""Alerts are posted to channels: signed, tried again, in a log, and never to what is inside."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import UUID

import httpx
import pytest
import time_machine
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from payflux.activation.alerting import keep_alerts_going, tell_alert
from payflux.kit.audit import AuditEntry
from payflux.kit.database import driver_connection
from payflux.kit.errors import InvalidInput
from payflux.monitor.alerts import channels
from payflux.monitor.alerts.asking import BETWEEN_TESTS, JustTested, replay, send_test
from payflux.monitor.alerts.delivering import KEPT_FOR, RETRY_AFTER, delete_old_deliveries, deliver_alert
from payflux.monitor.alerts.handling import resolve
from payflux.monitor.alerts.models import AlertChannel, DeliveryState
from payflux.monitor.alerts.policies import change_rule, get_rule
from payflux.monitor.alerts.posting import PAGERDUTY_URL
from payflux.monitor.alerts.queries import Delivered, deliveries_to
from payflux.worker.main import work
from payflux.world import notify
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.alerts.conftest import Watched
from tests.integration.entitlements.conftest import give_feature
from tests.running import free_port


@dataclass
class Receiver:
    """An endpoint that answers with the next of `answers`, then with 200."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


def answering(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    """What notes each request in `receiver`, and answers as it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"thank you\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's
            pass

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), answering(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_port}/incoming?tenant=7"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()


async def added(watched: Watched, kind: str, address: str) -> tuple[AlertChannel, str]:
    async with watched.world.database.tenant(watched.account_id) as session:
        return await channels.add_channel(
            session,
            watched.world,
            **watched.where,
            kind=kind,
            name="Ours",
            address=address,
            actor_id=watched.who.user_id,
        )


async def work_off(world: World) -> None:
    async with asyncio.timeout(60):
        await work(world, drain=True, heartbeat_timeout=timedelta(seconds=1))


async def log_of(watched: Watched, channel: AlertChannel) -> list[Delivered]:
    async with watched.world.database.tenant(watched.account_id) as session:
        return await deliveries_to(session, account_id=watched.account_id, target=channel.id)


async def try_next(watched: Watched, delivery_id: UUID) -> None:
    """As the job does whose time has come."""
    await deliver_alert(watched.world, {"account_id": str(watched.account_id), "delivery_id": str(delivery_id)})


def assert_signed(headers: dict[str, str], body: bytes, secret: str) -> None:
    """As the library of the specification's own authors finds it, at the time of the sending."""
    with time_machine.travel(int(headers["webhook-timestamp"]), tick=False):
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + b" ", headers)


async def test_an_alert_and_its_end_are_posted_signed_to_an_endpoint(watched: Watched, receiver: Receiver) -> None:
    channel, secret = await added(watched, "webhook", receiver.url)
    await watched.read(risk_tier=3, band="elevated")
    await work_off(watched.world)
    await watched.read(risk_tier=2)
    await watched.read(risk_tier=2)
    await work_off(watched.world)
    for headers, body in receiver.requests:
        assert_signed(headers, body, secret)
        assert headers["content-type"] == "application/json"
        assert headers["host"] == httpx.URL(receiver.url).netloc.decode()
    raised, cleared = (json.loads(body) for _, body in receiver.requests)
    assert (raised["type"], cleared["type"]) == ("alert.raised", "alert.cleared")
    assert raised["data"]["summary"] == "Risk tier 3 (elevated), up from 2"
    assert raised["data"]["facts"]["measured"] == {"tier": [3, 3, 3]}
    assert raised["data"]["alert_id"] == cleared["data"]["alert_id"] == str((await watched.alerts())[0].id)
    assert [DeliveryState(one.row.state) for one in await log_of(watched, channel)] == [DeliveryState.DELIVERED] * 2


async def test_a_post_that_fails_is_tried_again_under_its_id_for_days_and_then_given_up(
    watched: Watched, receiver: Receiver
) -> None:
    channel, secret = await added(watched, "webhook", receiver.url)
    receiver.answers = [(503, {}), (302, {"Location": "http://127.0.0.1:1/"})] + [(500, {})] * 20
    await watched.read(risk_tier=3)
    await work_once(watched)
    (delivery,) = await log_of(watched, channel)
    began, waits = watched.clock.now(), []
    while delivery.row.state == DeliveryState.WAITING:
        waits.append(delivery.row.due_at - watched.clock.now())
        watched.clock.move(waits[-1])
        await try_next(watched, delivery.row.id)
        (delivery,) = await log_of(watched, channel)
    assert len(delivery.tries) == len(waits) + 1 >= len(RETRY_AFTER)
    assert all(least <= wait <= 1.1 * least for least, wait in zip(RETRY_AFTER[-len(waits) :], waits, strict=True))
    assert watched.clock.now() - began > timedelta(days=3)
    assert delivery.row.state == DeliveryState.FAILED
    assert delivery.tries[0].outcome == "Answered 503: thank you"
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    assert len({body for _, body in receiver.requests}) == 1
    for headers, body in receiver.requests:
        assert_signed(headers, body, secret)
    receiver.answers = []
    async with watched.world.database.tenant(watched.account_id) as session:
        await replay(session, account_id=watched.account_id, delivery_id=delivery.row.id, now=watched.clock.now())
    await try_next(watched, delivery.row.id)
    (delivery,) = await log_of(watched, channel)
    assert (delivery.row.state, delivery.tries[-1].succeeded) == (DeliveryState.DELIVERED, True)


async def test_an_endpoint_that_asks_to_wait_is_waited_for_and_one_that_is_not_there_as_well(
    watched: Watched, receiver: Receiver
) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)
    gone, _ = await added(watched, "webhook", f"http://127.0.0.1:{free_port()}/")
    receiver.answers = [(429, {"Retry-After": "3600"})]
    await watched.read(risk_tier=3)
    await work_once(watched)
    (waiting,), (refused,) = await log_of(watched, channel), await log_of(watched, gone)
    assert waiting.row.due_at == watched.clock.now() + timedelta(hours=1)
    assert refused.row.state == DeliveryState.WAITING
    assert refused.tries[0].outcome.startswith("It could not be reached")


async def test_what_became_of_a_delivery_is_kept_for_90_days_and_longer_while_its_alert_is_not_over(
    watched: Watched, receiver: Receiver
) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)

    async def left(after: timedelta) -> list[DeliveryState]:
        watched.clock.move(after)
        async with watched.world.database.system() as session:
            await delete_old_deliveries(session, before=watched.clock.now() - KEPT_FOR)
        return [DeliveryState(one.row.state) for one in await log_of(watched, channel)]

    await watched.read(risk_tier=3)
    await work_once(watched)
    assert await left(KEPT_FOR + timedelta(days=1)) == [DeliveryState.DELIVERED]
    (alert,) = await watched.alerts()
    async with watched.world.database.tenant(watched.account_id) as session:
        await resolve(
            session,
            account_id=watched.account_id,
            alert_id=alert.id,
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
    assert await left(timedelta(0)) == []


async def tell(watched: Watched, event_id: UUID) -> None:
    await tell_alert(watched.world, {"account_id": str(watched.account_id), "event_id": str(event_id)})


async def work_once(watched: Watched) -> None:
    """Each job once: what fails at first would be tried again while a queue is drained."""
    async with watched.world.database.tenant(watched.account_id) as session:
        found = (await session.execute(select(AlertChannel))).scalars().all()
    (event,) = await watched.history()
    await tell(watched, event.id)
    for channel in found:
        for delivery in await log_of(watched, channel):
            await try_next(watched, delivery.row.id)


async def test_410_switches_a_channel_off_and_what_waits_for_it_is_dropped(
    watched: Watched, receiver: Receiver
) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)
    receiver.answers = [(410, {})]
    await watched.read(risk_tier=3)
    await work_off(watched.world)
    await watched.read(risk_tier=4)
    await work_off(watched.world)
    assert len(receiver.requests) == 1
    (delivery,) = await log_of(watched, channel)
    assert delivery.row.state == DeliveryState.DROPPED
    async with watched.world.database.tenant(watched.account_id) as session:
        stored = await channels.get_channel(session, account_id=watched.account_id, channel_id=channel.id)
        assert stored.disabled_because.startswith("It answered 410 Gone")
        await channels.enable(session, stored, actor_id=watched.who.user_id, now=watched.clock.now())
        actions = await session.execute(
            select(AuditEntry.action).where(AuditEntry.subject == str(channel.id)).order_by(AuditEntry.sequence)
        )
        assert list(actions.scalars()) == [
            "alert_channel.added",
            "alert_channel.disabled",
            "alert_channel.enabled",
        ]
    await watched.read(risk_tier=5)
    await work_off(watched.world)
    assert len(receiver.requests) == 2


async def test_a_post_that_a_worker_died_in_is_made_by_another(watched: Watched, receiver: Receiver) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)
    await watched.read(risk_tier=3)
    (event,) = await watched.history()
    await tell(watched, event.id)
    async with watched.world.database.system() as session:
        await (await driver_connection(session)).execute("DELETE FROM pgqueuer")
    watched.clock.move(timedelta(minutes=3))
    await keep_alerts_going(watched.world)
    await work_off(watched.world)
    assert [one.row.state for one in await log_of(watched, channel)] == [DeliveryState.DELIVERED]


async def test_slack_and_pagerduty_are_posted_to_in_their_own_forms(watched: Watched, receiver: Receiver) -> None:
    posted: list[httpx.Request] = []
    await added(watched, "slack", receiver.url)
    await added(watched, "pagerduty", "0123456789abcdef0123456789abcdef")
    await watched.read(risk_tier=3, causes=())
    await work_off(replace(watched.world, http=httpx.AsyncClient(transport=httpx.MockTransport(taking(posted)))))
    alert = (await watched.alerts())[0]
    by_host = {request.url.host: json.loads(request.content) for request in posted}
    slack, pager = by_host["127.0.0.1"], by_host["events.pagerduty.com"]
    assert slack["text"].startswith("*Risk tier 3 (moderate), up from 2*\nThe rule asks for a rise by 1 tier or more.")
    assert f"/alerts#alert-{alert.id}|Look at it in PayFlux>" in slack["text"]
    assert {str(request.url) for request in posted} == {PAGERDUTY_URL, receiver.url}
    assert (pager["event_action"], pager["dedup_key"]) == ("trigger", f"payflux {alert.id}")
    assert pager["routing_key"] == "0123456789abcdef0123456789abcdef"
    assert (pager["payload"]["severity"], pager["payload"]["source"]) == ("warning", "PayFlux")


async def test_a_rule_posts_to_its_channels_and_its_end_to_those_that_were_told(
    watched: Watched, receiver: Receiver
) -> None:
    told, _ = await added(watched, "webhook", receiver.url)
    silent, _ = await added(watched, "webhook", receiver.url)
    rule = await watched.rule("tier_escalation")
    async with watched.world.database.tenant(watched.account_id) as session:
        await change_rule(
            session,
            await get_rule(session, account_id=watched.account_id, rule_id=rule.id),
            threshold=1,
            by_mail=False,
            armed=True,
            told_to=None,
            posted_to=[told.id],
            actor_id=watched.who.user_id,
            now=watched.clock.now(),
        )
    await watched.read(risk_tier=3)
    await work_off(watched.world)
    late, _ = await added(watched, "webhook", receiver.url)
    await watched.read(risk_tier=2)
    await watched.read(risk_tier=2)
    await work_off(watched.world)
    assert [len(await log_of(watched, channel)) for channel in (told, silent, late)] == [2, 0, 0]


async def test_a_test_is_posted_and_says_that_it_is_one(watched: Watched, receiver: Receiver) -> None:
    channel, secret = await added(watched, "webhook", receiver.url)
    async with watched.world.database.tenant(watched.account_id) as session:
        await send_test(session, channel, now=watched.clock.now())
        with pytest.raises(JustTested):
            await send_test(session, channel, now=watched.clock.now())
        await send_test(session, channel, now=watched.clock.now() + BETWEEN_TESTS)
    await work_off(watched.world)
    (headers, body), _ = receiver.requests
    assert_signed(headers, body, secret)
    told = json.loads(body)
    assert (told["type"], told["data"]["facts"]) == ("alert.test", None)
    assert told["data"]["summary"].startswith("This is a test")


async def test_a_plan_without_the_feature_posts_nothing(watched: Watched, receiver: Receiver) -> None:
    await added(watched, "webhook", receiver.url)
    await give_feature(watched.world, watched.who, "webhook_sinks", enabled=False)
    await watched.read(risk_tier=3)
    await work_off(watched.world)
    assert receiver.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/",
        "https://user:secret@example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://",
        "example.com",
    ],
)
def test_production_refuses_addresses_inside_and_ways_without_encryption(world: World, address: str) -> None:
    with pytest.raises(InvalidInput):
        notify.check_url(with_settings(world, environment="production").settings, address, field="address")


@pytest.mark.parametrize(
    "found", [["10.0.0.7"], ["93.184.216.34", "127.0.0.1"], ["::ffff:192.168.0.1"], ["fe80::1%eth0"], []]
)
async def test_a_name_that_leads_inside_is_not_posted_to(
    world: World, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    resolving(monkeypatch, found)
    asked: list[httpx.Request] = []
    http = httpx.AsyncClient(transport=httpx.MockTransport(taking(asked)))
    settings = with_settings(world, environment="production").settings
    with pytest.raises(notify.AddressRefused):
        await notify.post(settings, http, "https://hooks.example.com/in", b"{}", {})
    assert asked == []


async def test_the_connection_is_made_to_the_address_that_was_checked_under_the_hosts_own_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, ["93.184.216.34"])
    asked: list[httpx.Request] = []
    http = httpx.AsyncClient(transport=httpx.MockTransport(taking(asked)))
    settings = with_settings(world, environment="production").settings
    assert (await notify.post(settings, http, "https://hooks.example.com:8443/in", b"{}", {})).taken
    (request,) = asked
    assert str(request.url) == "https://93.184.216.34:8443/in"
    assert request.headers["Host"] == "hooks.example.com:8443"
    assert request.extensions["sni_hostname"] == "hooks.example.com"


def taking(asked: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    def take(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    return take


def resolving(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Every name has these addresses."""

    async def look_up(_host: str) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    monkeypatch.setattr(notify, "_look_up", look_up)
