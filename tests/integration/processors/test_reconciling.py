"""Whether the books add up, against the sandbox and against a Stripe whose books are cooked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from sqlalchemy import delete, func, select, update

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.models import Connection, StoredBalance, StoredEvent
from payflux.monitor.processors.pull import run_pull
from payflux.monitor.processors.reconciling.models import Reconciliation
from payflux.monitor.processors.reconciling.queries import latest_checks
from payflux.monitor.processors.reconciling.rules import Check, Identity, State
from payflux.monitor.processors.reconciling.service import enqueue_reconciliation, reconcile
from payflux.worker.main import work
from tests.integration.processors.conftest import Shop

Answer = dict[str, Any]


async def pulled(shop: Shop, merchant: str = "default") -> Connection:
    connection = await shop.connect(merchant)
    pull = await shop.plan(connection)
    await run_pull(shop.world, shop.account_id, pull.id)
    return connection


async def checks_of(shop: Shop, connection: Connection) -> list[Check]:
    return await reconcile(shop.world, account_id=shop.account_id, connection_id=connection.id)


async def shown(shop: Shop, connection: Connection, later: timedelta = timedelta()) -> list[Check]:
    async with shop.world.database.tenant(shop.account_id) as session:
        return await latest_checks(
            session,
            account_id=shop.account_id,
            connection_id=connection.id,
            now=shop.world.clock.now() + later,
        )


def differing(checks: list[Check]) -> list[tuple[Identity, str, int]]:
    return [(check.identity, check.subject, check.difference) for check in checks if check.state == State.DIFFERS]


def answering(path: str, change: Callable[[Answer], Answer]) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answer `path` with one body, made by `change` of an empty list."""

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != path:
            return None
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        return httpx.Response(200, json=change(query))

    return refuse


def booked(created: int, **changes: Any) -> Answer:
    """One balance transaction as the list of them shows it."""
    return {
        "id": "txn_late",
        "object": "balance_transaction",
        "amount": 700,
        "balance_type": "payments",
        "created": created,
        "currency": "usd",
        "fee": 0,
        "net": 700,
        "reporting_category": "charge",
        "source": "ch_late",
        "type": "charge",
    } | changes


def page(*items: Answer) -> Answer:
    return {"object": "list", "data": list(items), "has_more": False, "url": "/v1/x"}


async def test_the_books_of_a_merchant_add_up_after_a_pull(shop: Shop) -> None:
    connection = await pulled(shop)
    first = await checks_of(shop, connection)
    assert differing(first) == []
    told = {check.identity for check in first if check.state == State.HOLDS}
    assert {Identity.MOVEMENTS_STORED, Identity.PAYOUTS, Identity.COUNTS, Identity.REFUNDS_OF_CHARGES} <= told
    counted = {check.subject: check.actual for check in first if check.identity == Identity.COUNTS}
    assert counted["charges"]
    assert counted["payouts"]
    second = await checks_of(shop, connection)
    assert differing(second) == []
    assert Identity.BALANCE_CHANGE in {check.identity for check in second if check.state == State.HOLDS}


async def test_what_is_held_in_reserve_is_what_the_balance_and_the_holds_say(shop: Shop) -> None:
    connection = await pulled(shop, "reserve_in_force")
    reserves = [check for check in await checks_of(shop, connection) if check.identity == Identity.OPEN_RESERVES]
    assert [(check.subject, check.currency, check.state) for check in reserves] == [
        ("balance", "usd", State.HOLDS),
        ("holds", "usd", State.HOLDS),
    ]
    assert all(check.actual for check in reserves)


async def test_a_reserve_that_stripe_does_not_show_cannot_be_told(shop: Shop) -> None:
    shop.network.refuse = lambda request: (
        httpx.Response(404, json={"error": {"type": "invalid_request_error", "message": "Unrecognized request URL."}})
        if request.url.path == "/v1/reserve/holds"
        else None
    )
    connection = await pulled(shop, "reserve_in_force")
    reserves = [check for check in await checks_of(shop, connection) if check.identity == Identity.OPEN_RESERVES]
    assert [(check.subject, check.currency, check.state) for check in reserves] == [
        ("balance", "usd", State.CANNOT_TELL)
    ]


