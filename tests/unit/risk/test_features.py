from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters, sort_events
from payflux.monitor.risk import rules
from payflux.monitor.risk.rules import Features, features
from payflux.monitor.risk.rules.features import COLUMNS
from tests.unit.risk.building import AS_OF, DAY, NOW, elevated_merchant, rows, sales

SQL = (Path(rules.__file__).parent / "features.sql").read_text()


def in_sql(database: duckdb.DuckDBPyConnection, events: np.ndarray, days: int = 90) -> Features:
    database.register("events", {name: events[name].copy() for name in COLUMNS})
    (row,) = database.execute(SQL, {"now": NOW, "days": days}).fetchall()
    return Features(int(row[0]), int(row[1]), *row[2:])


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


events_strategy = st.lists(
    st.tuples(
        st.integers(-100 * DAY, DAY) | st.integers(-7_200, 0),
        st.integers(0, 10_000),
        st.integers(0, 4),
        st.sampled_from([Kind.CHARGE, Kind.CHARGE, Kind.CHARGE, Kind.REFUND, Kind.DISPUTE, Kind.EARLY_FRAUD_WARNING]),
        st.sampled_from([*Status]),
        st.sampled_from(["usd", "eur"]),
        st.sampled_from(["", "US", "DE"]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(events_strategy)
def test_the_kernel_and_the_sql_definition_agree(database: duckdb.DuckDBPyConnection, drawn: list[tuple]) -> None:
    events = np.zeros(len(drawn), EVENT_DTYPE)
    for place, (offset, settled, card, kind, status, currency, country) in enumerate(drawn):
        events[place]["at"], events[place]["settled"], events[place]["card"] = NOW + offset, settled, card
        events[place]["kind"], events[place]["status"], events[place]["source"] = kind, status, place
        events[place]["settled_currency"], events[place]["country"] = pack_letters(currency), pack_letters(country)
    assert features(events, AS_OF) == pytest.approx(in_sql(database, events), abs=1e-11)


def test_the_kernel_and_the_sql_definition_agree_on_a_large_merchant(database: duckdb.DuckDBPyConnection) -> None:
    events = elevated_merchant()
    random = np.random.default_rng(4)
    events["card"] = random.integers(1, 400, len(events))
    events["country"] = random.integers(0, 30, len(events))
    found = features(events, AS_OF)
    assert found == pytest.approx(in_sql(database, events), abs=1e-11)
    assert found.payments == 7_200
    assert found.retry_pressure > 0
    assert features(random.permutation(events), AS_OF) == found
    assert features({name: events[name] for name in COLUMNS}, AS_OF) == found
    ordered = sort_events(events)
    assert features({name: ordered[name] for name in COLUMNS if name != "source"}, AS_OF) == found


def test_a_retry_is_an_attempt_within_an_hour_after_a_decline_of_the_same_card() -> None:
    attempts = rows(
        Kind.CHARGE, [NOW - 9_000, NOW - 8_000, NOW - 7_000, NOW - 3_000, NOW - 2_000], card=[7, 7, 7, 7, 8]
    )
    attempts["status"] = [Status.FAILED, Status.FAILED, Status.SUCCEEDED, Status.FAILED, Status.SUCCEEDED]
    assert features(attempts, AS_OF).retry_pressure == 2 / 5


def test_nothing_gives_zeros() -> None:
    assert features(np.zeros(0, EVENT_DTYPE), AS_OF) == (0, 0, 0, 0, 0, 0, 0, 0)


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    edges = rows(Kind.CHARGE, [NOW - 90 * DAY, NOW - 90 * DAY + 1, NOW, NOW + 1])
    assert features(edges, AS_OF).payments == 2
    assert features(sales(per_day=4), AS_OF, days=30).payments == 120
