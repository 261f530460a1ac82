"""What happened in the funnel, without a personal datum, and what workers failed at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import system_access, tenant_table

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("visitor", sa.String(32), nullable=True),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("properties", postgresql.JSONB(), nullable=False),
        sa.Column("dedupe_key", sa.String(300), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_product_events_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_product_events_user_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_events")),
    )
    op.create_index(
        "uq_product_events_dedupe_key",
        "product_events",
        ["account_id", "dedupe_key"],
        unique=True,
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("ix_product_events_account_id"), "product_events", ["account_id"])
    op.create_index(op.f("ix_product_events_user_id"), "product_events", ["user_id"])
    op.create_index("ix_product_events_name_at", "product_events", ["name", "at"])
    op.create_index("ix_product_events_unsent", "product_events", ["id"], postgresql_where=sa.text("sent_at IS NULL"))
    op.create_table(
        "failure_counts",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "label", "day", name=op.f("pk_failure_counts")),
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("product_events", writable="SELECT, INSERT"),
    *system_access("product_events", privileges="SELECT, INSERT, UPDATE"),
    *system_access("failure_counts", privileges="SELECT, INSERT, UPDATE"),
]
