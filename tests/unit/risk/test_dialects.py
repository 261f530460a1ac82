from __future__ import annotations

import duckdb
import numpy as np
import pytest
import sqlglot
from sqlglot import exp

from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.engines.dialects import DIALECTS, features_sql, summary_sql
from payflux.monitor.risk.rules import features
from tests.unit.risk.building import AS_OF, NOW, elevated_merchant


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_features_parse_in_every_dialect_and_need_nothing_but_integer_columns(dialect: str) -> None:
    (statement,) = sqlglot.parse(features_sql(dialect, now=NOW), read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert statement is not None
    assert not list(statement.find_all(exp.Parameter, exp.Placeholder))
    made = {cte.alias for cte in statement.find_all(exp.CTE)}
    read = [
        select
        for select in statement.find_all(exp.Select)
        if (table := select.find(exp.Table)) and table.name not in made
    ]
    columns = {column.name for column in read[0].find_all(exp.Column)}
    assert columns == {"at", "settled", "source", "card", "kind", "status", "settled_currency", "country"}
    assert all(field[0].kind == "i" for field in (EVENT_DTYPE.fields or {}).values())


def test_another_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match="none of duckdb, postgres"):
        features_sql("klingon", now=NOW)


@pytest.mark.parametrize("days", [30, 90])
def test_duckdb_gives_the_kernels_features(days: int) -> None:
    events = elevated_merchant()
    events["card"] = np.arange(len(events)) % 700
    database = duckdb.connect()
    database.register("events", {name: events[name].copy() for name in EVENT_DTYPE.names or ()})
    (row,) = database.execute(features_sql("duckdb", now=NOW, days=days)).fetchall()
    assert row == pytest.approx(features(events, AS_OF, days), abs=1e-11)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_part_of_a_summary_parses_in_every_dialect(dialect: str) -> None:
    parts = summary_sql(dialect, now=NOW)
    assert set(parts) == {"known", "groups", "currency", "tickets", "cards", "conversions", "customers", "holds"}
    for part in parts.values():
        (statement,) = sqlglot.parse(part, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
        assert statement is not None
        assert not list(statement.find_all(exp.Parameter, exp.Placeholder))
