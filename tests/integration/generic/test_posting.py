"""Events that are posted to us: proved, read whole or refused with the reason, stored once, applied in any order."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from payflux.app import create_app
from payflux.kit.limits import RateLimit
from payflux.monitor.processors.codes import Status
from payflux.monitor.processors.generic.applying import (
    apply_posted_events,
    clean_deliveries,
    keep_sources_going,
)
from payflux.monitor.processors.generic.connecting import ROLLED_SECRET_LIFETIME, roll_secret
from payflux.monitor.processors.generic.inbox import RETENTION, recent_deliveries
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.rollups import METRICS, unpack_rollup
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.generic.sending import Source, charge, connection_of, deliveries, send, source_of, stored
from tests.integration.live.stripe_events import event_body, jobs_of, post


async def applied(world: World, source: Source) -> None:
    await apply_posted_events(world, {"account_id": str(source.account_id), "connection_id": str(source.connection_id)})


async def test_a_delivery_is_stored_with_the_job_that_applies_it_and_then_applied(world: World) -> None:
    alice, now = await source_of(world, "Alice"), world.clock.now()
    answer = await send(create_app(world), alice, [charge(1, now), charge(2, now)], now)
    assert (answer.status_code, answer.json()) == (200, {"received": 2, "new": True})
    assert await jobs_of(world, "apply_posted_events") == 1
    await applied(world, alice)
    assert [row[1] for row in await stored(world, alice)] == ["pay_1", "pay_2"]
    connection = await connection_of(world, alice)
    assert (connection.event_count, connection.last_event_at) == (2, now)
    assert connection.synced_through is not None
    assert abs(connection.synced_through - now) < timedelta(milliseconds=1)
    async with world.database.tenant(alice.account_id) as session:
        ((currency, first_day, days, vector),) = await session.execute(
            text("SELECT currency, first_day, days, vector FROM daily_rollups")
        )
        (delivery,) = await recent_deliveries(session, connection)
    assert unpack_rollup(currency, first_day, days, vector).matrix[0][METRICS.index("payments")] == 2
    assert (delivery.state, delivery.types, delivery.events, delivery.body) == (
        "applied",
        "charge.succeeded × 2",
        2,
        b"",
    )


async def test_a_replay_changes_nothing(world: World) -> None:
    alice, now, app = await source_of(world, "Alice"), world.clock.now(), create_app(world)
    await asyncio.gather(*(send(app, alice, charge(1, now), now) for _ in range(6)))
    await applied(world, alice)
    before = await stored(world, alice)
    again = await send(app, alice, charge(1, now), now)
    other_words = await send(app, alice, charge(1, now, amount=5), now)
    assert [again.json()["new"], other_words.json()["new"]] == [False, False]
    await applied(world, alice)
    assert await stored(world, alice) == before
    assert await deliveries(world, alice) == {"msg_1": "applied"}


async def test_a_wrong_event_is_refused_at_once_with_the_reason_which_is_kept(world: World) -> None:
    alice, now, app = await source_of(world, "Alice"), world.clock.now(), create_app(world)
    body = [charge(1, now), charge(2, now, amount=19.99, customer="dana@example.com")]
    answer = await send(app, alice, body, now)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    said = answer.json()
    assert (said["code"], said["errors"][0]["event"]) == ("webhook_events", 1)
    assert said["errors"][0]["field"] in ("amount", "customer")
    assert said["way_out"]
    assert "dana" not in answer.text
    assert await stored(world, alice) == []
    async with world.database.tenant(alice.account_id) as session:
        (kept,) = await recent_deliveries(session, await connection_of(world, alice))
    assert (kept.state, kept.faults) == ("refused", said["errors"])
    mended = await send(app, alice, charge(1, now), now)
    assert mended.json()["new"]
    assert await deliveries(world, alice) == {"msg_1": "waiting"}


async def test_charlie_cannot_post_to_alices_address(world: World) -> None:
    alice, charlie = await source_of(world, "Alice"), await source_of(world, "Charlie")
    now, app = world.clock.now(), create_app(world)
    forged = await send(app, charlie, charge(1, now), now, path=alice.path)
    late = await send(app, alice, charge(1, now), now - timedelta(minutes=6))
    unsigned = await send(app, alice, charge(1, now), now, message_id="not an id")
    assert [answer.status_code for answer in (forged, late, unsigned)] == [400] * 3
    assert [answer.json()["code"] for answer in (forged, late, unsigned)] == [
        "webhook_signature",
        "webhook_time",
        "webhook_header",
    ]
    assert await deliveries(world, alice) == {"(header)": "refused", "(signature)": "refused", "(time)": "refused"}
    assert await deliveries(world, charlie) == {}
    assert await jobs_of(world, "apply_posted_events") == 0


async def test_an_unknown_address_is_not_found_and_no_token_is_logged(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    alice, now, app = await source_of(world, "Alice"), world.clock.now(), create_app(world)
    assert (await send(app, alice, charge(1, now), now, path="/hooks/events/some-guess")).status_code == 404
    await send(app, alice, charge(1, now), now)
    said = capsys.readouterr().out
    assert "some-guess" not in said
    assert alice.path not in said
    assert alice.secret not in said


async def test_the_address_takes_no_events_of_stripes_form(world: World) -> None:
    alice, now = await source_of(world, "Alice"), world.clock.now()
    path = alice.path.replace("/hooks/events/", "/hooks/stripe/")
    answer = await post(create_app(world), path, event_body(1, "charge.updated", {}, now), now, [alice.secret])
    assert answer.status_code == 404


async def test_after_a_roll_both_secrets_are_good_for_a_day(world: World, clock: MovedClock) -> None:
    alice, app = await source_of(world, "Alice"), create_app(world)
    async with world.database.tenant(alice.account_id) as session:
        connection = await get_connection(session, account_id=alice.account_id, connection_id=alice.connection_id)
        new = await roll_secret(session, world, connection, actor_id=alice.user_id)

    async def answers() -> list[int]:
        now = clock.now()
        return [
            (await send(app, alice, b'{"type": "test"}', now, secret=secret)).status_code
            for secret in (alice.secret, new)
        ]

    assert await answers() == [200, 200]
    clock.move(ROLLED_SECRET_LIFETIME)
    assert await answers() == [400, 200]


async def test_a_test_event_is_shown_and_changes_nothing(world: World) -> None:
    alice, now = await source_of(world, "Alice"), world.clock.now()
    answer = await send(create_app(world), alice, {"type": "test"}, now)
    assert answer.json() == {"received": 0, "new": True}
    assert await deliveries(world, alice) == {"msg_1": "applied"}
    assert await jobs_of(world, "apply_posted_events") == 0


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_and_any_duplicates_end_in_the_same_state(world: World, seed: int) -> None:
    alice, now, app = await source_of(world, "Alice"), world.clock.now(), create_app(world)
    start = now - timedelta(days=9)
    one, two, three = ((start + timedelta(days=days)).isoformat() for days in (1, 2, 3))
    dispute = {"id": "dp_1", "charge_id": "pay_1"}
    told = [
        charge(1, start, type="charge.pending"),
        charge(1, start),
        charge(2, start, type="dispute.opened", **dispute),
        charge(2, start, type="dispute.updated", status="open", updated=one, **dispute),
        charge(2, start, type="dispute.closed", status="lost", updated=two, **dispute),
        charge(3, start, type="refund.created", id="re_1", status="pending"),
        charge(3, start, type="refund.updated", id="re_1", status="failed", updated=three),
    ]
    sent = [*enumerate(told), *random.Random(seed).choices(list(enumerate(told)), k=4)]
    random.Random(seed).shuffle(sent)
    for number, event in sent:
        await send(app, alice, event, now, message_id=f"msg_{number}")
        if number % 2:
            await applied(world, alice)
    await applied(world, alice)
    assert [(row[1], row[3]) for row in await stored(world, alice)] == [
        ("pay_1", Status.SUCCEEDED),
        ("re_1", Status.FAILED),
        ("dp_1", Status.LOST),
    ]


async def test_what_waits_is_found_again_and_what_is_done_is_forgotten_after_a_month(
    world: World, clock: MovedClock
) -> None:
    alice, now = await source_of(world, "Alice"), clock.now()
    await send(create_app(world), alice, charge(1, now), now)
    async with world.database.system() as session:
        await (await session.connection()).exec_driver_sql("DELETE FROM pgqueuer")
    await keep_sources_going(world)
    assert await jobs_of(world, "apply_posted_events") == 1
    clock.move(RETENTION)
    await clean_deliveries(world)
    assert await deliveries(world, alice) == {"msg_1": "waiting"}
    await applied(world, alice)
    await clean_deliveries(world)
    assert await deliveries(world, alice) == {}
    assert len(await stored(world, alice)) == 1


async def test_a_tenant_sees_its_own_deliveries_alone(world: World) -> None:
    alice, charlie, now = await source_of(world, "Alice"), await source_of(world, "Charlie"), world.clock.now()
    await send(create_app(world), alice, charge(1, now), now)
    assert await deliveries(world, charlie) == {}
    async with world.database.tenant(charlie.account_id) as session:
        changed = await session.execute(text("UPDATE event_deliveries SET state = 'applied' RETURNING message_id"))
        assert changed.all() == []


async def test_who_posts_too_often_is_told_when_to_send_again_and_holds_up_nobody_else(
    world: World, clock: MovedClock
) -> None:
    world = replace(world, deliveries=RateLimit(0.5, burst=2))
    alice, bob, app = await source_of(world, "Alice"), await source_of(world, "Bob"), create_app(world)
    sent = [await send(app, alice, [charge(n, clock.now())], clock.now(), message_id=f"msg_{n}") for n in range(3)]
    assert [answer.status_code for answer in sent] == [200, 200, 429]
    assert sent[2].headers["Retry-After"] == "2"
    assert sent[2].json()["code"] == "too_many_requests"
    assert alice.path.rpartition("/")[2] not in sent[2].text
    assert (await send(app, bob, [charge(1, clock.now())], clock.now())).status_code == 200
    assert await deliveries(world, alice) == {"msg_0": "waiting", "msg_1": "waiting"}
    clock.move(timedelta(seconds=2))
    again = await send(app, alice, [charge(2, clock.now())], clock.now(), message_id="msg_2")
    assert (again.status_code, again.json()["new"]) == (200, True)
