"""The audit log: who changed what, when and from where; written in the transaction of the change.

The log of each account is a chain (:mod:`payflux.kit.audit_chain`). The database refuses to change or remove an entry,
whoever asks, unless the whole account goes.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, String, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.audit_chain import FIRST_HASH, Link, entry_hash
from payflux.kit.database import Base
from payflux.kit.ids import new_id

ADDRESS_MAX = 64
USER_AGENT_MAX = 300


class AuditEntry(Base):
    """One change of state. `actor_id` is the user who asked for it, or None when the system did; `address` and
    `user_agent` are where the request came from, empty for a job. Append-only."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_account_id_at", "account_id", "at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(String(ADDRESS_MAX), server_default="")
    user_agent: Mapped[str] = mapped_column(String(USER_AGENT_MAX), server_default="")
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    def link(self) -> Link:
        """The entry as its chain sees it."""
        return Link(
            self.sequence,
            hashed_fields({name: getattr(self, name) for name in HASHED}),
            self.previous_hash,
            self.hash,
        )


HASHED = ("account_id", "id", "actor_id", "action", "subject", "before", "after", "at", "address", "user_agent")
"""The columns that an entry's hash covers, beside its number and the hash before it."""


class AuditHead(Base):
    """The last entry of an account's log, so that one cut off at its end shows. Only ever moves forward."""

    __tablename__ = "audit_heads"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Origin:
    """Where a request comes from: its network address and what its browser calls itself."""

    address: str
    user_agent: str


origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
"""Where the request under way comes from; None in a job."""


@contextmanager
def coming_from(address: str, user_agent: str) -> Generator[None, None, None]:
    """Every change recorded within names this origin."""
    token = origin.set(Origin(address[:ADDRESS_MAX], user_agent[:USER_AGENT_MAX]))
    try:
        yield
    finally:
        origin.reset(token)


async def record_change(
    session: AsyncSession,
    *,
    account_id: UUID,
    action: str,
    subject: str,
    at: datetime,
    actor_id: UUID | None = None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    """Write an audit entry that stands if, and only if, the change it tells of does.

    From here to the end of the transaction no other one adds to this account's log. Whoever writes to the logs of
    several accounts does so in the order of their ids. Secrets in `before` and `after` are not kept.
    """
    start = insert(AuditHead).values(account_id=account_id, sequence=0, hash=FIRST_HASH)
    # an update that changes nothing, for it locks the row and returns it
    locked = start.on_conflict_do_update(index_elements=["account_id"], set_={"account_id": account_id})
    last, previous_hash = (await session.execute(locked.returning(AuditHead.sequence, AuditHead.hash))).one()
    came_from = origin.get() or Origin("", "")
    columns = {
        "account_id": account_id,
        "id": new_id(),
        "actor_id": actor_id,
        "action": action,
        "subject": subject,
        "before": without_secrets(before),
        "after": without_secrets(after),
        "at": at,
        "address": came_from.address,
        "user_agent": came_from.user_agent,
    }
    digest = entry_hash(hashed_fields(columns), sequence=last + 1, previous_hash=previous_hash)
    session.add(AuditEntry(sequence=last + 1, previous_hash=previous_hash, hash=digest, **columns))
    await session.flush()
    await session.execute(
        update(AuditHead).where(AuditHead.account_id == account_id).values(sequence=last + 1, hash=digest)
    )


def hashed_fields(columns: Mapping[str, object]) -> dict[str, object]:
    """What of an entry's columns its hash covers."""
    return {name: columns[name] for name in HASHED}


REDACTED = "[not kept]"
_SECRET_NAME = re.compile(r"password|secret|token|digest|_hash$|^hash$|^code$|^key$|api_key|card_number", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|rk|whsec)_\w{8,}|\$argon2\S*|\bey[\w-]{10,}\.ey[\w-]{10,}\.[\w-]*|\b\d(?: ?\d){12,18}\b"
)


def without_secrets(fields: Mapping[str, object] | None) -> dict[str, object] | None:
    """`fields` with a mark in the place of what is named like a secret, or looks like one."""
    if fields is None:
        return None
    return {name: REDACTED if _SECRET_NAME.search(name) else _kept(value) for name, value in fields.items()}


def _kept(value: object) -> object:
    match value:
        case str():
            return _SECRET_VALUE.sub(REDACTED, value)
        case Mapping():
            return without_secrets(value)
        case list() | tuple():
            return [_kept(item) for item in value]
        case _:
            return value
