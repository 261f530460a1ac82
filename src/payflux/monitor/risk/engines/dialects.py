"""The SQL definitions in the words of other engines, transpiled by sqlglot."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from payflux.monitor.risk.engines.definitions import definition, parts
from payflux.monitor.risk.rules.summary import HISTORY_DAYS

DIALECTS = ("duckdb", "postgres", "clickhouse", "spark", "trino", "bigquery")
"""Of these the tests run DuckDB and PostgreSQL; of the others they check that the statement parses."""


def features_sql(dialect: str, *, now: int, days: int = 90) -> str:
    """`features.sql` for `dialect`, one of :data:`DIALECTS`: one statement, ready to run, over a table `events`.

    The table has EVENT_DTYPE's integer columns. `now` is in unix seconds and written into the statement with `days`,
    as every driver has its own way with parameters. Raises ValueError for another dialect.
    """
    return _statement(definition("features.sql"), dialect, now=now, days=days)


def summary_sql(dialect: str, *, now: int, window_days: int = 90) -> dict[str, str]:
    """The parts of `summary.sql` for `dialect`, by name, each one statement, ready to run, over a table `events`.

    The table has EVENT_DTYPE's integer columns and each (kind, source) once; `groups` and `holds` read the part
    `known` as a view or table of that name. `now` is in unix seconds. Raises ValueError for another dialect.
    """
    bound = {"now": now, "window": window_days, "history": HISTORY_DAYS}
    return {name: _statement(part, dialect, **bound) for name, part in parts(definition("summary.sql")).items()}


def _statement(definition: str, dialect: str, **parameters: int) -> str:
    if dialect not in DIALECTS:
        raise ValueError(f"{dialect!r} is none of {', '.join(DIALECTS)}")
    values = {key: exp.Literal.number(int(value)) for key, value in parameters.items()}

    def bind(node: exp.Expression) -> exp.Expression:
        return values[node.name].copy() if isinstance(node, exp.Parameter | exp.Placeholder) else node

    tree = sqlglot.parse_one(definition, read="duckdb").transform(bind)
    return tree.sql(dialect=dialect, pretty=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
