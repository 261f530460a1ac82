from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.codes import COUNTED_KINDS, Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_columns
from payflux.monitor.processors.rollups import METRICS, Rollup, roll_up, unpack_rollup, update

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def event(
    kind: Kind, status: Status, amount: int, *, days: float = 0, currency: str = "usd", number: int = 0
) -> PaymentEvent:
    return PaymentEvent(
        kind=kind,
        source_id=f"{kind}-{number}",
        occurred_at=NOON + timedelta(days=days),
        status=status,
        amount=amount,
        currency=currency,
        settled_amount=amount,
        settled_currency=currency,
    )


EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(Kind),
        st.sampled_from(Status),
        st.integers(0, 10**12),
        days=st.floats(-400, 400),
        currency=st.sampled_from(["usd", "eur", "jpy"]),
        number=st.integers(0, 50),
    ),
    max_size=30,
)


def test_each_day_counts_what_happened_on_it_in_utc() -> None:
    (rollup,) = roll_up(
        event_columns(
            [
                event(Kind.CHARGE, Status.SUCCEEDED, 1000),
                event(Kind.CHARGE, Status.FAILED, 400, days=0.49, number=1),
                event(Kind.REFUND, Status.SUCCEEDED, 300, days=2),
                event(Kind.REFUND, Status.FAILED, 70, days=2, number=1),
                event(Kind.DISPUTE, Status.OPEN, 1000, days=2),
                event(Kind.DISPUTE, Status.INQUIRY, 1000, days=2, number=1),
                event(Kind.RESERVE_HOLD, Status.SUCCEEDED, 100, days=2),
            ]
        )
    )
    days = [dict(zip(METRICS, row, strict=True)) for row in rollup.matrix.tolist()]
    assert rollup.first_day == date(2026, 10, 1)
    assert {name: value for name, value in days[0].items() if value} == {
        "payments": 1,
        "payment_volume": 1000,
        "declines": 1,
        "decline_volume": 400,
        "events": 2,
    }
    assert not any(days[1].values())
    assert {name: value for name, value in days[2].items() if value} == {
        "refunds": 1,
        "refund_volume": 300,
        "disputes": 1,
        "dispute_volume": 1000,
        "inquiries": 1,
        "held_volume": 100,
        "succeeded_refunds": 1,
        "succeeded_refund_volume": 300,
        "events": 5,
    }


@given(EVENTS, st.randoms(use_true_random=False))
def test_any_order_of_events_gives_the_same_bytes(events: list[PaymentEvent], random) -> None:
    expected = [(rollup.currency, rollup.first_day, rollup.vector) for rollup in roll_up(event_columns(events))]
    columns = event_columns(events)
    order = list(range(len(columns)))
    random.shuffle(order)
    assert [(r.currency, r.first_day, r.vector) for r in roll_up(columns[order])] == expected


@given(EVENTS)
def test_volumes_add_up_exactly_within_each_currency(events: list[PaymentEvent]) -> None:
    for rollup in roll_up(event_columns(events)):
        for kind, metric in ((Kind.RESERVE_HOLD, "held_volume"), (Kind.EARLY_FRAUD_WARNING, "early_fraud_warnings")):
            own = [e for e in events if e.kind == kind and e.settled_currency == rollup.currency]
            expected = len(own) if metric.endswith("warnings") else sum(e.settled_amount for e in own)
            assert rollup.matrix[:, METRICS.index(metric)].sum() == expected


@given(EVENTS)
def test_what_is_packed_is_unpacked_unchanged(events: list[PaymentEvent]) -> None:
    for rollup in roll_up(event_columns(events)):
        again = unpack_rollup(rollup.currency, rollup.first_day, len(rollup.matrix), rollup.vector)
        assert np.array_equal(again.matrix, rollup.matrix)


@given(EVENTS)
def test_reviews_and_changes_of_the_account_change_no_day(events: list[PaymentEvent]) -> None:
    counted = [event for event in events if event.kind in COUNTED_KINDS]
    assert stored(roll_up(event_columns(events))) == stored(roll_up(event_columns(counted)))


def test_no_events_give_no_rollup() -> None:
    assert roll_up(np.empty(0, EVENT_DTYPE)) == []


def test_an_array_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="EVENT_DTYPE"):
        roll_up(np.zeros(3))


def stored(rollups: list[Rollup]) -> list[tuple[str, date, bytes]]:
    return [(rollup.currency, rollup.first_day, rollup.vector) for rollup in rollups]


@given(st.lists(EVENTS, max_size=6))
def test_any_sequence_of_new_and_changed_events_ends_in_the_bytes_of_rolling_up_everything(
    batches: list[list[PaymentEvent]],
) -> None:
    state: dict[str, PaymentEvent] = {}
    rollups: list[Rollup] = []
    for batch in batches:
        now = {event.source_id: event for event in batch}
        before = [state[key] for key in now if key in state]
        state |= now
        rollups = update(rollups, event_columns(before), event_columns(now.values()))
        assert stored(rollups) == stored(roll_up(event_columns(state.values())))
    assert update(rollups, event_columns(state.values()), np.empty(0, EVENT_DTYPE)) == []


def test_an_event_that_changes_its_day_and_currency_leaves_the_old_ones() -> None:
    first, second = event(Kind.CHARGE, Status.SUCCEEDED, 5), event(Kind.CHARGE, Status.SUCCEEDED, 7, days=3, number=1)
    moved = event(Kind.CHARGE, Status.SUCCEEDED, 7, days=1, currency="eur", number=1)
    rollups = update(roll_up(event_columns([first, second])), event_columns([second]), event_columns([moved]))
    assert [(rollup.currency, rollup.first_day, len(rollup.matrix)) for rollup in rollups] == [
        ("eur", date(2026, 10, 2), 1),
        ("usd", date(2026, 10, 1), 1),
    ]


def test_taking_away_what_was_never_there_is_refused() -> None:
    with pytest.raises(ValueError, match="more was removed"):
        update([], event_columns([event(Kind.CHARGE, Status.SUCCEEDED, 5)]), np.empty(0, EVENT_DTYPE))


def test_a_rollup_of_fewer_metrics_is_not_changed_but_made_anew() -> None:
    (rollup,) = roll_up(event_columns([event(Kind.CHARGE, Status.SUCCEEDED, 5)]))
    old = Rollup(rollup.currency, rollup.first_day, rollup.matrix[:, :-1])
    with pytest.raises(ValueError, match="other metrics"):
        update([old], np.empty(0, EVENT_DTYPE), np.empty(0, EVENT_DTYPE))
