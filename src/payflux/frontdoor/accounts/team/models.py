"""Invites, transfers of ownership, and what is kept of an account that was deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class AccountInvite(Base):
    """An offer to join an account, to one address. It is open until it is accepted, revoked or past its expiry; its
    code is computed from its id (see :mod:`payflux.frontdoor.accounts.team.codes`) and stored nowhere."""

    __tablename__ = "account_invites"
    __table_args__ = (
        CheckConstraint("role in ('admin', 'analyst', 'viewer')", name="role"),
        Index(
            "uq_account_invites_open",
            "account_id",
            "email_normalized",
            unique=True,
            postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
        ),
        Index("uq_account_invites_id", "id", unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_normalized: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(20))
    invited_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    email_sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    accepted_by: Mapped[UUID | None]


class InviteMail(Base):
    """One mail of an invite that was asked for: what the caps against spam count. `recipient_digest` is the digest of
    the address, so that a recipient is protected across accounts. Append-only."""

    __tablename__ = "invite_mails"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "invite_id"], ["account_invites.account_id", "account_invites.id"], ondelete="CASCADE"
        ),
        Index("ix_invite_mails_account_id_at", "account_id", "at"),
        Index("ix_invite_mails_recipient", "recipient_digest", "at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    invite_id: Mapped[UUID]
    requested_by: Mapped[UUID]
    recipient_digest: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class OwnershipTransfer(Base):
    """An owner's offer to a member to own the account. Open until it is accepted, declined, canceled or expired."""

    __tablename__ = "ownership_transfers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "from_user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["account_id", "to_user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
        CheckConstraint("from_user_id <> to_user_id", name="two_people"),
        Index("uq_ownership_transfers_open", "account_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    from_user_id: Mapped[UUID]
    to_user_id: Mapped[UUID]
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(20))  # accepted, declined, canceled, expired or forced


class DeletionReceipt(Base):
    """What is kept of a deleted account: that it was deleted, when, by whom, and how many rows of each table went.

    `mail_to` is the encrypted address of the owner until the receipt has been mailed. No tenant row: its account is
    gone, so it names it in a column of its own.
    """

    __tablename__ = "deletion_receipts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    deleted_account_id: Mapped[UUID]
    deleted_by: Mapped[UUID]
    deleted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rows: Mapped[dict[str, int]] = mapped_column(JSONB)
    mail_to: Mapped[bytes | None] = mapped_column(LargeBinary)
