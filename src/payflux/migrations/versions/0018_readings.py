"""Readings after the first one: surfaces and projections without a pull, how each workspace stands, and the sweeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

REASONS = "'first', 'history', 'event', 'sweep', 'asked'"


def upgrade() -> None:
    for table in ("risk_surfaces", "reserve_projections"):
        op.alter_column(table, "pull_id", nullable=True)
    op.add_column("risk_surfaces", sa.Column("connection_id", sa.Uuid(), nullable=True))
    op.add_column("risk_surfaces", sa.Column("reason", sa.String(20), server_default="first", nullable=False))
    op.add_column("risk_surfaces", sa.Column("asked_tier", sa.Integer(), server_default="0", nullable=False))
    op.add_column("risk_surfaces", sa.Column("payout_delay_days", sa.Integer(), nullable=True))
    op.add_column("risk_surfaces", sa.Column("basis_hash", sa.String(64), server_default="", nullable=False))
    op.add_column("reserve_projections", sa.Column("surface_id", sa.Uuid(), nullable=True))
    for statement in BACKFILL:
        op.execute(statement)
    op.alter_column("risk_surfaces", "connection_id", nullable=False)
    op.alter_column("reserve_projections", "surface_id", nullable=False)
    op.create_check_constraint(op.f("ck_risk_surfaces_reason"), "risk_surfaces", f"reason in ({REASONS})")
    op.create_foreign_key(
        op.f("fk_reserve_projections_account_id_surface_id"),
        "reserve_projections",
        "risk_surfaces",
        ["account_id", "surface_id"],
        ["account_id", "id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    op.create_index("uq_reserve_projections_surface", "reserve_projections", ["account_id", "surface_id"], unique=True)
    op.create_index(
        "uq_risk_surfaces_inputs",
        "risk_surfaces",
        ["account_id", "workspace_id", "as_of", "inputs_hash"],
        unique=True,
        postgresql_where=sa.text("pull_id IS NULL"),
    )
    op.create_table(
        "workspace_readings",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_workspace_readings_account_id_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", name=op.f("pk_workspace_readings")),
    )
    op.create_index(
        "ix_workspace_readings_due",
        "workspace_readings",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "sweeps",
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workspaces", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("window_start", name=op.f("pk_sweeps")),
    )
    op.add_column("sweep_readings", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
    for statement in RIGHTS:
        op.execute(statement)


# the owner is bound by row-level security too; for these statements it is not
BACKFILL = [
    *(
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
        for table in ("risk_surfaces", "reserve_projections", "history_pulls")
    ),
    """
    UPDATE risk_surfaces AS said
    SET connection_id = pulled.connection_id, asked_tier = coalesce((said.surface->>'asked_tier')::int, 0),
        payout_delay_days = (said.surface->>'payout_delay_days')::int
    FROM history_pulls AS pulled WHERE pulled.account_id = said.account_id AND pulled.id = said.pull_id
    """,
    """
    UPDATE reserve_projections AS said SET surface_id = surface.id FROM risk_surfaces AS surface
    WHERE surface.account_id = said.account_id AND surface.pull_id = said.pull_id
    """,
    *(
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
        for table in ("risk_surfaces", "reserve_projections", "history_pulls")
    ),
]

RIGHTS = [
    *tenant_table("workspace_readings", writable="SELECT, INSERT, UPDATE"),
    *system_access("workspace_readings", privileges="SELECT"),
    *system_access("sweeps", privileges="SELECT, INSERT"),
]
