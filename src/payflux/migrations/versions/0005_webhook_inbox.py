"""Webhooks as they came in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("external_account_id", sa.Text(), server_default="", nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            name=op.f("fk_webhook_events_account_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "event_id", name=op.f("pk_webhook_events")),
    )
    op.create_index("ix_webhook_events_connection", "webhook_events", ["account_id", "connection_id", "received_at"])
    op.create_index(
        "ix_webhook_events_waiting",
        "webhook_events",
        ["connection_id", "due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("webhook_events", writable="SELECT, INSERT, UPDATE"),
    *system_access("webhook_events", privileges="SELECT, INSERT, DELETE"),
]
