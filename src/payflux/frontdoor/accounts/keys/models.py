"""The keys of an account, each known by its hash alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from payflux.frontdoor.accounts.keys.rules import KeyState, state_at
from payflux.kit.database import Base


class ApiKey(Base):
    """A key of the account. Only the HMAC of it is stored, and its last letters, by which people tell keys apart.

    It does what its `scopes` name as long as the role of its owner, a member of the account, allows that too.
    `replaced_by` is the key that it was rotated into; until `expires_at` both open.
    """

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("revoked_for in ('', 'asked', 'leaked', 'member_gone')", name="revoked_for"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    environment: Mapped[str] = mapped_column(String(10))
    ending: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_for: Mapped[str] = mapped_column(String(20), server_default="")
    replaced_by: Mapped[UUID | None]

    def state(self, now: datetime) -> KeyState:
        return state_at(now, expires_at=self.expires_at, revoked_at=self.revoked_at, replaced_by=self.replaced_by)
