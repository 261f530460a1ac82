"""Alerts with their history, where they are told, and rules of one's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import system_access, tenant_table

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TRIGGERS = "'tier_escalation', 'reserve_spike', 'trend_degradation', 'projection_breach', 'custom'"
STATES = "'open', 'acknowledged', 'snoozed', 'resolved'"
HAPPENINGS = "'raised', 'worsened', 'cleared', 'acknowledged', 'snoozed', 'woken', 'resolved'"


def upgrade() -> None:
    _rules()
    _alerts()
    _telling()
    for statement in RIGHTS:
        op.execute(statement)


def _rules() -> None:
    # a few rows for each workspace, so that the new key takes no time
    op.add_column(
        "alert_rules", sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.drop_constraint(op.f("pk_alert_rules"), "alert_rules")
    op.create_primary_key(op.f("pk_alert_rules"), "alert_rules", ["account_id", "id"])
    op.create_index(
        "uq_alert_rules_default",
        "alert_rules",
        ["account_id", "workspace_id", "trigger"],
        unique=True,
        postgresql_where=sa.text("trigger <> 'custom'"),
    )
    op.drop_constraint(op.f("ck_alert_rules_trigger"), "alert_rules")
    op.create_check_constraint(op.f("ck_alert_rules_trigger"), "alert_rules", f"trigger in ({TRIGGERS})")
    for column in (
        sa.Column("metric", sa.String(60), server_default="", nullable=False),
        sa.Column("comparison", sa.String(10), server_default="above", nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("level", postgresql.JSONB(), nullable=True),
        sa.Column("base", postgresql.JSONB(), nullable=True),
        _instant("calm_since", nullable=True),
        _instant("read_at", nullable=True),
    ):
        op.add_column("alert_rules", column)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        _instant("raised_at"),
        _instant("snoozed_until", nullable=True),
        _instant("resolved_at", nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(f"state in ({STATES})", name=op.f("ck_alerts_state")),
        sa.CheckConstraint("(state = 'snoozed') = (snoozed_until IS NOT NULL)", name=op.f("ck_alerts_snoozed")),
        sa.CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_alerts_resolved")),
        _of_a_workspace("alerts"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_workspace", "alerts", ["account_id", "workspace_id", "raised_at"])
    unresolved = sa.text("state <> 'resolved'")
    op.create_index(
        "uq_alerts_unresolved", "alerts", ["account_id", "rule_id"], unique=True, postgresql_where=unresolved
    )
    op.create_index("ix_alerts_snoozed", "alerts", ["snoozed_until"], postgresql_where=sa.text("state = 'snoozed'"))
    op.create_table(
        "alert_events",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        _instant("at"),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("tells", sa.Boolean(), nullable=False),
        _instant("told_at", nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(f"kind in ({HAPPENINGS})", name=op.f("ck_alert_events_kind")),
        sa.ForeignKeyConstraint(
            ["account_id", "alert_id"],
            ["alerts.account_id", "alerts.id"],
            name=op.f("fk_alert_events_account_id_alert_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alert_events")),
    )
    op.create_index("ix_alert_events_alert", "alert_events", ["account_id", "alert_id", "at"])
    op.create_index(
        "ix_alert_events_untold", "alert_events", ["at"], postgresql_where=sa.text("tells AND told_at IS NULL")
    )


def _telling() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("shown", sa.String(300), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _instant("created_at"),
        _instant("disabled_at", nullable=True),
        sa.Column("disabled_because", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind in ('webhook', 'slack', 'pagerduty')", name=op.f("ck_alert_channels_kind")),
        _of_a_workspace("alert_channels"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alert_channels")),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("target", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _instant("created_at"),
        _instant("due_at"),
        _instant("delivered_at", nullable=True),
        sa.CheckConstraint(
            "state in ('waiting', 'delivered', 'failed', 'dropped')", name=op.f("ck_alert_deliveries_state")
        ),
        sa.CheckConstraint("kind in ('email', 'webhook', 'slack', 'pagerduty')", name=op.f("ck_alert_deliveries_kind")),
        sa.ForeignKeyConstraint(
            ["account_id", "event_id"],
            ["alert_events.account_id", "alert_events.id"],
            name=op.f("fk_alert_deliveries_account_id_event_id"),
            ondelete="CASCADE",
        ),
        # a test has no event, and needs the account all the same
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_alert_deliveries_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint(
            "account_id", "event_id", "target", name=op.f("uq_alert_deliveries_account_id_event_id_target")
        ),
    )
    op.create_index("ix_alert_deliveries_target", "alert_deliveries", ["account_id", "target", "created_at"])
    op.create_index(
        "ix_alert_deliveries_due", "alert_deliveries", ["due_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "alert_attempts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _instant("at"),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "delivery_id"],
            ["alert_deliveries.account_id", "alert_deliveries.id"],
            name=op.f("fk_alert_attempts_account_id_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", "number", name=op.f("pk_alert_attempts")),
    )


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_a_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id", "workspace_id"],
        ["workspaces.account_id", "workspaces.id"],
        name=op.f(f"fk_{table}_account_id_workspace_id"),
        ondelete="CASCADE",
    )


RIGHTS = [
    *tenant_table("alerts", writable="SELECT, INSERT, UPDATE"),
    *system_access("alerts", privileges="SELECT"),
    *tenant_table("alert_events", writable="SELECT, INSERT, UPDATE"),
    *system_access("alert_events", privileges="SELECT"),
    *tenant_table("alert_channels"),
    *tenant_table("alert_deliveries", writable="SELECT, INSERT, UPDATE"),
    *system_access("alert_deliveries", privileges="SELECT"),
    *tenant_table("alert_attempts", writable="SELECT, INSERT"),
]
