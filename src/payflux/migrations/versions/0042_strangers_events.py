"""Events of strangers end."""

from __future__ import annotations

from alembic import op

from payflux.kit.database import SYSTEM_ROLE

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"GRANT DELETE ON product_events TO {SYSTEM_ROLE}")
