"""The SQL definitions of the features and of a summary, run by PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.risk.engines.dialects import features_sql, summary_sql
from payflux.monitor.risk.rules import features
from payflux.monitor.risk.rules.summary import Customers, summarise

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(AS_OF.timestamp())
COLUMNS = {name: field[0].itemsize for name, field in (EVENT_DTYPE.fields or {}).items()}
TABLE = ", ".join(f'"{name}" {"bigint" if width == 8 else "smallint"} NOT NULL' for name, width in COLUMNS.items())

EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(NOW - 100 * 86_400, NOW + 86_400) | st.integers(NOW - 7_200, NOW),
            "charge_at": st.sampled_from([0, NOW - 90_000]),
            "charge": st.integers(0, 5),
            "customer": st.integers(0, 2),
            "network": st.integers(0, 2),
            "method": st.integers(0, 1),
            "amount": st.integers(0, 10**15),
            "settled": st.integers(0, 10**15),
            "card": st.integers(-2, 3),
            "kind": st.sampled_from([*Kind, Kind.CHARGE, Kind.CHARGE, Kind.CHARGE]),
            "status": st.sampled_from([*Status]),
            "currency": st.sampled_from([pack_letters("usd"), pack_letters("jpy")]),
            "settled_currency": st.sampled_from([0, pack_letters("usd"), pack_letters("eur")]),
            "country": st.sampled_from([0, pack_letters("US"), pack_letters("DE")]),
        }
    ),
    max_size=60,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=EVENTS, days=st.sampled_from([1, 30, 90]))
def test_postgresql_gives_the_kernels_features(postgres: EmbeddedPostgres, drawn: list[dict], days: int) -> None:
    events = array_of(drawn)
    (row,) = asyncio.run(in_sql(postgres.url(), events, [features_sql("postgres", now=NOW, days=days)]))[0]
    assert tuple(map(float, row)) == pytest.approx(features(events, AS_OF, days), abs=1e-11)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=EVENTS, days=st.sampled_from([1, 30, 90]))
def test_postgresql_gives_the_kernels_summary(postgres: EmbeddedPostgres, drawn: list[dict], days: int) -> None:
    events = array_of(drawn)
    expected = summarise(events, as_of=AS_OF, window_days=days)
    parts = summary_sql("postgres", now=NOW, window_days=days)
    names = ("groups", "tickets", "cards", "conversions", "customers", "currency", "holds")
    answers = asyncio.run(
        in_sql(
            postgres.url(),
            events,
            [parts[name] for name in names],
            view=parts["known"],
        )
    )
    found = dict(zip(names, answers, strict=True))
    for name in ("groups", "tickets", "cards", "conversions", "holds"):
        assert found[name] == getattr(expected, name).tolist(), name
    assert Customers(*map(int, found["customers"][0])) == expected.customers
    assert (found["currency"][0][0] if found["currency"] else 0) == expected.currency


def array_of(drawn: list[dict]) -> np.ndarray:
    events: np.ndarray = np.zeros(len(drawn), EVENT_DTYPE)
    for place, values in enumerate(drawn):
        for name, value in ({"source": place - 20} | values).items():
            events[name][place] = value
    return events


async def in_sql(url: str, events: np.ndarray, statements: list[str], view: str = "") -> list[list[tuple]]:
    """What each statement answers over a table of `events`, with `view` as what is known."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE TEMPORARY TABLE events ({TABLE})")
        await connection.copy_records_to_table("events", records=events.tolist(), columns=list(COLUMNS))
        if view:
            await connection.execute(f"CREATE TEMPORARY VIEW known AS {view}")
        return [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
    finally:
        await connection.close()
