"""An account's states, one after another: what changed, what it held, and the reviews of its payments."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest
from sqlalchemy import select

from payflux.monitor.processors.account_state import AccountState, stored_state
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.connecting.ending import disconnect
from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import ConnectionEnded, look_again
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, ConnectionStatus, StoredBalance, StoredEvent
from payflux.monitor.processors.queries import count_events, get_connection
from payflux.monitor.processors.reviewing import refresh_reviews
from payflux.monitor.processors.snapshots import BalanceSnapshot
from payflux.monitor.processors.state_history import record_state
from payflux.world.stripe import StripeGateway
from tests.integration.processors.conftest import Shop
from tests.unit.processors import objects


async def record(shop: Shop, connection: Connection, state: AccountState) -> None:
    async with shop.world.database.tenant(shop.account_id) as session:
        await record_state(session, connection, state)


async def stored(shop: Shop, connection: Connection) -> tuple[AccountState, int, list[int | None]]:
    """The snapshot, how many changes are kept, and what was reserved at each balance."""
    async with shop.world.database.tenant(shop.account_id) as session:
        found = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        counts = await count_events(session, account_id=shop.account_id, connection_id=connection.id)
        balances = select(StoredBalance.reserved).order_by(StoredBalance.taken_at)
        reserved = list((await session.execute(balances)).scalars())
    return stored_state(found.snapshot), counts.get(Kind.ACCOUNT_CHANGE, 0), reserved


async def test_a_change_is_an_event_and_every_balance_is_kept(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    account = stored_state(connection.snapshot).account
    assert account is not None
    later = account.taken_at + timedelta(hours=1)
    paused = msgspec.structs.replace(account, taken_at=later, payouts_enabled=False)
    held = BalanceSnapshot(taken_at=later, available={"usd": 5}, reserved={"usd": 7})
    await record(shop, connection, AccountState(paused, held))
    await record(shop, connection, AccountState(paused, held))
    assert await stored(shop, connection) == (AccountState(paused, held), 1, [None, 7])
    shown = BalanceSnapshot(taken_at=later + timedelta(hours=1), available={"usd": 6})
    await record(shop, connection, AccountState(None, shown))
    assert await stored(shop, connection) == (AccountState(paused, shown), 1, [None, 7, None])


async def test_what_changed_while_an_account_was_not_connected_is_kept_and_what_may_no_longer_be_read_is_not(
    shop: Shop,
) -> None:
    connection = await shop.connect("low_activity")
    account = stored_state(connection.snapshot).account
    assert account is not None
    earlier = msgspec.structs.replace(account, taken_at=account.taken_at - timedelta(days=9), payouts_enabled=False)
    async with shop.world.database.tenant(shop.account_id) as session:
        found = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        found.snapshot = AccountState(earlier, stored_state(connection.snapshot).balance).stored()
        found.status = ConnectionStatus.DISCONNECTED
    again = await authorize_with_key(shop.world, key="rk_test_sandbox_low_activity")
    await shop.store(msgspec.structs.replace(again, state=AccountState(again.state.account, None)))
    state, changes, _ = await stored(shop, connection)
    assert state == AccountState(again.state.account, None)
    assert changes == 1


async def test_a_second_look_keeps_what_changed_and_what_nobody_probes_for(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    account = stored_state(connection.snapshot).account
    assert account is not None
    paused = msgspec.structs.replace(account, taken_at=account.taken_at + timedelta(hours=1), payouts_enabled=False)
    async with shop.world.database.tenant(shop.account_id) as session:
        found = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        found.capabilities = found.capabilities | {"declines": "unknown"}
        await look_again(session, found, AccountState(paused, None), connection.capabilities | {"refunds": "forbidden"})
        assert (found.status, found.capabilities["declines"]) == (ConnectionStatus.DEGRADED, "unknown")
    state, changes, _ = await stored(shop, connection)
    assert (state.account, changes) == (paused, 1)
    assert state.balance is not None


async def test_a_second_look_at_what_has_ended_stores_nothing_and_takes_nothing_up_again(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    async with shop.world.database.tenant(shop.account_id) as session:
        looked_at = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
        async with shop.world.database.tenant(shop.account_id) as other:
            await disconnect(other, account_id=shop.account_id, connection_id=connection.id, now=shop.world.clock.now())
        with pytest.raises(ConnectionEnded):
            await look_again(session, looked_at, AccountState(), {"charges": "ok"})
    async with shop.world.database.tenant(shop.account_id) as session:
        found = await get_connection(session, account_id=shop.account_id, connection_id=connection.id)
    assert (found.status, found.capabilities) == (ConnectionStatus.DISCONNECTED, connection.capabilities)


async def test_an_older_state_changes_nothing(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    before = await stored(shop, connection)
    account = before[0].account
    assert account is not None
    older = msgspec.structs.replace(account, taken_at=account.taken_at - timedelta(hours=1), payouts_enabled=False)
    await record(shop, connection, AccountState(older, None))
    assert await stored(shop, connection) == before


@pytest.mark.parametrize("status", [403, 404])
async def test_reviews_that_may_not_be_read_are_left_out(shop: Shop, status: int) -> None:
    connection = await shop.connect("low_activity")
    refused = httpx.Response(status, json={"error": {"type": "invalid_request_error", "message": "No."}})
    shop.network.refuse = lambda request: refused if request.url.path.startswith("/v1/reviews") else None
    reader = StripeGateway(shop.world.settings, shop.world.http).reader(await auth_of(shop.world, connection))
    await refresh_reviews(shop.world, reader, connection)
    async with shop.world.database.tenant(shop.account_id) as session:
        assert not await count_events(session, account_id=shop.account_id, connection_id=connection.id)


async def test_a_review_that_is_no_longer_listed_is_read_to_its_end(shop: Shop) -> None:
    connection = await shop.connect("low_activity")
    reader = StripeGateway(shop.world.settings, shop.world.http).reader(await auth_of(shop.world, connection))
    listed = [objects.review()]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/v1/reviews":
            return httpx.Response(200, json={"object": "list", "data": listed, "has_more": False})
        if request.url.path == "/v1/reviews/prv_1":
            return httpx.Response(200, json=objects.review(open=False, closed_reason="approved"))
        return None

    async def reviews() -> list[tuple[str, int]]:
        async with shop.world.database.tenant(shop.account_id) as session:
            query = select(StoredEvent.source_id, StoredEvent.status).where(StoredEvent.kind == Kind.REVIEW)
            return [tuple(row) for row in await session.execute(query)]

    shop.network.refuse = answer
    await refresh_reviews(shop.world, reader, connection)
    assert await reviews() == [("prv_1", Status.OPEN)]
    listed.clear()
    await refresh_reviews(shop.world, reader, connection)
    assert await reviews() == [("prv_1", Status.SETTLED)]
