"""Connecting by a Stripe App, whose access tokens end and whose refresh tokens are good once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from payflux.monitor.processors.connecting.ending import ends_connection, give_up_access
from payflux.monitor.processors.connecting.oauth import WrongMode, authorize_app_with_code
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.monitor.processors.queries import get_pull
from payflux.world.stripe import CodeRefused, Disconnected, KeyRefused, StripeGateway
from tests.integration.connecting.app_server import ACCOUNT, AppServer
from tests.integration.connecting.conftest import Shop


async def connected(shop: Shop) -> Connection:
    return await shop.connect(await authorize_app_with_code(shop.world, code="ac_good"))


async def test_an_installed_app_connects_and_its_tokens_are_stored_encrypted(
    app_shop: Shop, app_server: AppServer
) -> None:
    connection = await connected(app_shop)
    assert (connection.method, connection.external_account_id) == ("stripe_app", ACCOUNT)
    assert connection.secret is not None
    assert b"secret_1" not in connection.secret
    assert connection.secret_expires_at == app_shop.clock.now() + timedelta(hours=1)
    auth = await auth_of(app_shop.world, connection)
    assert (auth.key, auth.stripe_account, auth.livemode) == ("app_access_secret_1", None, False)
    assert app_server.asked["refresh_token"] == 0


async def test_an_app_that_may_not_read_the_account_is_named_by_its_statements_and_asks_for_a_host(
    app_shop: Shop, app_server: AppServer
) -> None:
    app_server.reads_account = False
    connection = await connected(app_shop)
    assert connection.capabilities["account"] == "forbidden"
    assert (connection.status, connection.host, connection.host_source) == ("degraded", "", "")
    assert connection.name
    assert connection.default_currency == "usd"


async def test_a_used_code_and_the_other_mode_connect_nothing(app_shop: Shop, app_server: AppServer) -> None:
    with pytest.raises(CodeRefused):
        await authorize_app_with_code(app_shop.world, code="ac_used")
    app_server.livemode = True
    with pytest.raises(WrongMode, match="live account"):
        await authorize_app_with_code(app_shop.world, code="ac_good")


async def test_a_token_near_its_end_is_renewed_once_by_whoever_comes_first(
    app_shop: Shop, app_server: AppServer
) -> None:
    connection = await connected(app_shop)
    app_shop.clock.move(timedelta(minutes=56))
    app_server.refresh_delay = 0.2
    auths = await asyncio.gather(*(auth_of(app_shop.world, connection) for _ in range(4)))
    assert {auth.key for auth in auths} == {"app_access_secret_2"}
    assert app_server.asked["refresh_token"] == 1
    again = await app_shop.stored(connection)
    assert again.secret_expires_at == app_shop.clock.now() + timedelta(hours=1)
    assert (await auth_of(app_shop.world, again)).key == "app_access_secret_2"
    assert app_server.asked["refresh_token"] == 1


async def test_the_next_refresh_token_is_stored_before_the_access_token_is_used(
    app_shop: Shop, app_server: AppServer
) -> None:
    connection = await connected(app_shop)
    for number in (2, 3, 4):
        app_shop.clock.move(timedelta(hours=2))
        # nothing that was handed out is kept: each time the tokens come from the database alone
        auth = await auth_of(app_shop.world, await app_shop.stored(connection))
        assert auth.key == f"app_access_secret_{number}"
    assert app_server.asked["refresh_token"] == 3


async def test_a_pull_whose_token_ends_in_the_middle_goes_on_with_the_next(
    app_shop: Shop, app_server: AppServer
) -> None:
    connection = await connected(app_shop)
    app_server.ends_after = 8
    async with app_shop.world.database.tenant(app_shop.account_id) as session:
        pull = await start_pull(session, connection, app_shop.clock.now())
    await run_pull(app_shop.world, app_shop.account_id, pull.id)
    assert app_server.asked["refresh_token"] == 1
    async with app_shop.world.database.tenant(app_shop.account_id) as session:
        stored = await get_pull(session, account_id=app_shop.account_id, pull_id=pull.id)
    assert stored.finished_at is not None
    assert stored.objects > 100


async def test_a_refused_refresh_means_that_stripe_ended_the_connection(app_shop: Shop, app_server: AppServer) -> None:
    connection = await connected(app_shop)
    app_server.installed = False
    app_shop.clock.move(timedelta(hours=2))
    with pytest.raises(Disconnected) as refused:
        await auth_of(app_shop.world, connection)
    assert ends_connection(connection, refused.value)
    assert "secret" not in str(refused.value)


async def test_a_wrong_key_of_the_app_itself_ends_nobodys_connection(app_shop: Shop) -> None:
    connection = await connected(app_shop)
    app_shop.clock.move(timedelta(hours=2))
    settings = app_shop.world.settings.model_copy(update={"stripe_app_secret_key": SecretStr("sk_test_wrong")})
    with pytest.raises(KeyRefused) as refused:
        await auth_of(replace(app_shop.world, settings=settings), connection)
    assert not ends_connection(connection, refused.value)


async def test_disconnecting_uninstalls_the_app(app_shop: Shop, app_server: AppServer) -> None:
    connection = await connected(app_shop)
    await give_up_access(app_shop.world, connection)
    assert app_server.asked["deauthorize"] == 1


async def test_a_token_that_was_renewed_elsewhere_is_taken_from_the_database(
    app_shop: Shop, app_server: AppServer
) -> None:
    connection = await connected(app_shop)
    reader = StripeGateway(app_shop.world.settings, app_shop.world.http).reader(
        await auth_of(app_shop.world, connection)
    )
    app_shop.clock.move(timedelta(minutes=58))
    await auth_of(app_shop.world, connection)  # another worker, whose refresh ends the first token
    await reader.get("/v1/balance")
    assert app_server.asked["refresh_token"] == 1
