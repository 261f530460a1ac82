"""What a reading of history is for, and what ended it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, default in (("purpose", "first"), ("problem", "")):
        op.add_column("history_pulls", sa.Column(name, sa.Text(), server_default=default, nullable=False))
