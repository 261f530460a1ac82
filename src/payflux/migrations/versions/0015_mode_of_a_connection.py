"""A connection for each mode of an account: test payments are not live ones."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "uq_processor_connections_mode",
        "processor_connections",
        ["account_id", "workspace_id", "external_account_id", "livemode"],
        unique=True,
    )
    op.drop_index("uq_processor_connections_external", "processor_connections")
