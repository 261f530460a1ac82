"""Published plans, what was bought at Stripe, exceptions of accounts, usage, trials that were had, and the launch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payflux.kit.tenancy import shared_table, system_access, tenant_table

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _catalogue()
    _bought()
    _entitled()
    _launch()
    for statement in RIGHTS:
        op.execute(statement)


def _catalogue() -> None:
    op.add_column("plan_limits", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    for column in ("created_at", "updated_at"):
        now = sa.Column(column, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
        op.add_column("plan_billing", now)
    op.create_table(
        "plan_versions",
        sa.Column("plan", sa.String(50), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("published_by", sa.String(320), nullable=True),
        _instant("published_at"),
        sa.CheckConstraint("source in ('catalogue', 'staff')", name=op.f("ck_plan_versions_source")),
        sa.ForeignKeyConstraint(["plan"], ["plan_limits.plan"], name=op.f("fk_plan_versions_plan")),
        sa.PrimaryKeyConstraint("plan", "version", name=op.f("pk_plan_versions")),
    )
    op.create_table(
        "stripe_prices",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("product_id", sa.String(255), nullable=False),
        sa.Column("plan", sa.String(50), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("billing_interval", sa.String(10), nullable=False),
        sa.Column("unit_amount_cents", sa.Integer(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        _instant("created_at"),
        sa.CheckConstraint("billing_interval in ('month', 'year')", name=op.f("ck_stripe_prices_billing_interval")),
        sa.ForeignKeyConstraint(
            ["plan", "version"],
            ["plan_versions.plan", "plan_versions.version"],
            name=op.f("fk_stripe_prices_plan_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_prices")),
    )
    op.create_table(
        "catalogue_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        _instant("at"),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_changes")),
    )
    _single_row("catalogue_state", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))


def _bought() -> None:
    for column in (
        sa.Column("plan_version", sa.Integer(), nullable=True),
        sa.Column("seat_limit", sa.Integer(), nullable=True),
        sa.Column("billing_interval", sa.String(10), nullable=True),
        sa.Column("stripe_subscription_id", sa.String(255), nullable=True),
        sa.Column("stripe_price_id", sa.String(255), nullable=True),
        sa.Column("stripe_status", sa.String(30), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _instant("cancel_at", nullable=True),
        _instant("canceled_at", nullable=True),
        _instant("next_payment_attempt_at", nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    ):
        op.add_column("subscriptions", column)
    op.create_check_constraint(
        op.f("ck_subscriptions_billing_interval"),
        "subscriptions",
        "billing_interval in ('month', 'year')",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE subscriptions VALIDATE CONSTRAINT ck_subscriptions_billing_interval")
    op.create_index("uq_subscriptions_stripe", "subscriptions", ["stripe_subscription_id"], unique=True)
    op.add_column("accounts", sa.Column("stripe_customer_id", sa.String(255), nullable=True))
    op.add_column(
        "accounts", sa.Column("entitlements_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    op.create_unique_constraint(op.f("uq_accounts_stripe_customer_id"), "accounts", ["stripe_customer_id"])
    op.create_table(
        "checkout_attempts",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.String(50), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=False),
        sa.Column("billing_interval", sa.String(10), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("stripe_session_id", sa.String(255), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("closed_at", nullable=True),
        sa.CheckConstraint("status in ('open', 'complete', 'expired')", name=op.f("ck_checkout_attempts_status")),
        _of_an_account("checkout_attempts"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("pk_checkout_attempts")),
    )
    op.create_index(
        "uq_checkout_attempts_open",
        "checkout_attempts",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        _instant("created_at"),
        _instant("received_at"),
        _instant("processed_at", nullable=True),
        _instant("due_at"),
        sa.Column("payload_excerpt", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'applied', 'ignored', 'failed')", name=op.f("ck_stripe_events_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
    )
    op.create_index("ix_stripe_events_event_type", "stripe_events", ["event_type"])
    op.create_index(
        "ix_stripe_events_waiting", "stripe_events", ["due_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "billing_differences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        _instant("found_at"),
        _instant("last_seen_at"),
        _instant("resolved_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_differences")),
    )
    op.create_index(
        "uq_billing_differences_open",
        "billing_differences",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "sent_notices",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("notice", sa.String(50), nullable=False),
        _instant("at"),
        _of_an_account("sent_notices"),
        sa.PrimaryKeyConstraint("account_id", "subscription_id", "notice", name=op.f("pk_sent_notices")),
    )


def _entitled() -> None:
    for table, key, value in (
        ("account_feature_overrides", "feature", sa.Column("enabled", sa.Boolean(), nullable=False)),
        ("account_limit_overrides", "limit_key", sa.Column("value", sa.Integer(), nullable=True)),
    ):
        op.create_table(
            table,
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column(key, sa.String(50), nullable=False),
            value,
            sa.Column("reason", sa.String(500), nullable=False),
            sa.Column("author", sa.String(320), nullable=False),
            _instant("starts_at"),
            _instant("expires_at", nullable=True),
            _instant("revoked_at", nullable=True),
            _of_an_account(table),
            sa.PrimaryKeyConstraint("account_id", "id", name=op.f(f"pk_{table}")),
        )
        op.create_index(
            f"uq_{table}_open",
            table,
            ["account_id", key],
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
        )
    op.create_foreign_key(
        op.f("fk_account_feature_overrides_feature"), "account_feature_overrides", "feature_flags", ["feature"], ["key"]
    )
    op.create_table(
        "usage_counters",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("limit_key", sa.String(50), nullable=False),
        _instant("window_start"),
        sa.Column("used", sa.Integer(), nullable=False),
        _of_an_account("usage_counters"),
        sa.PrimaryKeyConstraint("account_id", "limit_key", "window_start", name=op.f("pk_usage_counters")),
    )
    op.create_table(
        "dismissed_notices",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("notice", sa.String(50), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"],
            ["memberships.account_id", "memberships.user_id"],
            name=op.f("fk_dismissed_notices_account_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", "notice", name=op.f("pk_dismissed_notices")),
    )


def _launch() -> None:
    op.add_column("accounts", sa.Column("signup_source", sa.String(50), nullable=True))
    op.add_column("sessions", _instant("as_of", nullable=True))
    op.create_check_constraint(
        op.f("ck_sessions_as_of"),
        "sessions",
        "as_of IS NULL OR impersonated_by IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE sessions VALIDATE CONSTRAINT ck_sessions_as_of")
    op.create_table(
        "trial_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _instant("granted_at"),
        sa.CheckConstraint("kind in ('email', 'domain', 'oauth')", name=op.f("ck_trial_grants_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_grants")),
    )
    op.create_index("ix_trial_grants_kind_digest", "trial_grants", ["kind", "digest"])
    _single_row(
        "launch_state",
        sa.Column("self_serve_enabled", sa.Boolean(), nullable=True),
        sa.Column("changed_by", sa.String(320), nullable=True),
        _instant("changed_at", nullable=True),
    )
    op.create_table(
        "self_serve_allowed",
        sa.Column("email_normalized", sa.String(320), nullable=False),
        sa.Column("added_by", sa.String(320), nullable=False),
        _instant("added_at"),
        sa.PrimaryKeyConstraint("email_normalized", name=op.f("pk_self_serve_allowed")),
    )


def _single_row(table: str, *columns: sa.Column) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        *columns,
        sa.CheckConstraint("id", name=op.f(f"ck_{table}_single")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.execute(f"INSERT INTO {table} DEFAULT VALUES")


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_an_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
    )


APPEND_ONLY = "SELECT, INSERT"
CHANGED_BY_STAFF = "INSERT, UPDATE"

RIGHTS = [
    # what is sold is read by everybody and published by the staff console; what was published is never changed
    *(
        f"GRANT {CHANGED_BY_STAFF} ON {table} TO payflux_system"
        for table in ("plan_limits", "plan_billing", "feature_flags", "plan_feature_defaults")
    ),
    *(f"GRANT DELETE ON {table} TO payflux_system" for table in ("feature_flags", "plan_feature_defaults")),
    *shared_table("plan_versions"),
    "GRANT INSERT ON plan_versions TO payflux_system",
    *shared_table("stripe_prices"),
    "GRANT INSERT ON stripe_prices TO payflux_system",
    *system_access("catalogue_changes", privileges=APPEND_ONLY),
    *shared_table("catalogue_state"),
    "GRANT UPDATE ON catalogue_state TO payflux_system",
    *shared_table("launch_state"),
    "GRANT UPDATE ON launch_state TO payflux_system",
    "GRANT INSERT, UPDATE ON subscriptions TO payflux_app",
    "GRANT UPDATE ON subscriptions TO payflux_system",
    "GRANT UPDATE ON accounts TO payflux_system",
    *tenant_table("checkout_attempts", writable="SELECT, INSERT, UPDATE"),
    *system_access("checkout_attempts", privileges="SELECT, UPDATE"),
    *system_access("stripe_events", privileges="SELECT, INSERT, UPDATE"),
    *system_access("billing_differences", privileges="SELECT, INSERT, UPDATE"),
    *tenant_table("sent_notices", writable=APPEND_ONLY),
    *system_access("sent_notices", privileges=APPEND_ONLY),
    *tenant_table("account_feature_overrides", writable="SELECT"),
    *system_access("account_feature_overrides", privileges="SELECT, INSERT, UPDATE"),
    *tenant_table("account_limit_overrides", writable="SELECT"),
    *system_access("account_limit_overrides", privileges="SELECT, INSERT, UPDATE"),
    *tenant_table("usage_counters", writable="SELECT, INSERT, UPDATE"),
    *system_access("usage_counters", privileges="SELECT"),
    *tenant_table("dismissed_notices", writable="SELECT, INSERT, DELETE"),
    *system_access("trial_grants", privileges=APPEND_ONLY),
    *system_access("self_serve_allowed", privileges="SELECT, INSERT, DELETE"),
]
