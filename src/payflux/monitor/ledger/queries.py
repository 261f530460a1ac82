"""Read a workspace's ledger: artifacts, proofs that they are in the signed tree, and the tree's checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import InvalidInput, NotFound
from payflux.monitor.ledger.artifacts import Kind
from payflux.monitor.ledger.merkle import consistency_ranges, inclusion_ranges
from payflux.monitor.ledger.models import LedgerArtifact, LedgerCheckpoint, LedgerHead, LedgerInclusion
from payflux.monitor.ledger.tree import TreeReader


class Page(NamedTuple):
    """Artifacts, the newest first; `next_before` is the cursor of the page after, None on the last."""

    artifacts: Sequence[LedgerArtifact]
    next_before: int | None


class Proof(NamedTuple):
    """That an artifact is leaf `leaf` of the tree that `checkpoint` signs."""

    leaf: int
    hashes: Sequence[bytes]
    checkpoint: LedgerCheckpoint

    def as_json(self) -> dict[str, object]:
        return {
            "leaf": self.leaf,
            "tree_size": self.checkpoint.tree_size,
            "hashes": [each.hex() for each in self.hashes],
            "checkpoint": self.checkpoint.note,
        }


async def list_artifacts(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    kinds: Collection[Kind] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """Artifacts of a workspace: of `kinds` alone where any are named, recorded at `since` or after and before `until`,
    numbered below the cursor `before`."""
    artifact = LedgerArtifact
    query = select(artifact).where(artifact.account_id == account_id, artifact.workspace_id == workspace_id)
    if kinds:
        query = query.where(artifact.kind.in_([kind.value for kind in kinds]))
    if since is not None:
        query = query.where(artifact.recorded_at >= since)
    if until is not None:
        query = query.where(artifact.recorded_at < until)
    if before is not None:
        query = query.where(artifact.sequence < before)
    found = (await session.execute(query.order_by(artifact.sequence.desc()).limit(limit + 1))).scalars().all()
    return Page(found[:limit], found[limit - 1].sequence if len(found) > limit else None)


async def get_artifact(session: AsyncSession, *, account_id: UUID, workspace_id: UUID, sequence: int) -> LedgerArtifact:
    """One artifact. Raises NotFound."""
    found = await session.get(LedgerArtifact, (account_id, workspace_id, sequence))
    if found is None:
        raise NotFound("There is no artifact of that number.", way_out="Go to Evidence, and choose one there.")
    return found


async def artifacts_between(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, first: int, last: int
) -> list[LedgerArtifact]:
    """The artifacts numbered `first` to `last`, both included, in their order."""
    artifact = LedgerArtifact
    query = select(artifact).where(
        artifact.account_id == account_id,
        artifact.workspace_id == workspace_id,
        artifact.sequence.between(first, last),
    )
    return list((await session.execute(query.order_by(artifact.sequence))).scalars())


async def newest_artifact(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, kind: Kind
) -> LedgerArtifact | None:
    """The last artifact of a kind, None where there is none."""
    page = await list_artifacts(session, account_id=account_id, workspace_id=workspace_id, kinds=(kind,), limit=1)
    return next(iter(page.artifacts), None)


async def count_artifacts(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> int:
    """How many artifacts a workspace has, those without a body included."""
    head = await session.get(LedgerHead, (account_id, workspace_id))
    return head.sequence if head else 0


async def latest_checkpoint(session: AsyncSession, *, tree_size: int | None = None) -> LedgerCheckpoint | None:
    """The tree as it was last signed, or last at that size; None where it never was. It is nobody's: every role may
    read it."""
    query = select(LedgerCheckpoint).order_by(LedgerCheckpoint.tree_size.desc(), LedgerCheckpoint.signed_at.desc())
    if tree_size is not None:
        query = query.where(LedgerCheckpoint.tree_size == tree_size)
    return (await session.execute(query.limit(1))).scalar_one_or_none()


async def checkpoint_signed_at(session: AsyncSession, *, tree_size: int, at: datetime) -> LedgerCheckpoint | None:
    """The tree of that size as it was signed at that instant."""
    return await session.get(LedgerCheckpoint, (tree_size, at))


async def leaves_of(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> Sequence[LedgerInclusion]:
    """Where the artifacts of a workspace stand in the tree, by their numbers."""
    query = select(LedgerInclusion).where(
        LedgerInclusion.account_id == account_id, LedgerInclusion.workspace_id == workspace_id
    )
    return (await session.execute(query.order_by(LedgerInclusion.first_sequence))).scalars().all()


async def inclusion_proof(
    session: AsyncSession, *, account_id: UUID, workspace_id: UUID, sequence: int
) -> Proof | None:
    """That an artifact is in the tree of the newest checkpoint; None until one holds it."""
    checkpoint = await latest_checkpoint(session)
    run = (
        select(LedgerInclusion)
        .where(
            LedgerInclusion.account_id == account_id,
            LedgerInclusion.workspace_id == workspace_id,
            LedgerInclusion.first_sequence <= sequence,
            LedgerInclusion.last_sequence >= sequence,
        )
        .limit(1)
    )
    found = (await session.execute(run)).scalar_one_or_none()
    if checkpoint is None or found is None:
        return None
    leaf = found.first_leaf + sequence - found.first_sequence
    if leaf >= checkpoint.tree_size:
        return None  # a newer checkpoint was signed between the two reads
    return Proof(leaf, await TreeReader(session).hashes_of(inclusion_ranges(leaf, checkpoint.tree_size)), checkpoint)


async def consistency_proof(
    session: AsyncSession, *, tree_size: int, later_size: int | None = None
) -> dict[str, object]:
    """As JSON, that the tree of an earlier checkpoint of `tree_size` leaves is the beginning of that of `later_size`,
    or of the newest one. Raises NotFound before the first checkpoint, and InvalidInput on either size."""
    checkpoint = newest = await latest_checkpoint(session)
    if newest is None:
        raise NotFound("There is no checkpoint yet.", way_out="The first one is signed during the night.")
    if later_size is not None:
        known = 1 <= later_size <= newest.tree_size
        checkpoint = await latest_checkpoint(session, tree_size=later_size) if known else None
    if checkpoint is None:
        raise InvalidInput({"later_size": f"Name the size of a checkpoint, {newest.tree_size} at most."})
    if not 1 <= tree_size <= checkpoint.tree_size:
        raise InvalidInput({"tree_size": f"Name the size of an earlier checkpoint, 1 to {checkpoint.tree_size}."})
    hashes = await TreeReader(session).hashes_of(consistency_ranges(tree_size, checkpoint.tree_size))
    return {"tree_size": tree_size, "hashes": [each.hex() for each in hashes], "checkpoint": checkpoint.note}
