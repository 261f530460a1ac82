"""Record artifacts: number, chain and sign them, in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.ledger.artifacts import (
    FIRST_HASH,
    Draft,
    Kind,
    Statement,
    b64,
    protected_header,
    sha256,
    written,
)
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.ledger.keys import SigningKey, signing_key
from payflux.monitor.ledger.models import LedgerArtifact, LedgerHead
from payflux.world.bootstrap import World


class Recorded(NamedTuple):
    """An artifact that stands once the transaction does; `hash` has 32 bytes."""

    sequence: int
    kind: Kind
    hash: bytes

    @property
    def reference(self) -> dict[str, object]:
        """The artifact as an envelope names it."""
        return {"hash": self.hash.hex(), "kind": self.kind.value, "sequence": self.sequence}


def envelope_draft(purpose: str, references: Sequence[Mapping[str, object]], **more: object) -> Draft:
    """An envelope that names artifacts of the same workspace, each by its `reference`, for a reader with `purpose`;
    `more` says what else belongs to it."""
    return Draft(kind=Kind.ENVELOPE, body={"purpose": purpose, "artifacts": references, **more})


async def record_artifacts(
    world: World, session: AsyncSession, *, account_id: UUID, workspace_id: UUID, drafts: Sequence[Draft]
) -> list[Recorded]:
    """Add `drafts` to the workspace's ledger in their order, each signed. They stand if, and only if, the transaction
    does; until its end no other one adds to this ledger, so record late in it."""
    if not drafts:
        return []
    key = await signing_key(world, session)
    of_workspace = {"account_id": account_id, "workspace_id": workspace_id}
    start = insert(LedgerHead).values(**of_workspace, sequence=0, hash=FIRST_HASH)
    # an update that changes nothing, for it locks the row and returns it
    locked = start.on_conflict_do_update(index_elements=list(of_workspace), set_={"account_id": account_id})
    last, before = (await session.execute(locked.returning(LedgerHead.sequence, LedgerHead.hash))).one()
    now, rows = world.clock.now(), []
    for sequence, draft in enumerate(drafts, start=last + 1):
        rows.append(of_workspace | _sealed(key, draft, workspace_id, sequence, before, now))
        before = rows[-1]["hash"]
    await session.execute(insert(LedgerArtifact), rows)
    head = update(LedgerHead).where(LedgerHead.account_id == account_id, LedgerHead.workspace_id == workspace_id)
    await session.execute(head.values(sequence=last + len(rows), hash=before))
    return [Recorded(row["sequence"], draft.kind, row["hash"]) for row, draft in zip(rows, drafts, strict=True)]


def _sealed(
    key: SigningKey, draft: Draft, workspace_id: UUID, sequence: int, before: bytes, now: datetime
) -> dict[str, object]:
    body = canonical(draft.body)
    body_hash = sha256(body)
    statement = Statement(
        body_hash=body_hash.hex(),
        inputs_hash=draft.inputs_hash,
        kind=draft.kind.value,
        model_version=draft.model_version,
        previous_hash=before.hex(),
        recorded_at=written(now),
        sequence=sequence,
        workspace_id=str(workspace_id),
    ).encoded()
    return {
        "sequence": sequence,
        "kind": draft.kind.value,
        "body": body.decode(),
        "body_hash": body_hash,
        "inputs_hash": draft.inputs_hash,
        "model_version": draft.model_version,
        "recorded_at": now,
        "previous_hash": before,
        "hash": sha256(statement),
        "key_id": key.key_id,
        "signature": key.sign(f"{protected_header(key.key_id)}.{b64(statement)}".encode()),
    }
