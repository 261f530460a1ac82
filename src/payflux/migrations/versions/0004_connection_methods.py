"""What a connection needs besides a key: its own webhook address, tokens that end, and how far it has been read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payflux.kit.tenancy import system_access

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXTS = ("hook_endpoint_id", "disconnected_by", "host_source")
INSTANTS = ("secret_expires_at", "synced_through", "polled_through", "history_from")
SECRETS = ("hook_digest", "hook_secrets")


def upgrade() -> None:
    for name in TEXTS:
        op.add_column("processor_connections", sa.Column(name, sa.Text(), server_default="", nullable=False))
    for name in INSTANTS:
        op.add_column("processor_connections", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in SECRETS:
        op.add_column("processor_connections", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.create_index("uq_processor_connections_hook", "processor_connections", ["hook_digest"], unique=True)
    for statement in system_access("processor_connections", privileges="SELECT"):
        op.execute(statement)
