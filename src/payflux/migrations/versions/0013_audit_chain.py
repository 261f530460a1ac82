"""An audit log in which tampering shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.audit import HASHED, hashed_fields
from payflux.kit.audit_chain import FIRST_HASH, entry_hash
from payflux.kit.tenancy import system_access, tenant_table

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.add_column("audit_entries", sa.Column("address", sa.String(length=64), server_default="", nullable=False))
    op.add_column("audit_entries", sa.Column("user_agent", sa.String(length=300), server_default="", nullable=False))
    op.add_column("audit_entries", sa.Column("previous_hash", sa.LargeBinary(), nullable=True))
    op.add_column("audit_entries", sa.Column("hash", sa.LargeBinary(), nullable=True))
    op.create_table(
        "audit_heads",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_audit_heads")),
    )
    # the owner is bound by forced row-level security too, and would see nothing to chain
    op.execute("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY")
    _chain_old_entries(op.get_bind())
    op.execute("ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY")
    for column in ("sequence", "previous_hash", "hash"):
        op.alter_column("audit_entries", column, nullable=False)
    op.drop_constraint("pk_audit_entries", "audit_entries")
    op.create_primary_key("pk_audit_entries", "audit_entries", ["account_id", "sequence"])
    op.create_foreign_key(
        "fk_audit_heads_account_id",
        "audit_heads",
        "accounts",
        ["account_id"],
        ["id"],
        ondelete="CASCADE",
        postgresql_not_valid=True,
    )
    for statement in RIGHTS:
        op.execute(statement)


def _chain_old_entries(connection: sa.Connection) -> None:
    """Chain what was written before there was a chain, in the order of its time: the chain vouches for it from here."""
    entries = sa.table("audit_entries", *(sa.column(name) for name in (*HASHED, "sequence", "previous_hash", "hash")))
    heads = sa.table("audit_heads", *(sa.column(name) for name in ("account_id", "sequence", "hash")))
    for account_id in connection.execute(sa.select(entries.c.account_id).distinct()).scalars().all():
        sequence, before = 0, FIRST_HASH
        ordered = sa.select(*(entries.c[name] for name in HASHED)).where(entries.c.account_id == account_id)
        for row in connection.execute(ordered.order_by(entries.c.at, entries.c.id)).mappings().all():
            sequence += 1
            digest = entry_hash(hashed_fields(row), sequence=sequence, previous_hash=before)
            connection.execute(
                sa.update(entries)
                .where(entries.c.id == row["id"])
                .values(sequence=sequence, previous_hash=before, hash=digest)
            )
            before = digest
        connection.execute(sa.insert(heads).values(account_id=account_id, sequence=sequence, hash=before))


REFUSE_CHANGE = """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;  -- the cascade of a deleted account
    END IF;
    RAISE EXCEPTION 'the audit log can only be added to' USING ERRCODE = 'insufficient_privilege';
END $$
"""

REFUSE_RETREAT = """
CREATE FUNCTION refuse_audit_retreat() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.account_id <> OLD.account_id OR NEW.sequence NOT IN (OLD.sequence, OLD.sequence + 1)
        OR (NEW.sequence = OLD.sequence AND NEW.hash <> OLD.hash)
    THEN
        RAISE EXCEPTION 'the end of an audit log only moves forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

RIGHTS = [
    *tenant_table("audit_heads", writable="SELECT, INSERT, UPDATE"),
    *system_access("audit_heads", privileges="SELECT, INSERT, UPDATE"),
    REFUSE_CHANGE,
    REFUSE_RETREAT,
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit_entries EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TRIGGER no_delete BEFORE DELETE ON audit_heads FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TRIGGER forward_only BEFORE UPDATE ON audit_heads FOR EACH ROW EXECUTE FUNCTION refuse_audit_retreat()",
]
