"""Events that a processor posts to us, and history from files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from payflux.kit.tenancy import system_access, tenant_table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("processor_connections", sa.Column("hook_secret_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "event_deliveries",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), server_default="", nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            name=op.f("fk_event_deliveries_account_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "connection_id", "message_id", name=op.f("pk_event_deliveries")),
    )
    op.create_index(
        "ix_event_deliveries_connection", "event_deliveries", ["account_id", "connection_id", "received_at"]
    )
    op.create_index(
        "ix_event_deliveries_waiting",
        "event_deliveries",
        ["connection_id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "history_imports",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            name=op.f("fk_history_imports_account_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_history_imports")),
    )
    op.create_index("ix_history_imports_connection", "history_imports", ["account_id", "connection_id", "imported_at"])
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("event_deliveries", writable="SELECT, INSERT, UPDATE"),
    *system_access("event_deliveries", privileges="SELECT, DELETE"),
    *tenant_table("history_imports", writable="SELECT, INSERT"),
]
