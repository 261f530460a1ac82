"""Balances over time, and what does not add up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import tenant_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "balance_snapshots",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=True),
        _of_a_connection("balance_snapshots"),
        sa.PrimaryKeyConstraint(
            "account_id", "connection_id", "taken_at", "currency", name=op.f("pk_balance_snapshots")
        ),
    )
    op.create_table(
        "reconciliations",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=True),
        sa.Column("actual", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        _of_a_connection("reconciliations"),
        sa.PrimaryKeyConstraint(
            "account_id",
            "connection_id",
            "identity",
            "subject",
            "currency",
            "until",
            name=op.f("pk_reconciliations"),
        ),
    )
    for table in ("balance_snapshots", "reconciliations"):
        for statement in tenant_table(table):
            op.execute(statement)


def _of_a_connection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id", "connection_id"],
        ["processor_connections.account_id", "processor_connections.id"],
        name=op.f(f"fk_{table}_account_id_connection_id"),
        ondelete="CASCADE",
    )
