"""An account's states, one after another: what changed, what it held, and the reviews of its payments."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest
from sqlalchemy import select

from payflux.monitor.processors.account_state import AccountState, stored_state
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.models import Connection, StoredBalance, StoredEvent
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
    assert await stored(shop, connection) == (AccountState(paused, held), 1, [7])
    shown = BalanceSnapshot(taken_at=later + timedelta(hours=1), available={"usd": 6})
    await record(shop, connection, AccountState(None, shown))
    assert await stored(shop, connection) == (AccountState(paused, shown), 1, [7, None])


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
