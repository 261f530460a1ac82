"""Row-level security, as the statements a migration runs for each table."""

from __future__ import annotations

from payflux.kit.database import APP_ROLE, SYSTEM_ROLE

CURRENT_ACCOUNT = "nullif(current_setting('app.current_account_id', true), '')::uuid"


def tenant_table(
    table: str, *, account_column: str = "account_id", writable: str = "SELECT, INSERT, UPDATE, DELETE"
) -> list[str]:
    """Statements that let the app's role see and write only the rows of the current account."""
    rule = f"{account_column} = {CURRENT_ACCOUNT}"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} TO {APP_ROLE} USING ({rule}) WITH CHECK ({rule})",
        f"GRANT {writable} ON {table} TO {APP_ROLE}",
    ]


def system_access(table: str, *, privileges: str) -> list[str]:
    """Statements that give the system role `privileges` (SELECT, INSERT, UPDATE, DELETE) on every row of `table`."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY system ON {table} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)",
        f"GRANT {privileges} ON {table} TO {SYSTEM_ROLE}",
    ]


def shared_table(table: str) -> list[str]:
    """Statements for a table that belongs to no account and everyone may read, such as the catalogue."""
    return [f"GRANT SELECT ON {table} TO {APP_ROLE}, {SYSTEM_ROLE}"]