async def test_an_event_that_was_lost_is_missed_by_the_count_and_by_the_sum(shop: Shop) -> None:
    connection = await pulled(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        newest = select(func.max(StoredEvent.at)).where(
            StoredEvent.kind == Kind.CHARGE, StoredEvent.status == Status.SUCCEEDED
        )
        lost = delete(StoredEvent).where(
            StoredEvent.kind == Kind.CHARGE,
            StoredEvent.status == Status.SUCCEEDED,
            StoredEvent.at == newest.scalar_subquery(),
        )
        amounts = list((await session.execute(lost.returning(StoredEvent.settled))).scalars())
    found = differing(await checks_of(shop, connection))
    assert (Identity.MOVEMENTS_STORED, "charge", -sum(amounts)) in found
    assert (Identity.COUNTS, "charges", -len(amounts)) in found
    assert differing(await shown(shop, connection)) == found


async def test_a_balance_that_changes_by_more_than_moved_is_told_until_the_movement_is_booked(shop: Shop) -> None:
    connection = await pulled(shop, "low_activity")
    await checks_of(shop, connection)
    async with shop.world.database.tenant(shop.account_id) as session:
        await session.execute(
            update(StoredBalance).where(StoredBalance.currency == "usd").values(pending=StoredBalance.pending - 700)
        )
    assert differing(await checks_of(shop, connection)) == [(Identity.BALANCE_CHANGE, "payments", -700)]
    [open_stretch] = [check for check in await shown(shop, connection) if check.state == State.DIFFERS]

    # the next stretch adds up, and the one that did not is still told
    balanced = await checks_of(shop, connection)
    assert differing(balanced) == [(Identity.BALANCE_CHANGE, "payments", -700)]
    assert differing(await shown(shop, connection)) == [(Identity.BALANCE_CHANGE, "payments", -700)]

    late = booked(int(open_stretch.until.timestamp()), amount=700, net=700, source=None, type="contribution")
    shop.network.refuse = answering("/v1/balance_transactions", lambda _query: page(late))
    await checks_of(shop, connection)
    assert open_stretch.until not in {
        check.until for check in await shown(shop, connection) if check.state == State.DIFFERS
    }


async def test_a_refund_that_its_charge_does_not_know_of_is_told(shop: Shop) -> None:
    connection = await pulled(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        newest = select(StoredEvent.source_id).where(StoredEvent.kind == Kind.REFUND).order_by(StoredEvent.at.desc())
        refund = (await session.execute(newest.limit(1))).scalar_one()
        await session.execute(
            update(StoredEvent).where(StoredEvent.source_id == refund).values(amount=StoredEvent.amount + 5)
        )
    assert (Identity.REFUNDS_OF_CHARGES, "refunded charges", 5) in differing(await checks_of(shop, connection))


async def test_what_the_key_may_not_read_cannot_be_told(shop: Shop) -> None:
    connection = await pulled(shop, "low_activity")

    def forbid(request: httpx.Request) -> httpx.Response | None:
        if request.url.path in ("/v1/balance_transactions", "/v1/payouts"):
            message = "Having the 'rak_payout_read' permission would allow this request to continue."
            return httpx.Response(403, json={"error": {"type": "invalid_request_error", "message": message}})
        return None

    shop.network.refuse = forbid
    found = await checks_of(shop, connection)
    untold = {(check.identity, check.subject) for check in found if check.state == State.CANNOT_TELL}
    assert untold == {
        (Identity.BALANCE_CHANGE, "payments"),
        (Identity.PAYOUTS, "payouts"),
        (Identity.COUNTS, "payouts"),
        (Identity.OPEN_RESERVES, "holds"),
    }
    assert all("payout_read" in check.reason for check in found if check.state == State.CANNOT_TELL)


async def test_nothing_is_checked_before_the_first_pull_is_finished(shop: Shop) -> None:
    connection = await shop.connect("default")
    shop.network.requests.clear()
    assert await checks_of(shop, connection) == []
    assert shop.network.requests == []


async def test_many_syncs_at_once_are_one_job(shop: Shop) -> None:
    connection = await pulled(shop, "low_activity")
    async with shop.world.database.tenant(shop.account_id) as session:
        await enqueue_reconciliation(session, connection)
        await enqueue_reconciliation(session, connection)
    shop.network.requests.clear()
    await work(shop.world, drain=True)
    assert [request.url.path for request in shop.network.requests].count("/v1/balance") == 1
    assert await shown(shop, connection)


async def test_single_objects_are_compared_once_a_day(shop: Shop) -> None:
    connection = await pulled(shop, "low_activity")
    for hours, sampled in ((0, True), (0, False), (21, True)):
        async with shop.world.database.tenant(shop.account_id) as session:
            await session.execute(update(Reconciliation).values(until=Reconciliation.until - timedelta(hours=hours)))
        found = await checks_of(shop, connection)
        assert (Identity.COUNTS in {check.identity for check in found}) == sampled
