"""Several workspaces under one account: a further one is a tenant of its own that names the account it belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import CURRENT_ACCOUNT

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_accounts_parent_id",
        "accounts",
        "accounts",
        ["parent_id"],
        ["id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE accounts VALIDATE CONSTRAINT fk_accounts_parent_id")
    op.create_index("ix_accounts_parent_id", "accounts", ["parent_id"])
    for statement in RIGHTS:
        op.execute(statement)


# the app's role may change its account's row, but not whose workspace it is: that would be somebody else's plan
ONE_LEVEL = """
CREATE FUNCTION keep_parent() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.parent_id IS DISTINCT FROM OLD.parent_id THEN
        RAISE EXCEPTION 'account % stays where it belongs', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.parent_id IS NOT NULL
        AND EXISTS (SELECT FROM accounts WHERE id = NEW.parent_id AND parent_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'a workspace has no workspaces' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$
"""

# a workspace sees its own row of accounts by the tenant policy, and no more is read here
PAYING_ACCOUNT = f"(SELECT parent_id FROM accounts WHERE id = {CURRENT_ACCOUNT})"  # noqa: S608 -- a constant

RIGHTS = [
    ONE_LEVEL,
    "CREATE TRIGGER keep_parent BEFORE INSERT OR UPDATE OF parent_id ON accounts "
    "FOR EACH ROW EXECUTE FUNCTION keep_parent()",
    # an account lists its workspaces, and tells them that what it may do has changed
    f"CREATE POLICY workspaces ON accounts TO payflux_app "
    f"USING (parent_id = {CURRENT_ACCOUNT}) WITH CHECK (parent_id = {CURRENT_ACCOUNT})",
    # a workspace reads what its account has bought and was granted, and counts for it
    *(
        f"CREATE POLICY paying_account ON {table} FOR SELECT TO payflux_app USING (account_id = {PAYING_ACCOUNT})"
        for table in ("subscriptions", "account_feature_overrides", "account_limit_overrides")
    ),
    f"CREATE POLICY paying_account ON usage_counters TO payflux_app "
    f"USING (account_id = {PAYING_ACCOUNT}) WITH CHECK (account_id = {PAYING_ACCOUNT})",
]
