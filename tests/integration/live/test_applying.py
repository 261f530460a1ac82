"""What waits in an inbox is applied by reading each object once as it stands now."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from payflux.kit.jobs import Payload
from payflux.monitor.processors.codes import Status
from payflux.monitor.processors.live.applying import LONGEST_WAIT, apply_webhook_events, wait_after
from payflux.monitor.processors.live.envelopes import read_envelope
from payflux.monitor.processors.live.inbox import delete_old_events, enqueue_due, receive
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.integration.live.conftest import Shop
from tests.integration.live.stand_in import charge, dispute, error, refund, warning
from tests.integration.live.stripe_events import event_body, jobs_of


async def test_what_is_stored_is_how_the_object_stands_now_not_what_the_event_said(shop: Shop) -> None:
    made = shop.stripe.change(shop.now, dispute(1, shop.now), "charge.dispute.created")
    shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    shop.stripe.change(shop.now, dispute(1, shop.now, status="lost"), "charge.dispute.closed")
    await shop.deliver(made)
    await shop.apply()
    assert await shop.stored() == {"du_1": Status.LOST}
    assert await shop.inbox() == {"evt_0": ("applied", "")}


async def test_however_many_events_name_an_object_it_is_read_once(shop: Shop) -> None:
    bodies = [shop.stripe.change(shop.now, charge(1, shop.now), "charge.updated") for _ in range(9)]
    assert await shop.deliver(*bodies, *bodies) == 9
    await shop.apply()
    assert shop.stripe.requests == ["/v1/charges/ch_1"]
    connection = await shop.connection_now()
    assert (connection.event_count, connection.last_event_at) == (1, shop.now)


async def test_a_storm_is_read_by_lists(shop: Shop) -> None:
    at = [shop.now - timedelta(seconds=number) for number in range(250)]
    await shop.deliver(*(shop.stripe.change(each, charge(n, each), "charge.succeeded") for n, each in enumerate(at)))
    await shop.apply()
    assert len(await shop.stored()) == 250
    assert len(shop.stripe.requests) <= 6
    assert {state for state, _ in (await shop.inbox()).values()} == {"applied"}


async def test_a_refund_has_its_charge_read_again(shop: Shop) -> None:
    shop.stripe.change(shop.now, charge(1, shop.now, captured=False, refunded=True), "charge.refunded")
    await shop.deliver(shop.stripe.change(shop.now, refund(1, shop.now, status="succeeded"), "refund.created"))
    await shop.apply()
    assert (await shop.stored())["ch_1"] == Status.CANCELED


async def test_an_outage_loses_nothing_and_is_waited_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payflux.world.stripe.reader._BACKOFF_CAP", 0.0)
    body = shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    await shop.deliver(body)
    shop.stripe.refuse = lambda _request: httpx.Response(503)
    await shop.apply()
    assert await shop.inbox() == {"evt_0": ("waiting", "Stripe does not answer")}
    shop.stripe.refuse = lambda _request: None
    await shop.apply()
    assert await shop.stored() == {}
    shop.clock.move(wait_after(1))
    await shop.apply()
    assert await shop.stored() == {"ch_1": Status.SUCCEEDED}


def test_the_wait_doubles_up_to_an_hour() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 30)]
    assert waits[:3] == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT


async def test_what_waits_gets_a_job_when_it_is_due(shop: Shop) -> None:
    await shop.deliver(shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded"))
    async with shop.world.database.system() as session:
        await session.execute(text("DELETE FROM pgqueuer"))
        assert await enqueue_due(session, now=shop.now) == 1
        assert await enqueue_due(session, now=shop.now) == 1
        assert await enqueue_due(session, now=shop.now - timedelta(seconds=1)) == 0
    assert await jobs_of(shop.world, "apply_webhook_events") == 1


async def test_an_event_stored_while_a_job_is_ending_is_applied_at_once(shop: Shop) -> None:
    bodies = [shop.stripe.change(shop.now, charge(n, shop.now), "charge.succeeded") for n in range(2)]

    async def apply_and_end_late(world: World, payload: Payload) -> None:
        await apply_webhook_events(world, payload)
        if bodies:
            await shop.deliver(bodies.pop())

    await shop.deliver(bodies.pop())
    await work(shop.world, drain=True, steps={"apply_webhook_events": apply_and_end_late})
    assert await shop.stored() == {"ch_0": Status.SUCCEEDED, "ch_1": Status.SUCCEEDED}


async def test_a_job_waits_for_an_event_that_is_just_being_stored(shop: Shop) -> None:
    body = shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded")
    async with shop.world.database.system() as storing:
        await receive(storing, [(read_envelope(body), shop.connection)], now=shop.now)
        job = asyncio.ensure_future(shop.apply())
        await until_somebody_waits_for_a_lock(shop)
    await asyncio.wait_for(job, 20)
    assert await shop.stored() == {"ch_1": Status.SUCCEEDED}


async def test_events_that_come_while_a_job_waits_or_works_add_no_other(shop: Shop) -> None:
    for number in range(3):
        await shop.deliver(shop.stripe.change(shop.now, charge(number, shop.now), "charge.succeeded"))
    assert await jobs_of(shop.world, "apply_webhook_events") == 1
    async with shop.world.database.system() as session:
        await session.execute(text("UPDATE pgqueuer SET status = 'picked'"))
    await shop.deliver(shop.stripe.change(shop.now, charge(3, shop.now), "charge.succeeded"))
    assert await jobs_of(shop.world, "apply_webhook_events") == 0


async def until_somebody_waits_for_a_lock(shop: Shop) -> None:
    async def waits() -> bool:
        async with shop.world.database.system() as session:
            query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return bool((await session.execute(query)).scalar_one())

    async with asyncio.timeout(20):
        while not await waits():  # noqa: ASYNC110 -- another connection's lock tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        (error(404, "resource_missing"), "failed", "Stripe does not have it"),
        (error(403, "more_permissions_required"), "ignored", "the key may not read this"),
        (httpx.Response(200, json={"id": "ch_1"}), "failed", "Stripe's answer cannot be read"),
    ],
)
async def test_what_no_retry_mends_is_kept_with_the_reason(
    shop: Shop, answer: httpx.Response, state: str, outcome: str
) -> None:
    await shop.deliver(
        shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded"),
        shop.stripe.change(shop.now, charge(2, shop.now), "charge.succeeded"),
    )
    shop.stripe.refuse = lambda request: answer if request.url.path.endswith("ch_1") else None
    await shop.apply()
    (ended, reason), good = (await shop.inbox())["evt_0"], (await shop.inbox())["evt_1"]
    assert (ended, good[0]) == (state, "applied")
    assert reason.startswith(outcome)
    assert await shop.stored() == {"ch_2": Status.SUCCEEDED}


async def test_access_that_was_taken_away_ends_the_connection(shop: Shop) -> None:
    taken = event_body(7, "account.application.deauthorized", {"id": "ca_1", "object": "application"}, shop.now)
    shop.stripe.refuse = lambda _request: error(403, "account_invalid")
    await shop.deliver(taken)
    await shop.apply()
    connection = await shop.connection_now()
    assert (connection.status, connection.disconnected_by) == ("disconnected", "processor")
    assert await shop.inbox() == {"evt_7": ("ignored", "the connection was ended")}


async def test_an_old_word_of_access_taken_away_does_not_end_a_connection_that_works(shop: Shop) -> None:
    await shop.deliver(
        event_body(7, "account.application.deauthorized", {"id": "ca_1", "object": "application"}, shop.now)
    )
    await shop.apply()
    assert (await shop.connection_now()).status == "active"
    assert await shop.inbox() == {"evt_7": ("applied", "")}


@pytest.mark.parametrize("kind", ["account", "capability", "balance", "balance_settings"])
async def test_a_change_of_the_account_has_its_state_read_again(shop: Shop, kind: str) -> None:
    changed: dict[str, Any] = {"object": kind} | ({"id": "acct_alice"} if kind == "account" else {})
    await shop.deliver(event_body(1, f"{kind}.updated", changed, shop.now))
    await shop.apply()
    assert (await shop.connection_now()).snapshot["account"]["external_id"] == "acct_alice"


async def test_a_warning_whose_charge_is_older_than_the_history_is_stored_with_its_amount(shop: Shop) -> None:
    long_ago = shop.now - timedelta(days=200)
    shop.stripe.change(long_ago, charge(1, long_ago), "charge.succeeded")
    await shop.deliver(shop.stripe.change(shop.now, warning(1, shop.now), "radar.early_fraud_warning.created"))
    await shop.apply()
    assert await shop.stored() == {"issfr_1": Status.ACTIONABLE}


async def test_what_is_done_is_deleted_after_thirty_days_and_what_waits_never(shop: Shop) -> None:
    await shop.deliver(shop.stripe.change(shop.now, charge(1, shop.now), "charge.succeeded"))
    await shop.apply()
    await shop.deliver(shop.stripe.change(shop.now, charge(2, shop.now), "charge.succeeded"))
    shop.clock.move(timedelta(days=31))
    async with shop.world.database.system() as session:
        await delete_old_events(session, now=shop.now)
    assert await shop.inbox() == {"evt_1": ("waiting", "")}
