"""The plain format loses nothing: what is written is read again, equal."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Method, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.exports import read_exports, write_plain
from payflux.monitor.processors.exports.amounts import LARGEST
from payflux.monitor.processors.exports.tables import engine

TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(max_size=12)
IDS = TEXTS.filter(str.strip)
CURRENCIES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=3)
COUNTRIES = st.just("") | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
AMOUNTS = st.integers(0, LARGEST)


@st.composite
def payment_events(draw) -> PaymentEvent:
    kind = draw(st.sampled_from(Kind))
    source_id = draw(IDS)
    return PaymentEvent(
        kind=kind,
        source_id=source_id,
        occurred_at=draw(TIMES),
        status=draw(st.sampled_from(Status)),
        amount=draw(AMOUNTS),
        currency=draw(CURRENCIES),
        settled_amount=draw(AMOUNTS),
        settled_currency=draw(CURRENCIES),
        charge_id=source_id if kind == Kind.CHARGE else draw(TEXTS),
        charge_occurred_at=draw(st.none() | TIMES),
        network=draw(st.sampled_from(Network)),
        method=draw(st.sampled_from(Method)),
        outcome=draw(st.sampled_from(Outcome)),
        risk_level=draw(st.sampled_from(RiskLevel)),
        three_d_secure=draw(st.sampled_from([None, True, False])),
        country=draw(COUNTRIES),
        reason=draw(TEXTS),
        card=draw(TEXTS),
        customer=draw(TEXTS),
        ends_at=draw(st.none() | TIMES),
    )


HISTORIES = st.lists(payment_events(), min_size=1, max_size=8, unique_by=lambda event: (event.kind, event.source_id))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@given(history=HISTORIES)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_again(suffix, history):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"events{suffix}"
        write_plain(history, path)
        events, report = read_exports([path], now=datetime(2100, 1, 2, tzinfo=UTC))
    assert events == sorted(history, key=lambda event: (event.occurred_at, event.kind, event.source_id))
    assert not report.problems


def test_parquet_may_hold_typed_times_and_empty_cells(tmp_path):
    path = tmp_path / "typed.parquet"
    with engine() as connection:
        connection.sql(
            "SELECT 'charge' AS kind, 'py_1' AS source_id, TIMESTAMPTZ '2026-11-01 10:00:00.5+00' AS occurred_at, "
            "'succeeded' AS status, 4000 AS amount, 'usd' AS currency, TIMESTAMP '2026-11-02' AS ends_at, NULL AS card"
        ).write_parquet(str(path))
    (event,), report = read_exports([path], now=datetime(2026, 11, 21, tzinfo=UTC))
    assert event.occurred_at == datetime(2026, 11, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    assert event.ends_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert (event.card, report.problems) == ("", [])
