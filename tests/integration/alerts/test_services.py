"""Alerts reach Microsoft Teams and other services through Apprise, and an address leads nowhere but to its service."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from payflux.kit.errors import InvalidInput
from payflux.monitor.alerts.models import DeliveryState
from payflux.world import notify
from payflux.world.bootstrap import World
from payflux.world.notification_services import SERVICES, check_service_address, notify_service
from payflux.world.notify import AddressRefused
from tests.conftest import with_settings
from tests.integration.alerts.conftest import Watched
from tests.integration.alerts.test_posting import Receiver, added, answering, log_of, try_next, work_once
from tests.integration.alerts.test_posting_over_tls import certificate

TEAMS = "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke"
"""Where a workflow of Teams takes messages; the signature lets everybody post."""
SIGNED = f"{TEAMS}?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcDEF-123"


class Service(NamedTuple):
    port: int
    received: Receiver


@pytest.fixture
def teams(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A server on this machine that takes what Teams would."""
    path = certificate(tmp_path, "localhost", world)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    received = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering(received))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    yield Service(server.server_port, received)
    server.shutdown()
    server.server_close()


async def test_an_alert_reaches_teams_and_is_tried_again_where_it_was_refused(watched: Watched, teams: Service) -> None:
    channel, secret = await added(watched, "apprise", f"workflows://localhost:{teams.port}/flow/signature")
    assert (channel.shown, secret) == ("Microsoft Teams", "")
    teams.received.answers = [(429, {})]
    await watched.read(risk_tier=3, band="elevated")
    await work_once(watched)
    (delivery,) = await log_of(watched, channel)
    assert (delivery.row.state, delivery.tries[0].status) == (DeliveryState.WAITING, 429)
    await try_next(watched, delivery.row.id)
    (delivery,) = await log_of(watched, channel)
    assert (delivery.row.state, delivery.tries[1].status) == (DeliveryState.DELIVERED, 200)
    card = json.dumps(json.loads(teams.received.requests[-1][1]))
    assert "Risk tier 3 (elevated), up from 2" in card
    assert f"{watched.world.settings.url}/alerts#alert-" in card
    assert "github" not in card, "no picture of somebody else's"
    assert "signature" not in " ".join(one.outcome for one in delivery.tries)
    assert b"signature" not in channel.address


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "json://127.0.0.1/",
        "syslog://",
        "mailto://somebody:secret@example.com",
        "workflows://prod-12.westeurope.logic.azure.com/flow/signature?template=/etc/passwd",
        "workflows://prod-12.westeurope.logic.azure.com/flow/signature&template=/etc/passwd",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?verify=no",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?template=/etc/passwd",
        "https://discord.com.example.net/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "workflows://localhost:8443/flow/signature",
        "workflows://evil.example/flow/signature",
        "workflows://logic.azure.com.evil.example/flow/signature",
        "discord://",
        "",
        "tgram://" + "1" * 3000,
    ],
)
def test_in_production_no_address_names_a_file_an_option_or_another_host(world: World, address: str) -> None:
    settings = with_settings(world, environment="production").settings
    with pytest.raises(InvalidInput) as refused:
        check_service_address(settings, address, field="address")
    assert address == "" or address not in str(refused.value.fields)


@pytest.mark.parametrize(
    ("address", "service"),
    [
        (SIGNED, "Microsoft Teams"),
        ("workflows://prod-12.westeurope.logic.azure.com:443/flow/signature", "Microsoft Teams"),
        ("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "Discord"),
        ("https://chat.googleapis.com/v1/spaces/AAA/messages?key=KKK&token=TTT", "Google Chat"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", "Telegram"),
        ("https://webexapis.com/v1/webhooks/incoming/" + "a" * 80, "Webex"),
        ("pover://" + "u" * 30 + "@" + "t" * 30, "Pushover"),
    ],
)
def test_the_address_that_a_service_shows_is_taken(world: World, address: str, service: str) -> None:
    settings = with_settings(world, environment="production").settings
    assert check_service_address(settings, address, field="address")[1].name == service
    assert service in {each.name for each in SERVICES.values()}


async def test_a_host_that_leads_inside_is_not_posted_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(_host: str) -> list[tuple]:
        return [(2, 1, 6, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(notify, "_look_up", look_up)
    settings = with_settings(world, environment="production").settings
    with pytest.raises(AddressRefused):
        await notify_service(settings, SIGNED, title="Test", body="Nothing has happened", wrong=False)
