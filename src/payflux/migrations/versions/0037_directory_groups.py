"""Groups of an account's directory and the roles that they give, and domains that are looked up again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access, tenant_table

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("checked_at", "missing_since", "lapsed_at"):
        op.add_column("sso_domains", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("sso_domains", sa.Column("times_missing", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "directory_groups",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.String(255), nullable=False),
        sa.Column("external_id", sa.String(255), server_default="", nullable=False),
        sa.Column("role", sa.String(20), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role in ('admin', 'analyst', 'viewer')", name=op.f("ck_directory_groups_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_directory_groups_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_directory_groups")),
    )
    op.create_index(
        "uq_directory_groups_name", "directory_groups", ["account_id", sa.text("lower(display_name)")], unique=True
    )
    op.create_table(
        "directory_group_members",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "group_id"],
            ["directory_groups.account_id", "directory_groups.id"],
            name=op.f("fk_directory_group_members_account_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "person_id"],
            ["directory_users.account_id", "directory_users.id"],
            name=op.f("fk_directory_group_members_account_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "group_id", "person_id", name=op.f("pk_directory_group_members")),
    )
    op.create_index("ix_directory_group_members_person", "directory_group_members", ["account_id", "person_id"])
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("directory_groups"),
    *system_access("directory_groups", privileges="SELECT, INSERT, UPDATE, DELETE"),
    *tenant_table("directory_group_members", writable="SELECT, DELETE"),
    *system_access("directory_group_members", privileges="SELECT, INSERT, DELETE"),
    # what a group gives follows when the directory tells of it
    "GRANT UPDATE (role) ON memberships TO payflux_system",
]
