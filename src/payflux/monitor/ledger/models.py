"""The stored ledger: artifacts and the end of each workspace's chain, the signing keys, and the tree over it all."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base
from payflux.monitor.ledger.artifacts import Kind, Statement, b64, protected_header, written

_KINDS = ", ".join(f"'{kind}'" for kind in Kind)


def _of_a_workspace() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "workspace_id"], ["workspaces.account_id", "workspaces.id"], ondelete="CASCADE"
    )


class LedgerArtifact(Base):
    """One artifact. `body` is its canonical JSON, None from `body_expired_at` on; all else stays. Append-only."""

    __tablename__ = "ledger_artifacts"
    __table_args__ = (
        _of_a_workspace(),
        CheckConstraint(f"kind in ({_KINDS})", name="kind"),
        CheckConstraint("(body IS NULL) = (body_expired_at IS NOT NULL)", name="body"),
        Index("ix_ledger_artifacts_kind", "account_id", "workspace_id", "kind", "sequence"),
        Index("ix_ledger_artifacts_body", "account_id", "recorded_at", postgresql_where=text("body IS NOT NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[str | None] = mapped_column(Text)
    body_expired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    inputs_hash: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(40))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(ForeignKey("ledger_keys.key_id"))
    signature: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def statement(self) -> Statement:
        return Statement(
            body_hash=self.body_hash.hex(),
            inputs_hash=self.inputs_hash,
            kind=self.kind,
            model_version=self.model_version,
            previous_hash=self.previous_hash.hex(),
            recorded_at=written(self.recorded_at),
            sequence=self.sequence,
            workspace_id=str(self.workspace_id),
        )

    @property
    def reference(self) -> dict[str, object]:
        """The artifact as an envelope names it."""
        return {"hash": self.hash.hex(), "kind": self.kind, "sequence": self.sequence}

    @property
    def jws(self) -> str:
        """The signed statement, as a compact JWS."""
        return f"{protected_header(self.key_id)}.{b64(self.statement.encoded())}.{b64(self.signature)}"


class LedgerHead(Base):
    """The last artifact of a workspace: whoever appends holds its row, so that a chain cannot fork. Only ever moves
    forward."""

    __tablename__ = "ledger_heads"
    __table_args__ = (_of_a_workspace(),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerKey(Base):
    """A signing key: its thumbprint, the public half, and what the signer needs to use it. The one without
    `retired_at` signs; each stays published."""

    __tablename__ = "ledger_keys"
    # without a moment of retiring there is one at most
    __table_args__ = (Index("uq_ledger_keys_current", "retired_at", unique=True, postgresql_nulls_not_distinct=True),)

    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LedgerInclusion(Base):
    """Where in the tree a run of a workspace's artifacts stands: `first_sequence` at leaf `first_leaf`, and so on."""

    __tablename__ = "ledger_inclusions"
    __table_args__ = (_of_a_workspace(),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    first_leaf: Mapped[int] = mapped_column(BigInteger)


class LedgerTile(Base):
    """Up to 256 hashes of the tree, side by side, 32 bytes each: those of nodes over 256**`level` leaves. A tile says
    of no artifact whose it is, and stays when an account goes."""

    __tablename__ = "ledger_tiles"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerCheckpoint(Base):
    """The tree as it was signed. Append-only."""

    __tablename__ = "ledger_checkpoints"

    tree_size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    signed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    note: Mapped[str] = mapped_column(Text)
