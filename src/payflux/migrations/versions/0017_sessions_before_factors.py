"""What the sessions were opened by that are older than the record of it."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # 0009 meant to write this, but its owner is bound by forced row-level security and saw no session. Only a session
    # from before it, and a visit of staff, has no factor.
    op.execute("ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE sessions SET authenticated_at = created_at, factors = '{password}' "
        "WHERE factors = '{}' AND impersonated_by IS NULL"
    )
    op.execute("ALTER TABLE sessions FORCE ROW LEVEL SECURITY")
