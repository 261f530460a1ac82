"""The SQL definition of the features, run by PostgreSQL."""

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
from payflux.monitor.risk.engines.dialects import features_sql
from payflux.monitor.risk.rules import features

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(AS_OF.timestamp())
COLUMNS = {name: field[0].itemsize for name, field in (EVENT_DTYPE.fields or {}).items()}
TABLE = ", ".join(f'"{name}" {"bigint" if width == 8 else "smallint"} NOT NULL' for name, width in COLUMNS.items())

EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(NOW - 100 * 86_400, NOW + 86_400) | st.integers(NOW - 7_200, NOW),
            "settled": st.integers(0, 10**15),
            "card": st.integers(-2, 3),
            "kind": st.sampled_from([*Kind, Kind.CHARGE, Kind.CHARGE, Kind.CHARGE]),
            "status": st.sampled_from([*Status]),
            "settled_currency": st.sampled_from([0, pack_letters("usd"), pack_letters("eur")]),
            "country": st.sampled_from([0, pack_letters("US"), pack_letters("DE")]),
        }
    ),
    max_size=60,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=EVENTS, days=st.sampled_from([1, 30, 90]))
def test_postgresql_gives_the_kernels_features(postgres: EmbeddedPostgres, drawn: list[dict], days: int) -> None:
    events: np.ndarray = np.zeros(len(drawn), EVENT_DTYPE)
    for place, values in enumerate(drawn):
        for name, value in ({"source": place - 20} | values).items():
            events[name][place] = value
    assert asyncio.run(in_sql(postgres.url(), events, days)) == pytest.approx(features(events, AS_OF, days), abs=1e-11)


async def in_sql(url: str, events: np.ndarray, days: int) -> tuple[float, ...]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE TEMPORARY TABLE events ({TABLE})")
        await connection.copy_records_to_table("events", records=events.tolist(), columns=list(COLUMNS))
        row = await connection.fetchrow(features_sql("postgres", now=NOW, days=days))
        return tuple(float(value) for value in row.values())
    finally:
        await connection.close()
