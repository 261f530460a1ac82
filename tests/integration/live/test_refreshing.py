"""Catching up finds what nobody told us of."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from payflux.monitor.processors.codes import Status
from payflux.monitor.processors.live.refreshing import LONGEST_LIST, read_gap
from payflux.monitor.processors.live.timing import LONGEST_CATCH_UP
from payflux.monitor.processors.models import HistoryPull, PullPurpose
from tests.integration.live.conftest import Shop
from tests.integration.live.stand_in import charge, dispute, error, payout, refund
from tests.integration.live.stripe_events import jobs_of


@pytest.fixture(autouse=True)
async def synced(shop: Shop) -> None:
    await shop.set(synced_through=shop.now, history_from=shop.now - timedelta(days=90))
    shop.clock.move(LONGEST_CATCH_UP)


async def test_what_was_created_lately_is_stored_without_any_event(shop: Shop) -> None:
    for number in range(130):
        shop.stripe.change(shop.now, charge(number, shop.now), "charge.succeeded")
    shop.stripe.change(shop.now, refund(1, shop.now), "refund.created")
    shop.stripe.change(shop.now, payout(1, shop.now), "payout.created")
    await shop.catch_up()
    assert len(await shop.stored()) == 132
    connection = await shop.connection_now()
    assert connection.synced_through == shop.now
    assert connection.snapshot["balance"] is not None
    assert await jobs_of(shop.world, "reconcile_connection") == 1


async def test_an_old_dispute_that_is_open_is_read_again(shop: Shop) -> None:
    old = shop.now - timedelta(days=60)
    shop.stripe.change(old, charge(1, old), "charge.succeeded")
    await shop.deliver(shop.stripe.change(old, dispute(1, old), "charge.dispute.created"))
    await shop.apply()
    shop.stripe.change(shop.now, dispute(1, old, status="won"), "charge.dispute.closed")
    await shop.catch_up()
    assert (await shop.stored())["du_1"] == Status.WON


async def test_it_waits_until_it_is_due_and_for_the_first_pull(shop: Shop) -> None:
    await shop.set(synced_through=shop.now - timedelta(minutes=30))
    await shop.catch_up()
    await shop.set(synced_through=None)
    await shop.catch_up()
    assert shop.stripe.requests == []


async def test_while_stripe_does_not_answer_nothing_moves(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payflux.world.stripe.reader._BACKOFF_CAP", 0.0)
    before = (await shop.connection_now()).synced_through
    shop.stripe.refuse = lambda _request: httpx.Response(500)
    await shop.catch_up()
    assert (await shop.connection_now()).synced_through == before


async def test_a_resource_that_the_key_may_not_read_is_left_out(shop: Shop) -> None:
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.stripe.refuse = lambda request: error(403, "more_permissions") if "payouts" in request.url.path else None
    await shop.catch_up()
    assert await shop.stored() == {"ch_1": Status.SUCCEEDED}


async def test_after_a_long_silence_the_stretch_is_pulled_once_and_then_all_is_there(shop: Shop) -> None:
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.clock.move(LONGEST_LIST * 12)
    await shop.catch_up()
    await shop.catch_up()
    async with shop.world.database.tenant(shop.connection.account_id) as session:
        (pull,) = (await session.execute(select(HistoryPull))).scalars().all()
    assert pull.purpose == PullPurpose.GAP
    assert await jobs_of(shop.world, "read_gap") == 1
    await read_gap(shop.world, {"account_id": str(pull.account_id), "pull_id": str(pull.id)})
    assert await shop.stored() == {"ch_1": Status.SUCCEEDED}
    assert (await shop.connection_now()).synced_through == pull.to_at
