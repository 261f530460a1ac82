"""The channels that the alerts of a rule are posted to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert_rules", sa.Column("posted_to", postgresql.ARRAY(sa.Uuid()), nullable=True))
