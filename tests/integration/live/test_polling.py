"""Where no webhook reaches us, events are asked for and go the same way."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from payflux.monitor.processors.codes import Status
from payflux.monitor.processors.live.polling import LISTED, OVERLAP
from payflux.monitor.processors.live.timing import SHORTEST_POLL, poll_every
from payflux.monitor.processors.live.upkeep import keep_connections_up_to_date
from tests.integration.live.conftest import Shop
from tests.integration.live.stand_in import charge, dispute, error
from tests.integration.live.stripe_events import jobs_of


async def test_events_since_the_first_pull_come_into_the_inbox_and_are_applied(quiet_shop: Shop) -> None:
    shop = quiet_shop
    began = shop.now
    shop.clock.move(timedelta(minutes=30))
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.stripe.change(shop.now, dispute(1, shop.now), "charge.dispute.created")
    await shop.poll()
    await shop.apply()
    assert await shop.stored() == {"ch_1": Status.SUCCEEDED, "du_1": Status.OPEN}
    assert (await shop.connection_now()).polled_through == began + timedelta(minutes=30)


async def test_every_page_is_read_and_each_event_stored_once(quiet_shop: Shop) -> None:
    shop = quiet_shop
    for number in range(230):
        shop.stripe.change(shop.now, charge(number, shop.now), "charge.succeeded")
    await shop.poll()
    shop.clock.move(poll_every(0))
    await shop.poll()
    assert len(await shop.inbox()) == 230
    assert await jobs_of(shop.world, "apply_webhook_events") == 1


async def test_it_is_asked_no_more_often_than_the_read_allowance_of_a_small_account_lets_us(quiet_shop: Shop) -> None:
    await quiet_shop.poll()
    asked = len(quiet_shop.stripe.requests)
    quiet_shop.clock.move(SHORTEST_POLL)
    await quiet_shop.poll()
    assert len(quiet_shop.stripe.requests) == asked > 0
    quiet_shop.clock.move(poll_every(0) - SHORTEST_POLL)
    await quiet_shop.poll()
    assert len(quiet_shop.stripe.requests) == 2 * asked


async def test_while_stripe_does_not_answer_the_mark_stays_and_the_next_time_reads_further_back(
    quiet_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payflux.world.stripe.reader._BACKOFF_CAP", 0.0)
    shop = quiet_shop
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.clock.move(OVERLAP * 3)
    shop.stripe.refuse = lambda _request: httpx.Response(500)
    await shop.poll()
    assert (await shop.connection_now()).polled_through is None
    shop.stripe.refuse = lambda _request: None
    shop.clock.move(OVERLAP * 3)
    await shop.set(polled_through=shop.now - OVERLAP * 5)
    await shop.poll()
    assert await shop.inbox() == {"evt_0": ("waiting", "")}


async def test_no_further_back_is_asked_than_stripe_lists(quiet_shop: Shop) -> None:
    shop = quiet_shop
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.clock.move(LISTED + timedelta(days=5))
    await shop.poll()
    assert await shop.inbox() == {}


async def test_a_refused_key_ends_the_connection(quiet_shop: Shop) -> None:
    quiet_shop.stripe.refuse = lambda _request: error(401, "api_key_expired")
    await quiet_shop.poll()
    assert (await quiet_shop.connection_now()).disconnected_by == "processor"


async def test_a_connection_that_webhooks_reach_is_not_polled(shop: Shop) -> None:
    await shop.set(synced_through=shop.now)
    shop.clock.move(timedelta(hours=3))
    await shop.poll()
    assert shop.stripe.requests == []
    await keep_connections_up_to_date(shop.world)
    assert await jobs_of(shop.world, "poll_events") == 0
    assert await jobs_of(shop.world, "catch_up") == 1


async def test_whoever_is_due_gets_one_job_however_often_the_clock_strikes(quiet_shop: Shop) -> None:
    for _ in range(3):
        await keep_connections_up_to_date(quiet_shop.world)
    assert await jobs_of(quiet_shop.world, "poll_events") == 1
    assert await jobs_of(quiet_shop.world, "catch_up") == 0
    await quiet_shop.set(synced_through=None)
    quiet_shop.clock.move(timedelta(days=1))
    await quiet_shop.poll()
    assert quiet_shop.stripe.requests == []
