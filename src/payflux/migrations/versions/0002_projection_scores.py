"""Scores of stored projections, one for each horizon; those stored so far get their rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.database import APP_ROLE
from payflux.kit.tenancy import system_access, tenant_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "projection_scores",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("projection_id", sa.Uuid(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why_not", sa.Text(), nullable=True),
        sa.Column("score", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(scored_at IS NULL) = (score IS NULL)", name=op.f("ck_projection_scores_scored")),
        sa.ForeignKeyConstraint(
            ["account_id", "projection_id"],
            ["reserve_projections.account_id", "reserve_projections.id"],
            name=op.f("fk_projection_scores_account_id_projection_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "projection_id", "horizon_days", name=op.f("pk_projection_scores")),
    )
    op.create_index(
        "ix_projection_scores_due",
        "projection_scores",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("scored_at IS NULL"),
    )
    for statement in (*BACKFILL, *RIGHTS):
        op.execute(statement)


# the owner is bound by row-level security too; for this one statement it is not
BACKFILL = [
    "ALTER TABLE reserve_projections NO FORCE ROW LEVEL SECURITY",
    """
    INSERT INTO projection_scores (account_id, projection_id, horizon_days, due_at)
    SELECT account_id, id, horizon, (date_trunc('day', as_of AT TIME ZONE 'UTC') + make_interval(days => horizon + 1))
        AT TIME ZONE 'UTC'
    FROM reserve_projections,
        LATERAL (SELECT (said->>'horizon_days')::int AS horizon
                 FROM jsonb_array_elements(projection->'windows') AS said) AS windows
    """,
    "ALTER TABLE reserve_projections FORCE ROW LEVEL SECURITY",
]

RIGHTS = [
    *tenant_table("projection_scores", writable="SELECT, INSERT, UPDATE"),
    # a score is final: only a row without one can be changed
    f"CREATE POLICY final ON projection_scores AS RESTRICTIVE FOR UPDATE TO {APP_ROLE} "
    "USING (scored_at IS NULL) WITH CHECK (true)",
    # the timer finds what is due in every account
    *system_access("projection_scores", privileges="SELECT"),
]
