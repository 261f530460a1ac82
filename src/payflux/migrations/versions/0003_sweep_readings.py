"""The sweep's readings: every workspace's rates from its rollups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sweep_readings",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("growth", sa.Double(), nullable=True),
        sa.Column("payments_30", sa.BigInteger(), nullable=False),
        sa.Column("volume_30", sa.BigInteger(), nullable=False),
        sa.Column("dispute_activity_30", sa.Double(), nullable=True),
        sa.Column("fraud_warning_rate_30", sa.Double(), nullable=True),
        sa.Column("refund_rate_30", sa.Double(), nullable=True),
        sa.Column("decline_rate_30", sa.Double(), nullable=True),
        sa.Column("observed_reserve_30", sa.Double(), nullable=True),
        sa.Column("tier_30", sa.SmallInteger(), nullable=False),
        sa.Column("payments_90", sa.BigInteger(), nullable=False),
        sa.Column("volume_90", sa.BigInteger(), nullable=False),
        sa.Column("dispute_activity_90", sa.Double(), nullable=True),
        sa.Column("fraud_warning_rate_90", sa.Double(), nullable=True),
        sa.Column("refund_rate_90", sa.Double(), nullable=True),
        sa.Column("decline_rate_90", sa.Double(), nullable=True),
        sa.Column("observed_reserve_90", sa.Double(), nullable=True),
        sa.Column("tier_90", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", "currency", name=op.f("pk_sweep_readings")),
        # every row is written anew by each sweep: room for the new one on the same page spares the index
        postgresql_with={"fillfactor": 40},
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("sweep_readings", writable="SELECT"),
    *system_access("sweep_readings", privileges="SELECT, INSERT, UPDATE, DELETE"),
    *system_access("daily_rollups", privileges="SELECT"),
]
