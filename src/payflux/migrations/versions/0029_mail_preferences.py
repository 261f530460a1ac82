"""Which mails a member wants, and channels at more services."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _kinds("alert_channels", "'webhook', 'slack', 'pagerduty', 'apprise'")
    _kinds("alert_deliveries", "'email', 'webhook', 'slack', 'pagerduty', 'apprise'")


def _kinds(table: str, kinds: str) -> None:
    constraint = op.f(f"ck_{table}_kind")
    op.drop_constraint(constraint, table)
    op.create_check_constraint(constraint, table, f"kind in ({kinds})", postgresql_not_valid=True)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
