"""The SQL definitions in the words of other engines, transpiled by sqlglot."""

from __future__ import annotations

from importlib import resources

import sqlglot
from sqlglot import exp

from payflux.monitor.risk import rules

DIALECTS = ("duckdb", "postgres", "clickhouse", "spark", "trino", "bigquery")
"""Of these the tests run DuckDB and PostgreSQL; of the others they check that the statement parses."""


def features_sql(dialect: str, *, now: int, days: int = 90) -> str:
    """`features.sql` for `dialect`, one of :data:`DIALECTS`: one statement, ready to run, over a table `events`.

    The table has EVENT_DTYPE's integer columns. `now` is in unix seconds and written into the statement with `days`,
    as every driver has its own way with parameters. Raises ValueError for another dialect.
    """
    return _statement("features.sql", dialect, now=now, days=days)


def _statement(name: str, dialect: str, **parameters: int) -> str:
    if dialect not in DIALECTS:
        raise ValueError(f"{dialect!r} is none of {', '.join(DIALECTS)}")
    definition = resources.files(rules).joinpath(name).read_text()
    values = {key: exp.Literal.number(int(value)) for key, value in parameters.items()}

    def bind(node: exp.Expression) -> exp.Expression:
        return values[node.name].copy() if isinstance(node, exp.Parameter | exp.Placeholder) else node

    tree = sqlglot.parse_one(definition, read="duckdb").transform(bind)
    return tree.sql(dialect=dialect, pretty=True, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
