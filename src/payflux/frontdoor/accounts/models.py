"""Users, the accounts they belong to, and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.kit.messages import language
from payflux.world.delivery_reports import meaning_of


class User(Base):
    """A person. `email` is as typed, `email_normalized` is what is unique. `language` is what pages and mails are
    written in for them, at first the one that they came in: a key of :data:`payflux.kit.messages.LANGUAGES`, or None
    where nobody knows."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("onboarding_step_completed BETWEEN 1 AND 3", name="onboarding_step"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_normalized: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    email_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    mail_returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When a mail to `email` last came back for good."""
    language: Mapped[str | None] = mapped_column(String(10), default=language)
    onboarding_step_completed: Mapped[int | None]
    """The highest step of the wizard that they have completed or skipped; None before the first."""
    onboarding_dismissed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    role_at_signup: Mapped[str | None] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def mail_returns(self) -> bool:
        """Whether mail to `email` has come back since the address was last proven."""
        returned, proven = self.mail_returned_at, self.email_verified_at
        return returned is not None and (proven is None or returned > proven)


class Account(Base):
    """The customer, and the tenant: every tenant row carries its id as `account_id`. `intended_plan` is the one they
    chose before they registered, `signup_source` the link that led them to it. `entitlements_version` grows with every
    change of what the account may do, in the transaction of that change, so that nobody goes by what was true
    before.

    A further workspace of an account is a tenant of its own: a row with the account as `parent_id`, which never changes
    and which one with a parent never is. The account's first workspace is its own row."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    intended_plan: Mapped[str | None] = mapped_column(String(50))
    signup_source: Mapped[str | None] = mapped_column(String(50))
    team_size_bucket: Mapped[str | None] = mapped_column(String(20))
    primary_processor: Mapped[str | None] = mapped_column(String(20))
    stripe_customer_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    sso_domains: Mapped[list[str]] = mapped_column(ARRAY(String(253)), server_default=text("'{}'"))
    """Whoever has an address of one of these signs in by the account's identity provider, or does not act in it."""
    entitlements_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Membership(Base):
    """A user's place in an account. Exactly one member is the owner."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role in ('owner', 'admin', 'analyst', 'viewer')", name="role"),
        Index("uq_memberships_owner", "account_id", unique=True, postgresql_where=text("role = 'owner'")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Session(Base):
    """A signed-in browser or API client. Only the HMAC of its token is stored.

    `account_id` is the account that a member of several acts in; without one it is the first they joined. `factors`
    are what the user proved themselves with, and `authenticated_at` is when they last did. `impersonated_by` is who of
    the staff looks at the account as the user; the database ties it to them, and knows them alone. `as_of` is the
    instant that they look at it as of; None is now, and so it is for everybody else.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("kind in ('browser', 'api')", name="kind"),
        CheckConstraint("as_of IS NULL OR impersonated_by IS NOT NULL", name="as_of"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10), server_default="browser")
    user_agent: Mapped[str] = mapped_column(String(300), server_default="")
    address: Mapped[str] = mapped_column(String(64), server_default="")
    country: Mapped[str] = mapped_column(String(2), server_default="")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    sso_account_id: Mapped[UUID | None]
    """The account whose identity provider opened the session: it acts in that one, and its workspaces, alone."""
    impersonated_by: Mapped[UUID | None]
    as_of: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    factors: Mapped[list[str]] = mapped_column(ARRAY(String(20)), server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    authenticated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    refresh_generation: Mapped[int | None]
    """How often an API client's refresh token was exchanged; None for a browser."""
    refreshed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInFailure(Base):
    """A refused sign-in, kept for as long as it slows the next one down. Holds digests, not addresses."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("ix_sign_in_failures_key_at", "key_digest", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_digest: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MailBounce(Base):
    """A report that a mail to a user's address was not delivered: `status` as RFC 3463 writes it; `permanent` where
    the address is to be taken for one that does not work. The id is computed from the report, so that one that is told
    twice is kept once."""

    __tablename__ = "mail_bounces"
    __table_args__ = (Index("ix_mail_bounces_user_id", "user_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(String(11))
    permanent: Mapped[bool]

    @property
    def meaning(self) -> str:
        """What the status says, in words for staff."""
        return meaning_of(self.status)
