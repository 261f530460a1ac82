"""The whole life of a Stripe App's connection, at the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from payflux.monitor.processors.connecting.ending import give_up_access
from payflux.monitor.processors.connecting.oauth import authorize_app_with_code
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection
from payflux.settings import SANDBOX_APP_CLIENT_ID, SANDBOX_APP_SECRET_KEY
from payflux.world.stripe import AppOAuth, CodeRefused, Disconnected, StripeGateway
from tests.integration.connecting.conftest import Shop
from tests.sandbox_server import running_sandbox


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """A sandbox whose clock these tests may move."""
    with running_sandbox() as address:
        yield address


@pytest.fixture
def app_shop(shop: Shop, sandbox_url: str) -> Shop:
    app = {
        "stripe_app_client_id": SANDBOX_APP_CLIENT_ID,
        "stripe_app_secret_key": SecretStr(SANDBOX_APP_SECRET_KEY),
        "stripe_app_authorize_url": f"{sandbox_url}/oauth/v2/authorize",
    }
    return replace(shop, world=replace(shop.world, settings=shop.world.settings.model_copy(update=app)))


async def code_of(shop: Shop) -> str:
    """The code with which a merchant who installs the app comes back."""
    address = AppOAuth(shop.world.settings, shop.world.http).authorize_url(
        redirect_uri="http://127.0.0.1:9/back", state="mine"
    )
    answer = await shop.world.http.post(address, data={"merchant": "low-activity"})
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["mine"]
    return back["code"][0]


async def connected(shop: Shop) -> Connection:
    return await shop.connect(await authorize_app_with_code(shop.world, code=await code_of(shop)))


async def time_passes(shop: Shop, sandbox: str, **span: float) -> None:
    passed = timedelta(**span)
    shop.clock.move(passed)
    async with httpx.AsyncClient(base_url=sandbox) as client:
        (await client.post("/sandbox/clock", json={"advance": int(passed.total_seconds())})).raise_for_status()


async def reads(shop: Shop, connection: Connection) -> None:
    auth = await auth_of(shop.world, await shop.stored(connection))
    await StripeGateway(shop.world.settings, shop.world.http).reader(auth).get("/v1/balance")


async def test_an_app_is_installed_once_without_reading_the_account_and_outlives_its_tokens(
    app_shop: Shop, sandbox_url: str
) -> None:
    code = await code_of(app_shop)
    authorized = await authorize_app_with_code(app_shop.world, code=code)
    connection = await app_shop.connect(authorized)
    assert (connection.method, connection.status) == ("stripe_app", "degraded")
    assert connection.capabilities["account"] == "forbidden"
    assert connection.name
    for _ in range(3):
        await time_passes(app_shop, sandbox_url, hours=2)
        await reads(app_shop, connection)
    await time_passes(app_shop, sandbox_url, days=300)
    await reads(app_shop, connection)
    with pytest.raises(CodeRefused):
        await authorize_app_with_code(app_shop.world, code=code)


async def test_an_app_that_was_not_used_for_a_year_is_disconnected(app_shop: Shop, sandbox_url: str) -> None:
    connection = await connected(app_shop)
    await time_passes(app_shop, sandbox_url, days=366)
    with pytest.raises(Disconnected):
        await reads(app_shop, connection)


async def test_an_app_that_the_merchant_uninstalls_is_disconnected(app_shop: Shop, sandbox_url: str) -> None:
    connection = await connected(app_shop)
    path = f"{sandbox_url}/sandbox/accounts/{connection.external_account_id}/fire/app_uninstalled"
    (await app_shop.world.http.post(path)).raise_for_status()
    with pytest.raises(Disconnected):
        await reads(app_shop, connection)


async def test_disconnecting_here_uninstalls_the_app_there(app_shop: Shop, sandbox_url: str) -> None:
    connection = await connected(app_shop)
    await give_up_access(app_shop.world, connection)
    path = f"{sandbox_url}/sandbox/accounts/{connection.external_account_id}/fire/app_uninstalled"
    assert (await app_shop.world.http.post(path)).status_code == 400
