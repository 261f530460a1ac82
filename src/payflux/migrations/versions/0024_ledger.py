"""What PayFlux said, signed, in a chain that can only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from payflux.kit.database import SYSTEM_ROLE
from payflux.kit.tenancy import shared_table, system_access, tenant_table

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KINDS = "'connection', 'baseline', 'projection', 'alert', 'score', 'envelope'"


def upgrade() -> None:
    op.create_table(
        "ledger_keys",
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        _instant("created_at"),
        _instant("retired_at", nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_ledger_keys")),
    )
    op.create_index(
        "uq_ledger_keys_current", "ledger_keys", ["retired_at"], unique=True, postgresql_nulls_not_distinct=True
    )
    _chain()
    _tree()
    for statement in RIGHTS:
        op.execute(statement)


def _chain() -> None:
    op.create_table(
        "ledger_artifacts",
        *_of_a_workspace("ledger_artifacts"),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        _instant("body_expired_at", nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("inputs_hash", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(40), nullable=False),
        _instant("recorded_at"),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_ledger_artifacts_kind")),
        sa.CheckConstraint("(body IS NULL) = (body_expired_at IS NOT NULL)", name=op.f("ck_ledger_artifacts_body")),
        sa.ForeignKeyConstraint(["key_id"], ["ledger_keys.key_id"], name=op.f("fk_ledger_artifacts_key_id")),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", "sequence", name=op.f("pk_ledger_artifacts")),
    )
    op.create_index("ix_ledger_artifacts_kind", "ledger_artifacts", ["account_id", "workspace_id", "kind", "sequence"])
    kept = sa.text("body IS NOT NULL")
    op.create_index(
        "ix_ledger_artifacts_body", "ledger_artifacts", ["account_id", "recorded_at"], postgresql_where=kept
    )
    op.create_table(
        "ledger_heads",
        *_of_a_workspace("ledger_heads"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", name=op.f("pk_ledger_heads")),
    )


def _tree() -> None:
    op.create_table(
        "ledger_inclusions",
        *_of_a_workspace("ledger_inclusions"),
        sa.Column("first_sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("first_leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", "first_sequence", name=op.f("pk_ledger_inclusions")),
    )
    op.create_table(
        "ledger_tiles",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_ledger_tiles")),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        _instant("signed_at"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", "signed_at", name=op.f("pk_ledger_checkpoints")),
    )


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_a_workspace(table: str) -> tuple[SchemaItem, ...]:
    return (
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f(f"fk_{table}_account_id_workspace_id"),
            ondelete="CASCADE",
        ),
    )


REFUSE_CHANGE = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;  -- the cascade of a deleted account
    END IF;
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'ledger_artifacts' THEN
        IF OLD.body IS NOT NULL AND NEW.body IS NULL THEN
            OLD.body := NULL;
            OLD.body_expired_at := NEW.body_expired_at;
            IF NEW IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;  -- a body whose time is over, and nothing else
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'the ledger can only be added to' USING ERRCODE = 'insufficient_privilege';
END $$
"""

REFUSE_RETREAT = """
CREATE FUNCTION refuse_ledger_retreat() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.account_id <> OLD.account_id OR NEW.workspace_id <> OLD.workspace_id OR NEW.sequence < OLD.sequence
        OR (NEW.sequence = OLD.sequence AND NEW.hash <> OLD.hash)
    THEN
        RAISE EXCEPTION 'the end of a ledger only moves forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

_ADDED_TO = ("ledger_artifacts", "ledger_inclusions", "ledger_checkpoints")

RIGHTS = [
    *shared_table("ledger_keys"),
    *shared_table("ledger_tiles"),
    *shared_table("ledger_checkpoints"),
    *tenant_table("ledger_artifacts", writable="SELECT, INSERT"),
    *system_access("ledger_artifacts", privileges="SELECT, UPDATE (body, body_expired_at)"),
    *tenant_table("ledger_heads", writable="SELECT, INSERT, UPDATE"),
    *system_access("ledger_heads", privileges="SELECT"),
    *tenant_table("ledger_inclusions", writable="SELECT"),
    *system_access("ledger_inclusions", privileges="SELECT, INSERT"),
    f"GRANT INSERT, UPDATE (retired_at) ON ledger_keys TO {SYSTEM_ROLE}",
    f"GRANT INSERT, UPDATE (hashes) ON ledger_tiles TO {SYSTEM_ROLE}",
    f"GRANT INSERT ON ledger_checkpoints TO {SYSTEM_ROLE}",
    REFUSE_CHANGE,
    REFUSE_RETREAT,
    *(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
        for table in _ADDED_TO
    ),
    *(
        f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_ledger_change()"
        for table in _ADDED_TO
    ),
    "CREATE TRIGGER no_delete BEFORE DELETE ON ledger_heads FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()",
    "CREATE TRIGGER forward_only BEFORE UPDATE ON ledger_heads FOR EACH ROW EXECUTE FUNCTION refuse_ledger_retreat()",
]
