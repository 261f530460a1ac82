"""Invitations, transfers of ownership, and what is left of a deleted account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import system_access, tenant_table

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OF_A_WORKSPACE = ("activation_transitions", "alert_rules", "reserve_projections", "risk_surfaces")


def upgrade() -> None:
    op.create_table(
        "account_invites",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_normalized", sa.String(320), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("email_sent_at", nullable=True),
        _instant("revoked_at", nullable=True),
        _instant("accepted_at", nullable=True),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("role in ('admin', 'analyst', 'viewer')", name=op.f("ck_account_invites_role")),
        _of_an_account("account_invites"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_account_invites")),
    )
    op.create_index(
        "uq_account_invites_open",
        "account_invites",
        ["account_id", "email_normalized"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_index("uq_account_invites_id", "account_invites", ["id"], unique=True)
    op.create_table(
        "invite_mails",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invite_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("recipient_digest", sa.LargeBinary(), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(
            ["account_id", "invite_id"],
            ["account_invites.account_id", "account_invites.id"],
            name=op.f("fk_invite_mails_account_id_invite_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_invite_mails")),
    )
    op.create_index("ix_invite_mails_account_id_at", "invite_mails", ["account_id", "at"])
    op.create_index("ix_invite_mails_recipient", "invite_mails", ["recipient_digest", "at"])
    op.create_table(
        "ownership_transfers",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_user_id", sa.Uuid(), nullable=False),
        sa.Column("to_user_id", sa.Uuid(), nullable=False),
        _instant("requested_at"),
        _instant("expires_at"),
        _instant("closed_at", nullable=True),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.CheckConstraint("from_user_id <> to_user_id", name=op.f("ck_ownership_transfers_two_people")),
        _of_an_account("ownership_transfers"),
        *(
            sa.ForeignKeyConstraint(
                ["account_id", column],
                ["memberships.account_id", "memberships.user_id"],
                name=op.f(f"fk_ownership_transfers_account_id_{column}"),
                ondelete="CASCADE",
            )
            for column in ("from_user_id", "to_user_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_ownership_transfers")),
    )
    op.create_index(
        "uq_ownership_transfers_open",
        "ownership_transfers",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "deletion_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deleted_account_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_by", sa.Uuid(), nullable=False),
        _instant("deleted_at"),
        sa.Column("rows", postgresql.JSONB(), nullable=False),
        sa.Column("mail_to", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletion_receipts")),
    )
    # what the app may only add to goes with its account all the same: a cascade asks no role for leave
    for table in OF_A_WORKSPACE:
        _let_go(table, ["account_id", "workspace_id"], "workspaces", ["account_id", "id"])
    _let_go("projection_scores", ["account_id", "projection_id"], "reserve_projections", ["account_id", "id"])
    _cascade("audit_entries", ["account_id"], "accounts", ["id"])
    for statement in RIGHTS:
        op.execute(statement)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_an_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
    )


def _let_go(table: str, columns: list[str], parent: str, keys: list[str]) -> None:
    op.drop_constraint(f"fk_{table}_{'_'.join(columns)}", table)
    _cascade(table, columns, parent, keys)


def _cascade(table: str, columns: list[str], parent: str, keys: list[str]) -> None:
    name = f"fk_{table}_{'_'.join(columns)}"
    # the rows were checked by the constraint that goes, or by row-level security: no scan under a lock
    op.create_foreign_key(name, table, parent, columns, keys, ondelete="CASCADE", postgresql_not_valid=True)


ONE_OWNER = """
CREATE FUNCTION require_owner() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM accounts WHERE id = OLD.account_id)
        AND NOT EXISTS (SELECT FROM memberships WHERE account_id = OLD.account_id AND role = 'owner')
    THEN
        RAISE EXCEPTION 'account % would have no owner', OLD.account_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

RIGHTS = [
    *tenant_table("account_invites", writable="SELECT, INSERT, UPDATE"),
    *system_access("account_invites", privileges="SELECT, UPDATE"),
    *tenant_table("invite_mails", writable="SELECT, INSERT"),
    *system_access("invite_mails", privileges="SELECT"),
    *tenant_table("ownership_transfers"),
    *tenant_table("deletion_receipts", account_column="deleted_account_id", writable="INSERT"),
    *system_access("deletion_receipts", privileges="SELECT, UPDATE"),
    # the unique index allows one owner at most; this, checked at commit, one at least
    ONE_OWNER,
    "CREATE CONSTRAINT TRIGGER one_owner AFTER UPDATE OR DELETE ON memberships DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION require_owner()",
    # a member sees who else is one; memberships are those of the current account by their own policy
    "CREATE POLICY members ON users FOR SELECT TO payflux_app "
    "USING (EXISTS (SELECT FROM memberships WHERE memberships.user_id = users.id))",
    "GRANT SELECT (id, name, email, email_normalized, email_verified_at, created_at) ON users TO payflux_app",
    # an owner's own row of each, with which the rest of the account goes
    "GRANT DELETE ON accounts TO payflux_app",
    "GRANT DELETE ON sweep_readings TO payflux_app",
]
