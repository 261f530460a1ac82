"""How Stripe's events come to a connection: an endpoint that PayFlux makes, one the merchant registers, or none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from payflux.kit.errors import InvalidInput
from payflux.monitor.processors.connecting.ending import disconnect, give_up_access
from payflux.monitor.processors.connecting.endpoint import create_webhook_endpoint
from payflux.monitor.processors.connecting.event_types import EVENT_TYPES
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.signing import (
    MOST_SECRETS,
    Reach,
    add_signing_secret,
    endpoint_url,
    reach_of,
    reachable,
    remove_signing_secret,
    secret_ending,
    signing_secrets,
)
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import get_connection
from payflux.settings import STRIPE_API_VERSION
from tests.integration.connecting.conftest import Shop

PATH = "/v1/webhook_endpoints"


class Endpoints:
    """Stripe's webhook endpoints: makes one for each idempotency key, and tells its secret in that answer alone."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, list[str]]] = {}
        self.deleted: list[str] = []
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith(PATH):
            return None
        if request.method == "GET":
            number = request.url.path.removeprefix(PATH).strip("/")
            if not number:
                return httpx.Response(200, json={"data": [], "has_more": False})
            if number in self.deleted or number not in self._ids():
                return httpx.Response(404, json={"error": {"code": "resource_missing", "message": "No such endpoint"}})
            return httpx.Response(200, json=self._endpoint(number))
        if self.refusal is not None:
            return self.refusal
        if request.method == "DELETE":
            self.deleted.append(request.url.path.rpartition("/")[2])
            return httpx.Response(200, json={"deleted": True})
        key = request.headers["Idempotency-Key"]
        self.made.setdefault(key, parse_qs(request.content.decode()))
        number = f"we_{list(self.made).index(key)}"
        return httpx.Response(200, json=self._endpoint(number) | {"secret": f"whsec_made_{number}"})

    def _ids(self) -> list[str]:
        return [f"we_{n}" for n in range(len(self.made))]

    def _endpoint(self, number: str) -> dict[str, str]:
        return {"id": number, "status": "enabled", "url": list(self.made.values())[int(number[3:])]["url"][0]}


@pytest.fixture
def endpoints(shop: Shop) -> Endpoints:
    stand_in = Endpoints()
    shop.network.refuse = stand_in
    return stand_in


async def connected(shop: Shop) -> Connection:
    return await shop.connect(await authorize_with_key(shop.world, key="rk_test_sandbox_healthy"))


async def make(shop: Shop, connection: Connection) -> Connection:
    payload = {"account_id": str(shop.account_id), "connection_id": str(connection.id)}
    await create_webhook_endpoint(shop.world, payload)
    return await shop.stored(connection)


async def test_an_endpoint_is_made_once_with_our_version_and_its_secret_is_kept_encrypted(
    shop: Shop, endpoints: Endpoints
) -> None:
    connection = await connected(shop)
    assert connection.capabilities["webhook_endpoints"] == "ok"
    assert reach_of(shop.world.settings, connection) is Reach.POLLING
    made = await make(shop, connection)
    assert await make(shop, connection) is not None
    [fields] = endpoints.made.values()
    assert fields["api_version"] == [STRIPE_API_VERSION]
    assert fields["url"] == [endpoint_url(shop.world, connection)]
    assert set(fields["enabled_events[]"]) == set(EVENT_TYPES)
    assert made.hook_endpoint_id == "we_0"
    assert made.hook_secrets is not None
    assert b"whsec" not in made.hook_secrets
    assert signing_secrets(shop.world, made) == ["whsec_made_we_0"]
    assert made.hook_digest == shop.world.tokens.digest(endpoint_url(shop.world, made).rpartition("/")[2])
    assert reach_of(shop.world.settings, made) is Reach.ENDPOINT


async def test_a_worker_that_died_before_it_stored_the_secret_gets_the_same_endpoint_again(
    shop: Shop, endpoints: Endpoints
) -> None:
    connection = await connected(shop)
    made = await make(shop, connection)
    async with shop.world.database.tenant(shop.account_id) as session:
        stored = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        stored.hook_endpoint_id, stored.hook_secrets, stored.hook_digest = "", None, None
    again = await make(shop, connection)
    assert len(endpoints.made) == 1
    assert (again.hook_endpoint_id, signing_secrets(shop.world, again)) == ("we_0", signing_secrets(shop.world, made))


async def test_an_endpoint_that_was_deleted_at_stripe_is_made_anew(shop: Shop, endpoints: Endpoints) -> None:
    connection = await connected(shop)
    await make(shop, connection)
    endpoints.deleted.append("we_0")
    assert (await make(shop, connection)).hook_endpoint_id == "we_1"


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        (403, {"message": "Having the 'rak_webhook_write' permission would allow this request"}, "forbidden"),
        (400, {"message": "Invalid URL: URL must be publicly accessible.", "code": "url_invalid"}, "not_enabled"),
    ],
)
async def test_where_stripe_makes_none_polling_stays_in_force(
    shop: Shop, endpoints: Endpoints, status: int, error: dict[str, str], state: str
) -> None:
    connection = await connected(shop)
    endpoints.refusal = httpx.Response(status, json={"error": error})
    stored = await make(shop, connection)
    assert stored.capabilities["webhook_endpoints"] == state
    assert (stored.status, reach_of(shop.world.settings, stored)) == ("active", Reach.POLLING)


