"""An account's domains, identity provider and directory, whom they know, and who may not come back by them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base


class SsoDomain(Base):
    """A domain that the account says is its own. It is once `proven_at` is set: `challenge` stood in its DNS then. A
    domain is proven for one account at most. It is looked up again: last at `checked_at`, and since `missing_since` it
    was not there, `times_missing` times; None and 0 where it was. One that was given up at `lapsed_at` has to be proven
    anew."""

    __tablename__ = "sso_domains"
    __table_args__ = (
        Index("uq_sso_domains_proven", "domain", unique=True, postgresql_where=text("proven_at IS NOT NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    challenge: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    proven_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    missing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    times_missing: Mapped[int] = mapped_column(server_default="0", default=0)
    lapsed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SsoConnection(Base):
    """The account's identity provider. `issuer` is its issuer (OIDC) or entity id (SAML). `client_secret` is encrypted
    and bound to the account. `default_role` is what a new member becomes. `proven_at` is when somebody first signed
    in by it as it is set up now, None where nobody has yet."""

    __tablename__ = "sso_connections"
    __table_args__ = (
        CheckConstraint("protocol in ('oidc', 'saml')", name="protocol"),
        CheckConstraint("default_role in ('admin', 'analyst', 'viewer')", name="default_role"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    protocol: Mapped[str] = mapped_column(String(10))
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(255), server_default="")
    client_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    sign_in_url: Mapped[str] = mapped_column(String(500), server_default="")
    certificate: Mapped[str] = mapped_column(Text, server_default="")
    default_role: Mapped[str] = mapped_column(String(20))
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    proven_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SsoIdentity(Base):
    """A member as the account's identity provider knows them: `issuer` and `subject`, and never an address. It ends
    with their place in the account."""

    __tablename__ = "sso_identities"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "user_id"], ["memberships.account_id", "memberships.user_id"], ondelete="CASCADE"
        ),
        UniqueConstraint("account_id", "issuer", "subject"),
        UniqueConstraint("account_id", "user_id", "issuer", name="uq_sso_identities_user"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SsoTombstone(Base):
    """Somebody who left the account and does not come back merely by signing in: the digest of their address, or of
    their identity."""

    __tablename__ = "sso_tombstones"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DirectoryUser(Base):
    """Somebody in the account's directory, as it told by SCIM. `user_name` is their normalized address. `user_id` is
    who they are here, while `active`."""

    __tablename__ = "directory_users"
    __table_args__ = (UniqueConstraint("account_id", "user_name"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    user_name: Mapped[str] = mapped_column(String(320))
    external_id: Mapped[str] = mapped_column(String(255), server_default="")
    name: Mapped[str] = mapped_column(String(200), server_default="")
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DirectoryGroup(Base):
    """A group of the account's directory, as it told by SCIM. Whoever is in it has at least `role` here, where one is
    chosen. `version` grows with every change of the group or of who is in it."""

    __tablename__ = "directory_groups"
    __table_args__ = (
        CheckConstraint("role in ('admin', 'analyst', 'viewer')", name="role"),
        Index("uq_directory_groups_name", "account_id", text("lower(display_name)"), unique=True),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(String(255))
    external_id: Mapped[str] = mapped_column(String(255), server_default="")
    role: Mapped[str | None] = mapped_column(String(20))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DirectoryGroupMember(Base):
    """Somebody of the directory who is in one of its groups."""

    __tablename__ = "directory_group_members"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account_id", "group_id"], ["directory_groups.account_id", "directory_groups.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["account_id", "person_id"], ["directory_users.account_id", "directory_users.id"], ondelete="CASCADE"
        ),
        Index("ix_directory_group_members_person", "account_id", "person_id"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class SamlAssertion(Base):
    """An assertion that was taken, by the digest of its id, for as long as it would be good."""

    __tablename__ = "saml_assertions"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
