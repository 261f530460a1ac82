"""What is to be posted now is posted now, and an endpoint that dawdles keeps no worker waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from payflux.kit.crypto import SecretBox
from payflux.kit.database import driver_connection
from payflux.kit.jobs import Payload
from payflux.monitor.alerts.asking import replay
from payflux.monitor.alerts.channels import get_channel
from payflux.monitor.alerts.delivering import deliver_alert
from payflux.monitor.alerts.models import DeliveryState
from payflux.settings import Settings
from payflux.world import notify, public_http
from payflux.world.notify import PostFailure
from payflux.world.public_http import PublicHttp
from tests.integration.alerts.conftest import Watched
from tests.integration.alerts.test_posting import Receiver, added, log_of, receiver, tell, work_once

__all__ = ["receiver"]

PATIENT = httpx.Timeout(10.0)


async def test_a_delivery_that_waits_for_its_time_is_posted_at_once_where_somebody_asks_and_not_again_later(
    watched: Watched, receiver: Receiver
) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)
    receiver.answers = [(429, {"Retry-After": "36000"}), (503, {})]
    await watched.read(risk_tier=3)
    await work_once(watched)
    (waiting,) = await log_of(watched, channel)
    assert (waiting.row.state, len(receiver.requests)) == (DeliveryState.WAITING, 1)
    await taken_from_queue(watched)
    async with watched.world.database.tenant(watched.account_id) as session:
        await replay(session, account_id=watched.account_id, delivery_id=waiting.row.id, now=watched.clock.now())
    for payload in await taken_from_queue(watched):
        await deliver_alert(watched.world, payload)
    assert len(receiver.requests) == 2
    # when its time comes, that try has been made
    waited = {"account_id": str(watched.account_id), "delivery_id": str(waiting.row.id), "attempt": "2"}
    await deliver_alert(watched.world, waited)
    assert len(receiver.requests) == 2
    await deliver_alert(watched.world, waited | {"attempt": "3"})
    (delivered,) = await log_of(watched, channel)
    assert (delivered.row.state, len(delivered.tries)) == (DeliveryState.DELIVERED, 3)


async def taken_from_queue(watched: Watched) -> list[Payload]:
    """The deliveries that could begin now, which nobody else begins from now on."""
    taken = (
        "DELETE FROM pgqueuer WHERE entrypoint = 'deliver_alert' AND execute_after <= now() "
        "RETURNING convert_from(payload, 'UTF8') AS payload"
    )
    async with watched.world.database.system() as session:
        rows = await (await driver_connection(session)).fetch(taken)
    return [json.loads(row["payload"]) for row in rows]


@pytest.fixture
async def dawdler() -> AsyncIterator[str]:
    """A server that answers without an end, a little at a time."""

    async def dawdle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
                await asyncio.sleep(0.1)

    server = await asyncio.start_server(dawdle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


async def posted(settings: Settings, http: httpx.AsyncClient, url: str) -> object:
    return await notify.post(settings, http, url, b"{}", {})


async def asked(settings: Settings, http: httpx.AsyncClient, url: str) -> object:
    return await PublicHttp(settings, http).get(url, timeout=PATIENT)


@pytest.mark.parametrize(("ask", "failure"), [(posted, PostFailure), (asked, httpx.TimeoutException)])
async def test_an_answer_that_never_ends_is_not_waited_for(
    dawdler: str,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Settings, httpx.AsyncClient, str], Awaitable[object]],
    failure: type[Exception],
) -> None:
    for module in (notify, public_http):
        monkeypatch.setattr(module, "_PATIENCE", 0.3)
    async with asyncio.timeout(5), httpx.AsyncClient() as http:
        with pytest.raises(failure):
            await ask(Settings(), http, dawdler)


async def test_a_channel_whose_address_cannot_be_read_any_more_says_so_and_is_not_tried_for_ever(
    watched: Watched, receiver: Receiver
) -> None:
    channel, _ = await added(watched, "webhook", receiver.url)
    await watched.read(risk_tier=3)
    (event,) = await watched.history()
    await tell(watched, event.id)
    (delivery,) = await log_of(watched, channel)
    other = replace(watched.world, secrets=SecretBox("another secret, 32 characters or more of it"))
    await deliver_alert(other, {"account_id": str(watched.account_id), "delivery_id": str(delivery.row.id)})
    (delivery,) = await log_of(watched, channel)
    assert (delivery.row.state, receiver.requests) == (DeliveryState.DROPPED, [])
    async with watched.world.database.tenant(watched.account_id) as session:
        stored = await get_channel(session, account_id=watched.account_id, channel_id=channel.id)
    assert "Add it anew" in stored.disabled_because == delivery.tries[0].outcome
