"""Any permutation, duplication, loss and delay of events, with pulls, polls and catch-ups in between, ends in the state
of the ordered run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.live.refreshing import read_gap
from payflux.monitor.processors.live.timing import LONGEST_CATCH_UP
from payflux.monitor.processors.models import DailyRollup, HistoryPull, PullPurpose, StoredEvent
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.monitor.processors.queries import read_events
from payflux.monitor.processors.rollups import roll_up
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.live.conftest import Shop
from tests.integration.live.stand_in import StripeAccount, charge, dispute, payout, refund, warning
from tests.integration.live.stripe_events import connected

START = datetime(2026, 11, 1, 22, tzinfo=UTC)  # what is recorded crosses midnight
STEP = timedelta(minutes=10)


def record(stripe: StripeAccount) -> list[tuple[datetime, bytes]]:
    """A few hours of a shop: for each change the instant and the event. Every kind passes through several states."""
    made = {number: START + STEP * number for number in range(1, 6)}
    changes = [
        (charge(1, made[1]), "charge.succeeded"),
        (charge(2, made[2], status="pending", captured=False), "charge.pending"),
        (charge(3, made[3], captured=False), "charge.succeeded"),
        (charge(4, made[4], status="failed", failure_code="card_declined"), "charge.failed"),
        (charge(5, made[5]), "charge.succeeded"),
        (charge(2, made[2]), "charge.succeeded"),
        (warning(1, START + STEP * 7), "radar.early_fraud_warning.created"),
        (dispute(1, START + STEP * 8), "charge.dispute.created"),
        (warning(1, START + STEP * 7, actionable=False), "radar.early_fraud_warning.updated"),
        (refund(5, START + STEP * 10), "refund.created"),
        (payout(1, START + STEP * 11), "payout.created"),
        (dispute(1, START + STEP * 8, status="under_review"), "charge.dispute.updated"),
        (charge(3, made[3], captured=False, refunded=True), "charge.refunded"),
        (refund(5, START + STEP * 10, status="succeeded"), "refund.updated"),
        (dispute(2, START + STEP * 15, status="warning_needs_response"), "charge.dispute.created"),
        (payout(1, START + STEP * 11, status="paid"), "payout.paid"),
        (dispute(1, START + STEP * 8, status="lost"), "charge.dispute.closed"),
        (dispute(2, START + STEP * 15, status="needs_response"), "charge.dispute.updated"),
        (refund(5, START + STEP * 10, status="failed"), "refund.failed"),
        (payout(1, START + STEP * 11, status="failed", failure_code="no_account"), "payout.failed"),
    ]
    for number, (changed, event_type) in enumerate(changes, start=1):
        stripe.change(START + STEP * number, changed, event_type)
    return stripe.events


EVENTS = len(record(StripeAccount(MovedClock(START))))
END = START + STEP * EVENTS
MINUTES = st.integers(1, 60 * 24)
ACTIONS = ("apply", "pull", "catch up", "poll")


class Run(NamedTuple):
    """For each event the delays, in minutes, with which it is delivered, none if it is lost; and what else happens."""

    deliveries: list[list[int]]
    actions: list[tuple[int, str]]


RUNS = st.builds(
    Run,
    st.lists(st.lists(MINUTES, max_size=3), min_size=EVENTS, max_size=EVENTS),
    st.lists(st.tuples(MINUTES, st.sampled_from(ACTIONS)), max_size=6),
)
ORDERED = Run([[0]] * EVENTS, [])
State = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


async def state_of(shop: Shop) -> State:
    """Rows and rollups, without when they were read. Both must agree."""
    columns = [column for column in StoredEvent.__table__.columns if column.name not in _NOT_COMPARED]
    where = {"account_id": shop.connection.account_id, "workspace_id": shop.connection.workspace_id}
    async with shop.world.database.tenant(shop.connection.account_id) as session:
        # a change of the account is noticed when it is looked for, so it depends on when that was
        query = select(*columns).where(StoredEvent.kind != Kind.ACCOUNT_CHANGE)
        rows = [tuple(row) for row in await session.execute(query.order_by(StoredEvent.kind, StoredEvent.source_id))]
        kept = select(DailyRollup.currency, DailyRollup.first_day, DailyRollup.days, DailyRollup.vector)
        rollups = [tuple(row) for row in await session.execute(kept.order_by(DailyRollup.currency))]
        events = await read_events(session, **where, since=START - timedelta(days=9), until=END + timedelta(days=9))
    assert rollups == [(each.currency, each.first_day, len(each.matrix), each.vector) for each in roll_up(events)]
    return rows, rollups


_NOT_COMPARED = ("account_id", "connection_id", "workspace_id", "read_at")


async def play(world: World, run: Run) -> State:
    """What is stored after `run`, at a workspace of its own."""
    clock = MovedClock(START)
    stripe = StripeAccount(clock)
    recorded = record(stripe)
    built = replace(stripe.world(world), clock=clock)
    shop = Shop(built, stripe, await connected(built, token=""), clock)
    await shop.set(synced_through=START, history_from=START - timedelta(days=90))
    happenings: list[tuple[datetime, int, str, bytes]] = [
        (at + timedelta(minutes=delay), number, "deliver", body)
        for number, (at, body) in enumerate(recorded)
        for delay in run.deliveries[number]
    ]
    happenings += [(START + timedelta(minutes=after), -1, action, b"") for after, action in run.actions]
    for at, _, action, body in sorted(happenings):
        clock.move(at - clock.now())
        await act(shop, action, body)
    if not all(run.deliveries):
        clock.move(max(timedelta(0), END - clock.now()))
        for _ in range(2):  # after a day of silence, the first time has the stretch pulled
            clock.move(LONGEST_CATCH_UP)
            await act(shop, "catch up", b"")
    await built.http.aclose()
    return await state_of(shop)


async def act(shop: Shop, action: str, body: bytes) -> None:
    if action == "deliver":
        await shop.deliver(body)
        await shop.apply()
    elif action == "apply":
        await shop.apply()
    elif action == "poll":
        await shop.poll()
    elif action == "catch up":
        await shop.catch_up()
        async with shop.world.database.tenant(shop.connection.account_id) as session:
            gaps = (await session.execute(select(HistoryPull).where(HistoryPull.finished_at.is_(None)))).scalars().all()
        for gap in gaps:
            await read_gap(shop.world, {"account_id": str(gap.account_id), "pull_id": str(gap.id)})
    else:
        async with shop.world.database.tenant(shop.connection.account_id) as session:
            connection = await shop.connection_now()
            since = START - timedelta(days=1)
            pull = await start_pull(session, connection, shop.now, since=since, purpose=PullPurpose.GAP)
        await run_pull(shop.world, pull.account_id, pull.id)


@pytest.fixture
async def ordered(world: World) -> State:
    """What is stored after each event came once, in order and at once."""
    state = await play(world, ORDERED)
    assert len(state[0]) == 10
    assert state[1]
    return state


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=RUNS)
async def test_whatever_happens_to_events_on_their_way_the_state_ends_equal_to_the_ordered_run(
    world: World, ordered: State, run: Run
) -> None:
    assert await play(world, run) == ordered


async def test_if_every_event_is_lost_catching_up_alone_ends_in_the_same_state(world: World, ordered: State) -> None:
    assert await play(world, Run([[]] * EVENTS, [])) == ordered


async def test_polling_alone_ends_in_the_same_state(world: World, ordered: State) -> None:
    polls = [(minutes, action) for minutes in range(45, 60 * 5, 45) for action in ("poll", "apply")]
    polled = Run([[0]] + [[]] * (EVENTS - 1), polls)
    assert await play(world, polled) == ordered
