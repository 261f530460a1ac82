"""Accounts, workspaces, processors, events, risk surfaces, projections, alerts, the catalogue and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import shared_table, system_access, tenant_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_account_id_at", "audit_entries", ["account_id", "at"], unique=False)
    op.create_table(
        "daily_rollups",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", "currency", name=op.f("pk_daily_rollups")),
    )
    op.create_table(
        "feature_flags",
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_feature_flags")),
    )
    op.create_table(
        "plan_limits",
        sa.Column("plan", sa.String(length=50), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("processors", sa.Integer(), nullable=True),
        sa.Column("scans_per_month", sa.Integer(), nullable=True),
        sa.Column("projections_per_day", sa.Integer(), nullable=True),
        sa.Column("api_calls_per_day", sa.Integer(), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("plan", name=op.f("pk_plan_limits")),
    )
    op.create_table(
        "processor_connections",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("processor", sa.Text(), server_default="stripe", nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("external_account_id", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("default_currency", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "capabilities",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column(
            "snapshot", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_processor_connections")),
    )
    op.create_index("ix_processor_connections_external", "processor_connections", ["external_account_id"], unique=False)
    op.create_index(
        "uq_processor_connections_external",
        "processor_connections",
        ["account_id", "workspace_id", "external_account_id"],
        unique=True,
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index("ix_sign_in_failures_key_at", "sign_in_failures", ["key_digest", "at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_normalized", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_normalized", name=op.f("uq_users_email_normalized")),
    )
    op.create_table(
        "connect_attempts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("state_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_connect_attempts_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_connect_attempts")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_connect_attempts_state_digest")),
    )
    op.create_table(
        "history_pulls",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("objects", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            name=op.f("fk_history_pulls_account_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_history_pulls")),
    )
    op.create_index("ix_history_pulls_connection", "history_pulls", ["account_id", "connection_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role in ('owner', 'admin', 'analyst', 'viewer')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_index(
        "uq_memberships_owner", "memberships", ["account_id"], unique=True, postgresql_where=sa.text("role = 'owner'")
    )
    op.create_table(
        "payment_events",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("charge_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("card", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("currency", sa.SmallInteger(), nullable=False),
        sa.Column("settled_currency", sa.SmallInteger(), nullable=False),
        sa.Column("network", sa.SmallInteger(), nullable=False),
        sa.Column("method", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("risk_level", sa.SmallInteger(), nullable=False),
        sa.Column("three_d_secure", sa.SmallInteger(), nullable=False),
        sa.Column("country", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "connection_id"],
            ["processor_connections.account_id", "processor_connections.id"],
            name=op.f("fk_payment_events_account_id_connection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "connection_id", "kind", "source_id", name=op.f("pk_payment_events")),
    )
    op.create_index("ix_payment_events_workspace", "payment_events", ["account_id", "workspace_id", "at"], unique=False)
    op.create_table(
        "plan_billing",
        sa.Column("plan", sa.String(length=50), nullable=False),
        sa.Column("display_name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("monthly_price_cents", sa.Integer(), nullable=True),
        sa.Column("annual_price_cents", sa.Integer(), nullable=True),
        sa.Column("stripe_product_id", sa.String(length=255), nullable=True),
        sa.Column("stripe_monthly_price_id", sa.String(length=255), nullable=True),
        sa.Column("stripe_annual_price_id", sa.String(length=255), nullable=True),
        sa.Column("is_public", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sort_order", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["plan_limits.plan"], name=op.f("fk_plan_billing_plan")),
        sa.PrimaryKeyConstraint("plan", name=op.f("pk_plan_billing")),
    )
    op.create_table(
        "plan_feature_defaults",
        sa.Column("plan", sa.String(length=50), nullable=False),
        sa.Column("feature", sa.String(length=50), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["feature"], ["feature_flags.key"], name=op.f("fk_plan_feature_defaults_feature")),
        sa.ForeignKeyConstraint(["plan"], ["plan_limits.plan"], name=op.f("fk_plan_feature_defaults_plan")),
        sa.PrimaryKeyConstraint("plan", "feature", name=op.f("pk_plan_feature_defaults")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sessions_token_digest")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("current_period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status in ('active', 'trialing', 'past_due', 'canceled', 'incomplete', 'complimentary')",
            name=op.f("ck_subscriptions_status"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_subscriptions_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["plan"], ["plan_limits.plan"], name=op.f("fk_subscriptions_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(
        "uq_subscriptions_live",
        "subscriptions",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'canceled'"),
    )
    op.create_table(
        "workspaces",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("activation_state", sa.String(length=40), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("pull_id", sa.Uuid(), nullable=True),
        sa.Column("entitled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("baseline_generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_projection_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alert_policy_armed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_monitored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "activation_state in ('paid_unconnected', 'connected_generating', 'baseline_ready', 'live_monitored')",
            name=op.f("ck_workspaces_activation_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_workspaces_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("account_id", name=op.f("uq_workspaces_account_id")),
    )
    op.create_index("ix_workspaces_activation_state", "workspaces", ["activation_state"], unique=False)
    op.create_table(
        "activation_transitions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=True),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_activation_transitions_account_id_workspace_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_activation_transitions")),
    )
    op.create_index(
        "ix_activation_transitions_workspace",
        "activation_transitions",
        ["account_id", "workspace_id", "at"],
        unique=False,
    )
    op.create_table(
        "alert_rules",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.String(length=20)), nullable=False),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column("armed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_triggered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "trigger in ('tier_escalation', 'reserve_spike', 'trend_degradation', 'projection_breach')",
            name=op.f("ck_alert_rules_trigger"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_alert_rules_account_id_workspace_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "workspace_id", "trigger", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "pull_windows",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("pull_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("filter", sa.Text(), server_default="", nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("pages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("objects", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "pull_id"],
            ["history_pulls.account_id", "history_pulls.id"],
            name=op.f("fk_pull_windows_account_id_pull_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "pull_id", "resource", "number", name=op.f("pk_pull_windows")),
    )
    op.create_table(
        "reserve_projections",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("pull_id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("model_version", sa.String(length=40), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("projection", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_reserve_projections_account_id_workspace_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_reserve_projections")),
    )
    op.create_index(
        "ix_reserve_projections_newest", "reserve_projections", ["account_id", "workspace_id", "as_of"], unique=False
    )
    op.create_index("uq_reserve_projections_pull", "reserve_projections", ["account_id", "pull_id"], unique=True)
    op.create_table(
        "risk_surfaces",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("pull_id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("risk_tier", sa.Integer(), nullable=False),
        sa.Column("stability_score", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.String(length=40), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("surface", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("risk_tier between 1 and 5", name=op.f("ck_risk_surfaces_risk_tier")),
        sa.ForeignKeyConstraint(
            ["account_id", "workspace_id"],
            ["workspaces.account_id", "workspaces.id"],
            name=op.f("fk_risk_surfaces_account_id_workspace_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_risk_surfaces")),
    )
    op.create_index("ix_risk_surfaces_newest", "risk_surfaces", ["account_id", "workspace_id", "as_of"], unique=False)
    op.create_index("uq_risk_surfaces_pull", "risk_surfaces", ["account_id", "pull_id"], unique=True)
    for statement in RIGHTS:
        op.execute(statement)


APPEND_ONLY = "SELECT, INSERT"

RIGHTS = [
    *tenant_table("accounts", account_column="id", writable="SELECT, UPDATE"),
    *tenant_table("memberships"),
    *tenant_table("subscriptions", writable="SELECT"),
    *tenant_table("audit_entries", writable=APPEND_ONLY),
    *tenant_table("workspaces"),
    *tenant_table("activation_transitions", writable=APPEND_ONLY),
    *tenant_table("connect_attempts"),
    *tenant_table("processor_connections"),
    *tenant_table("history_pulls"),
    *tenant_table("pull_windows"),
    *tenant_table("payment_events"),
    *tenant_table("daily_rollups"),
    *tenant_table("risk_surfaces", writable=APPEND_ONLY),
    *tenant_table("reserve_projections", writable=APPEND_ONLY),
    *tenant_table("alert_rules"),
    # registration and sign-in happen before there is an account to be in
    *system_access("users", privileges="SELECT, INSERT, UPDATE, DELETE"),
    *system_access("sessions", privileges="SELECT, INSERT, UPDATE, DELETE"),
    *system_access("sign_in_failures", privileges="SELECT, INSERT, DELETE"),
    *system_access("accounts", privileges=APPEND_ONLY),
    *system_access("memberships", privileges=APPEND_ONLY),
    *system_access("subscriptions", privileges=APPEND_ONLY),
    *system_access("workspaces", privileges=APPEND_ONLY),
    *system_access("activation_transitions", privileges=APPEND_ONLY),
    *system_access("audit_entries", privileges=APPEND_ONLY),
    *shared_table("plan_limits"),
    *shared_table("plan_billing"),
    *shared_table("feature_flags"),
    *shared_table("plan_feature_defaults"),
    "GRANT SELECT ON alembic_version TO payflux_app, payflux_system",
]