async def test_disconnecting_deletes_the_endpoint_and_forgets_its_secret(shop: Shop, endpoints: Endpoints) -> None:
    connection = await make(shop, await connected(shop))
    await give_up_access(shop.world, connection)
    async with shop.world.database.tenant(shop.account_id) as session:
        await disconnect(session, account_id=shop.account_id, connection_id=connection.id, now=shop.clock.now())
    assert endpoints.deleted == ["we_0"]
    ended = await shop.stored(connection)
    assert (ended.hook_digest, ended.hook_secrets, ended.hook_endpoint_id) == (None, None, "")
    assert ended.disconnected_by == "merchant"
    shop.clock.move(timedelta(minutes=1))
    again = await make(shop, await connected(shop))
    assert again.hook_endpoint_id == "we_1"


async def test_an_outage_at_stripe_does_not_keep_a_key_connected(shop: Shop, endpoints: Endpoints) -> None:
    connection = await make(shop, await connected(shop))
    endpoints.refusal = httpx.Response(401, json={"error": {"message": "no"}})
    await give_up_access(shop.world, connection)
    assert endpoints.deleted == []


async def test_a_pasted_secret_is_accepted_rolled_and_removed(shop: Shop) -> None:
    connection, now = await connected(shop), shop.clock.now()

    async def add(secret: str) -> None:
        async with shop.world.database.tenant(shop.account_id) as session:
            stored = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
            await add_signing_secret(session, shop.world, stored, secret, now=now, actor_id=shop.user_id)

    for wrong in ("", "whsec_short", "sk_test_1234567890", "whsec_with space", "rk_test_sandbox_healthy"):
        with pytest.raises(InvalidInput) as refused:
            await add(wrong)
        assert not wrong or wrong not in refused.value.fields["secret"]
    for number in range(MOST_SECRETS):
        await add(f"whsec_secret_{number}")
    await add("whsec_secret_0")
    with pytest.raises(InvalidInput, match="attention") as full:
        await add("whsec_one_too_many")
    assert "Remove one" in full.value.fields["secret"]
    stored = await shop.stored(connection)
    assert signing_secrets(shop.world, stored) == ["whsec_secret_1", "whsec_secret_2", "whsec_secret_0"]
    for secret in signing_secrets(shop.world, stored):
        async with shop.world.database.tenant(shop.account_id) as session:
            stored = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
            await remove_signing_secret(
                session, shop.world, stored, secret_ending(secret), now=now, actor_id=shop.user_id
            )
    ended = await shop.stored(connection)
    assert (ended.hook_secrets, ended.hook_digest) == (None, None)


async def test_only_an_address_that_stripe_can_reach_is_given_to_it(shop: Shop) -> None:
    settings = shop.world.settings
    assert reachable(settings)  # the sandbox is on this machine
    real = settings.model_copy(update={"stripe_secret_key": SecretStr("sk_test_real")})
    assert not reachable(real)
    assert not reachable(real.model_copy(update={"public_url": "http://payflux.example"}))
    assert reachable(real.model_copy(update={"public_url": "https://payflux.example"}))


async def test_no_two_connections_share_an_address_and_it_tells_no_id(shop: Shop) -> None:
    connection = await connected(shop)
    address = endpoint_url(shop.world, connection)
    assert connection.external_account_id not in address
    assert str(connection.id) not in address
    other = replace(shop.world, tokens=type(shop.world.tokens)("another secret, of another installation"))
    assert endpoint_url(other, connection) != address


async def test_an_endpoint_that_is_made_while_the_connection_ends_is_deleted_at_stripe(
    shop: Shop, endpoints: Endpoints
) -> None:
    connection = await connected(shop)
    payload = {"account_id": str(shop.account_id), "connection_id": str(connection.id)}
    asked, answer, real = asyncio.Event(), asyncio.Event(), shop.network.handle_async_request

    async def slow(request: httpx.Request) -> httpx.Response:
        response = await real(request)
        if request.method == "POST" and request.url.path == PATH:
            asked.set()
            await answer.wait()
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.network, "handle_async_request", slow)
        job = asyncio.create_task(create_webhook_endpoint(shop.world, payload))
        await asked.wait()
        async with shop.world.database.tenant(shop.account_id) as session:
            await disconnect(session, account_id=shop.account_id, connection_id=connection.id, now=shop.clock.now())
        answer.set()
        await job
    assert endpoints.deleted == ["we_0"]
    assert (await shop.stored(connection)).hook_endpoint_id == ""
