"""What shops of one size have in common."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.database import SYSTEM_ROLE
from payflux.kit.tenancy import shared_table

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("size", sa.String(20), nullable=False),
        sa.Column("metric", sa.String(40), nullable=False),
        sa.Column("shops", sa.Integer(), nullable=False),
        sa.Column("lower", sa.Float(), nullable=False),
        sa.Column("median", sa.Float(), nullable=False),
        sa.Column("upper", sa.Float(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("shops >= 20", name=op.f("ck_benchmarks_shops")),
        sa.PrimaryKeyConstraint("size", "metric", name=op.f("pk_benchmarks")),
    )
    for statement in (*shared_table("benchmarks"), f"GRANT INSERT, DELETE ON benchmarks TO {SYSTEM_ROLE}"):
        op.execute(statement)
