"""Keys of an account, the limits of its calls and the answers kept for a repeated request."""

from __future__ import annotations

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
