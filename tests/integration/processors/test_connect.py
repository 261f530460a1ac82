"""Connecting a workspace to Stripe and ending it, against the sandbox."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from sqlalchemy import func, select, text

from payflux.kit.errors import InvalidInput, Unavailable
from payflux.monitor.processors.account_state import stored_state
from payflux.monitor.processors.connecting.ending import disconnect, give_up_access
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.oauth import WrongMode, authorize_with_code
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.permissions import CAPABILITIES
from payflux.monitor.processors.queries import get_connection
from payflux.world.stripe import CodeRefused, ConnectOAuth, Disconnected, StripeGateway
from tests.conftest import with_settings
from tests.integration.processors.conftest import Shop


async def agreed(shop: Shop, merchant: str = "healthy") -> str:
    """The code that Stripe sends back once a merchant has agreed."""
    address = ConnectOAuth(shop.world.settings, shop.world.http).authorize_url(
        redirect_uri="http://127.0.0.1:8000/api/stripe/callback", state="the-state"
    )
    response = await shop.world.http.post(address, data={"merchant": merchant})
    answer = parse_qs(urlsplit(response.headers["location"]).query)
    assert answer["state"] == ["the-state"]
    return answer["code"][0]


async def connect_by_oauth(shop: Shop, code: str) -> Connection:
    return await shop.store(await authorize_with_code(shop.world, code=code))


async def connections(shop: Shop) -> int:
    async with shop.world.database.tenant(shop.account_id) as session:
        return (await session.execute(select(func.count()).select_from(Connection))).scalar_one()


async def stored(shop: Shop, connection: Connection) -> Connection:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await get_connection(session, account_id=shop.account_id, connection_id=connection.id)


async def end(shop: Shop, connection: Connection) -> None:
    await give_up_access(shop.world, connection)
    async with shop.world.database.tenant(shop.account_id) as session:
        await disconnect(
            session,
            account_id=shop.account_id,
            connection_id=connection.id,
            now=shop.world.clock.now(),
        )


async def test_a_restricted_key_connects_its_account_with_what_it_may_read(shop: Shop) -> None:
    connection = await shop.connect("default")
    assert (connection.method, connection.status, connection.livemode) == ("restricted_key", "active", False)
    assert set(connection.capabilities) == set(CAPABILITIES)
    assert "forbidden" not in connection.capabilities.values()
    state = stored_state(connection.snapshot)
    assert state.account is not None
    assert state.balance is not None
    assert (state.account.external_id, state.account.default_currency) == (connection.external_account_id, "usd")
    assert connection.name == state.account.name
    assert connection.host == urlsplit(state.account.url).hostname
    assert state.balance.available["usd"] > 0


async def test_the_key_is_stored_encrypted_and_opens_for_its_own_row_alone(shop: Shop) -> None:
    connection = await shop.connect("default")
    assert connection.secret is not None
    assert b"rk_test" not in connection.secret
    assert (await auth_of(shop.world, connection)).key == "rk_test_sandbox_default"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sk_test_sandbox", "secret key"),
        ("pk_test_1", "publishable key"),
        ("hello", "rk_live_"),
        ("rk_test_sandbox_défaut", "rk_live_"),
        ("rk_test_sandbox default", "rk_live_"),
        ("rk_test_unknown", "does not accept"),
    ],
)
async def test_a_wrong_key_is_refused_in_words_and_nothing_is_stored(shop: Shop, key: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await authorize_with_key(shop.world, key=key)
    assert said in refused.value.fields["key"]
    assert key not in refused.value.fields["key"]
    assert await connections(shop) == 0


async def test_a_secret_key_is_never_sent_anywhere(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await authorize_with_key(shop.world, key="sk_test_sandbox")
    assert shop.network.requests == []


async def test_a_key_without_disputes_connects_degraded(shop: Shop) -> None:
    connection = await shop.connect("default_no_disputes")
    assert connection.status == "degraded"
    forbidden = {name for name, state in connection.capabilities.items() if state == "forbidden"}
    assert "disputes" in forbidden
    assert "charges" not in forbidden


async def test_a_key_that_may_not_read_charges_is_refused_by_name(shop: Shop) -> None:
    missing = {"error": {"message": "Having the 'rak_charge_read' permission would allow this", "type": "x"}}
    shop.network.refuse = lambda request: (
        httpx.Response(403, json=missing) if request.url.path == "/v1/charges" else None
    )
    with pytest.raises(InvalidInput) as refused:
        await shop.connect("default")
    assert "Charges" in refused.value.fields["key"]


async def test_oauth_connects_and_keeps_no_token(shop: Shop) -> None:
    connection = await connect_by_oauth(shop, await agreed(shop))
    assert (connection.method, connection.status, connection.secret) == ("connect_oauth", "active", None)
    assert (await auth_of(shop.world, connection)).stripe_account == connection.external_account_id


async def test_a_code_connects_once(shop: Shop) -> None:
    code = await agreed(shop)
    await connect_by_oauth(shop, code)
    with pytest.raises(CodeRefused):
        await connect_by_oauth(shop, code)


async def test_an_account_of_the_other_mode_is_refused(shop: Shop) -> None:
    code = await agreed(shop)
    response = {"stripe_user_id": "acct_1", "livemode": True, "scope": "read_write"}
    shop.network.refuse = lambda request: (
        httpx.Response(200, json=response) if request.url.path == "/oauth/token" else None
    )
    with pytest.raises(WrongMode, match="live account"):
        await connect_by_oauth(shop, code)
    assert await connections(shop) == 0


async def test_the_same_account_connected_again_is_the_same_connection(shop: Shop) -> None:
    first = await shop.connect("healthy")
    await end(shop, first)
    again = await connect_by_oauth(shop, await agreed(shop, "healthy"))
    assert again.id == first.id
    assert (again.status, again.method, again.disconnected_at) == ("active", "connect_oauth", None)
    assert await connections(shop) == 1


async def test_the_live_mode_of_an_account_is_another_connection_than_its_test_mode(shop: Shop) -> None:
    authorized = await authorize_with_key(shop.world, key="rk_test_sandbox_healthy")
    test_mode = await shop.store(authorized)
    live_mode = await shop.store(msgspec.structs.replace(authorized, livemode=True))
    assert test_mode.id != live_mode.id
    assert (test_mode.livemode, live_mode.livemode) == (False, True)
    assert (await shop.store(authorized)).id == test_mode.id


async def test_a_disconnected_key_is_forgotten(shop: Shop) -> None:
    connection = await shop.connect("healthy")
    await end(shop, connection)
    ended = await stored(shop, connection)
    assert (ended.status, ended.secret) == ("disconnected", None)
    assert ended.disconnected_at is not None
    with pytest.raises(Disconnected):
        await auth_of(shop.world, ended)


async def test_disconnecting_oauth_gives_the_access_up_at_stripe(shop: Shop) -> None:
    connection = await connect_by_oauth(shop, await agreed(shop, "dispute-spike"))
    await end(shop, connection)
    reader = StripeGateway(shop.world.settings, shop.world.http).reader(await auth_of(shop.world, connection))
    with pytest.raises(Disconnected):
        await reader.get("/v1/account")


async def test_giving_up_oauth_takes_nothing_from_another_workspace_that_reads_the_same_account(shop: Shop) -> None:
    first = await connect_by_oauth(shop, await agreed(shop, "dispute-spike"))
    other = Shop(shop.world, shop.network)
    second = await connect_by_oauth(other, await agreed(other, "dispute-spike"))
    await end(shop, first)
    reader = StripeGateway(other.world.settings, other.world.http).reader(await auth_of(other.world, second))
    assert first.external_account_id.encode() in await reader.get("/v1/account")
    await end(other, second)
    with pytest.raises(Disconnected):
        await reader.get("/v1/account")


async def test_a_disconnection_that_stripe_did_not_hear_of_is_not_claimed(shop: Shop) -> None:
    connection = await connect_by_oauth(shop, await agreed(shop))
    shop.network.refuse = lambda _request: httpx.Response(503)
    with pytest.raises(Unavailable, match="still in place"):
        await end(shop, connection)
    assert (await stored(shop, connection)).status == "active"


async def test_another_account_does_not_see_the_connection(shop: Shop) -> None:
    await shop.connect("healthy")
    other = Shop(with_settings(shop.world), shop.network)
    assert await connections(other) == 0
    async with other.world.database.tenant(other.account_id) as session:
        assert (await session.execute(text("SELECT count(*) FROM processor_connections"))).scalar_one() == 0
