"""What the sandbox keeps, in one SQLite file: documents, the events of their changes, and what is due later."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]

_TABLES = """
    CREATE TABLE IF NOT EXISTS documents (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
        created INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (account, id)
    );
    CREATE INDEX IF NOT EXISTS documents_by_type ON documents (account, type, created, seq);
    CREATE TABLE IF NOT EXISTS due (
        at INTEGER NOT NULL, account TEXT NOT NULL, task TEXT NOT NULL, subject TEXT NOT NULL,
        PRIMARY KEY (account, task, subject)
    );
    CREATE INDEX IF NOT EXISTS due_by_time ON due (at);
    CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
NEWEST, OLDEST = (2**62, 2**62), (-1, -1)


class Place(NamedTuple):
    """Where a document stands among others of its type: the second it was created in, and the order of writing."""

    created: int
    seq: int


class Due(NamedTuple):
    """A task that runs at `at`, unix seconds, on the object `subject` of an account."""

    at: int
    account: str
    task: str
    subject: str


class Store:
    """Documents are JSON objects with `id`, `object` (their type) and, mostly, `created`. A type that begins with an
    underscore is the sandbox's own and no object of the API. Without `path` all is in memory."""

    def __init__(self, path: Path | None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _TABLES)
        self._depth = 0

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Everything within is kept, or, when an error leaves it, nothing. An inner one belongs to the outer."""
        if self._depth:
            yield
            return
        self._depth = 1
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        else:
            self._database.execute("COMMIT")
        finally:
            self._depth = 0

    @contextmanager
    def scratch(self) -> Generator[None, None, None]:
        """Everything within, inside of a transaction, is forgotten when it is left."""
        self._database.execute("SAVEPOINT scratch")
        try:
            yield
        finally:
            self._database.execute("ROLLBACK TO scratch")
            self._database.execute("RELEASE scratch")

    def put(self, account: str, document: Json) -> None:
        """Write a document, or write it over; it keeps its place."""
        self._database.execute(
            "INSERT INTO documents (account, type, id, created, body) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (account, id) DO UPDATE SET body = excluded.body",
            (
                account,
                document["object"],
                document["id"],
                document.get("created", 0),
                msgspec.json.encode(document).decode(),
            ),
        )

    def delete(self, account: str, document_id: str) -> None:
        self._database.execute("DELETE FROM documents WHERE account = ? AND id = ?", (account, document_id))

    def get(self, account: str, document_id: str) -> Json | None:
        row = self._database.execute(
            "SELECT body FROM documents WHERE account = ? AND id = ?", (account, document_id)
        ).fetchone()
        return msgspec.json.decode(row[0]) if row else None

    def place(self, account: str, document_id: str) -> Place | None:
        row = self._database.execute(
            "SELECT created, seq FROM documents WHERE account = ? AND id = ?", (account, document_id)
        ).fetchone()
        return Place(*row) if row else None

    def find(
        self,
        account: str,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        created: tuple[int, int] = (-1, 2**62),
        after: tuple[int, int] = OLDEST,
        before: tuple[int, int] = NEWEST,
        limit: int = -1,
        oldest_first: bool = False,
    ) -> list[Json]:
        """Documents of one type, the newest first: those whose fields equal `where` (a dot leads into a nested object;
        a sequence is any of its values), created within `created`, strictly between the places `after` and `before`."""
        clauses, values = [], [account, kind, *created, *after, *before]
        for path, value in (where or {}).items():
            allowed = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
            clauses.append(f"AND json_extract(body, '$.{path}') IN ({', '.join('?' * len(allowed))})")
            values += allowed
        order = "ASC" if oldest_first else "DESC"
        rows = self._database.execute(
            "SELECT body FROM documents WHERE account = ? AND type = ? AND created BETWEEN ? AND ? "  # noqa: S608
            f"AND (created, seq) > (?, ?) AND (created, seq) < (?, ?) {' '.join(clauses)} "
            f"ORDER BY created {order}, seq {order} LIMIT ?",
            (*values, limit),
        )
        return [msgspec.json.decode(body) for (body,) in rows]

    def accounts(self, kind: str) -> list[str]:
        """The accounts that have a document of this type."""
        rows = self._database.execute("SELECT DISTINCT account FROM documents WHERE type = ? ORDER BY 1", (kind,))
        return [account for (account,) in rows]

    def schedule(self, due: Due) -> None:
        """Let a task run later; a task already due for the same subject is moved."""
        self._database.execute("INSERT OR REPLACE INTO due (at, account, task, subject) VALUES (?, ?, ?, ?)", due)

    def unschedule(self, account: str, task: str, subject: str) -> None:
        self._database.execute(
            "DELETE FROM due WHERE account = ? AND task = ? AND subject = ?", (account, task, subject)
        )

    def next_due(self, until: int) -> Due | None:
        """The earliest task that is due by `until`."""
        row = self._database.execute(
            "SELECT at, account, task, subject FROM due WHERE at <= ? ORDER BY at, rowid LIMIT 1", (until,)
        ).fetchone()
        return Due(*row) if row else None

    def coming(self, limit: int) -> list[Due]:
        """The tasks that are due next, the earliest first."""
        rows = self._database.execute("SELECT at, account, task, subject FROM due ORDER BY at, rowid LIMIT ?", (limit,))
        return [Due(*row) for row in rows]

    def setting(self, name: str, default: str = "") -> str:
        row = self._database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def set(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        self._database.close()
