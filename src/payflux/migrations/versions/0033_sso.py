"""Single sign-on of an account: proven domains, its identity provider, identities, and whom its directory knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import system_access, tenant_table

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a member whose address is of one of these signs in by the account's identity provider
    op.add_column(
        "accounts", sa.Column("sso_domains", postgresql.ARRAY(sa.String(253)), server_default="{}", nullable=False)
    )
    for table in ("sessions", "pending_sign_ins"):
        op.add_column(table, sa.Column("sso_account_id", sa.Uuid(), nullable=True))
    op.create_table(
        "sso_domains",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sso_domains_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "domain", name=op.f("pk_sso_domains")),
    )
    op.create_index(
        "uq_sso_domains_proven",
        "sso_domains",
        ["domain"],
        unique=True,
        postgresql_where=sa.text("proven_at IS NOT NULL"),
    )
    op.create_table(
        "sso_connections",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("protocol", sa.String(10), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("client_id", sa.String(255), server_default="", nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=True),
        sa.Column("sign_in_url", sa.String(500), server_default="", nullable=False),
        sa.Column("certificate", sa.Text(), server_default="", nullable=False),
        sa.Column("default_role", sa.String(20), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("protocol in ('oidc', 'saml')", name=op.f("ck_sso_connections_protocol")),
        sa.CheckConstraint(
            "default_role in ('admin', 'analyst', 'viewer')", name=op.f("ck_sso_connections_default_role")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sso_connections_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sso_connections")),
    )
    op.create_table(
        "sso_identities",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["memberships.account_id", "memberships.user_id"],
            name=op.f("fk_sso_identities_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_sso_identities")),
        sa.UniqueConstraint("account_id", "issuer", "subject", name=op.f("uq_sso_identities_account_id")),
        sa.UniqueConstraint("account_id", "user_id", "issuer", name="uq_sso_identities_user"),
    )
    op.create_table(
        "sso_tombstones",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sso_tombstones_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_sso_tombstones")),
    )
    op.create_table(
        "directory_users",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("user_name", sa.String(320), nullable=False),
        sa.Column("external_id", sa.String(255), server_default="", nullable=False),
        sa.Column("name", sa.String(200), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_directory_users_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_directory_users")),
        sa.UniqueConstraint("account_id", "user_name", name=op.f("uq_directory_users_account_id")),
    )
    for statement in RIGHTS:
        op.execute(statement)


RIGHTS = [
    *tenant_table("sso_domains"),
    *system_access("sso_domains", privileges="SELECT"),
    *tenant_table("sso_connections"),
    *system_access("sso_connections", privileges="SELECT, UPDATE"),
    # whoever comes back from an identity provider is in no account yet
    *tenant_table("sso_identities", writable="SELECT, DELETE"),
    *system_access("sso_identities", privileges="SELECT, INSERT, UPDATE"),
    *tenant_table("sso_tombstones"),
    *system_access("sso_tombstones", privileges="SELECT, INSERT, DELETE"),
    *tenant_table("directory_users"),
    *system_access("directory_users", privileges="SELECT, INSERT, UPDATE, DELETE"),
    # a directory ends a member's place, sessions and keys in one transaction
    "GRANT DELETE ON memberships TO payflux_system",
]
