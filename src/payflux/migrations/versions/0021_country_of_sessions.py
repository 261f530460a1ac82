"""The country that a session was opened from, where a proxy in front tells it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("country", sa.String(2), server_default="", nullable=False))
