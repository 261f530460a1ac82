"""Alembic's entry: runs on the connection it is handed, and compares with the models when asked to write a revision."""

from __future__ import annotations

from alembic import context

import payflux.activation.tables  # noqa: F401 -- so that every table is known to Base.metadata
from payflux.kit.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=lambda name, kind, _parents: not (kind == "table" and str(name).startswith("pgqueuer")),
)
with context.begin_transaction():
    context.run_migrations()
