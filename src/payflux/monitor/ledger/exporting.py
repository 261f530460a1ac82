"""Export a workspace's ledger as JSON lines that anybody can check with the public keys alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.messages import mark
from payflux.monitor.ledger.artifacts import FIRST_HASH, b64, protected_header, written
from payflux.monitor.ledger.exports import (
    FORMAT,
    HEADER_TYPE,
    Consistency,
    Header,
    artifact_line,
    header_line,
)
from payflux.monitor.ledger.keys import published_keys, signing_key
from payflux.monitor.ledger.merkle import consistency_ranges, inclusion_ranges
from payflux.monitor.ledger.models import LedgerArtifact, LedgerInclusion
from payflux.monitor.ledger.queries import (
    artifacts_between,
    count_artifacts,
    get_artifact,
    latest_checkpoint,
    leaves_of,
)
from payflux.monitor.ledger.tree import TreeReader
from payflux.world.bootstrap import World

AT_ONCE = 500


async def export_ledger(
    world: World,
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    first: int = 1,
    last: int | None = None,
    since_tree_size: int | None = None,
) -> AsyncGenerator[bytes, None]:
    """The lines of a workspace's artifacts from `first` to `last`, both included, or to the newest; with
    `since_tree_size`, the header also proves that the checkpoint of that size is the beginning of this one.

    In one transaction, and in little memory however long it is. Raises InvalidInput on a range that there is not, and
    Conflict where bodies were dropped while it was written.
    """
    place = {"account_id": account_id, "workspace_id": workspace_id}
    count = await count_artifacts(session, **place)
    last = count if last is None else last
    if not (1 <= first <= last + 1 and last <= count):
        raise InvalidInput({"range": f"Name artifacts from 1 to {count}, the first one first."})
    checkpoint = await latest_checkpoint(session)
    size = checkpoint.tree_size if checkpoint else 0
    runs = [run for run in await leaves_of(session, **place) if run.first_leaf < size]
    proven = min(last, max((run.last_sequence for run in runs), default=0))
    before = FIRST_HASH if first == 1 else (await get_artifact(session, **place, sequence=first - 1)).hash
    expired = await _expired(session, place, (first, last))
    key = await signing_key(world, session)  # before the keys are listed, for it may be a new one
    header = Header(
        checkpoint=checkpoint.note if checkpoint else None,
        consistency=await _consistency(TreeReader(session), since_tree_size, size),
        expired_sequence=expired,
        exported_at=written(world.clock.now()),
        first_sequence=first,
        format=FORMAT,
        keys=msgspec.convert((await published_keys(session))["keys"], tuple[dict[str, str | int], ...]),
        last_sequence=last,
        previous_hash=before.hex(),
        proven_sequence=proven,
        workspace_id=str(workspace_id),
    ).encoded()
    protected = protected_header(key.key_id, HEADER_TYPE)
    signature = key.sign(f"{protected}.{b64(header)}".encode())
    yield header_line(header, f"{protected}..{b64(signature)}")
    for start in range(first, last + 1, AT_ONCE):
        numbers = (start, min(start + AT_ONCE - 1, last))
        reader = TreeReader(session)  # anew, for it keeps what it has read
        yield await _lines(session, reader, runs, place, numbers, proven=proven, expired=expired, size=size)


async def _expired(session: AsyncSession, place: dict[str, UUID], numbers: tuple[int, int]) -> int:
    """The last of the artifacts whose body is kept no longer, 0 where there is none."""
    query = select(func.coalesce(func.max(LedgerArtifact.sequence), 0)).where(
        LedgerArtifact.account_id == place["account_id"],
        LedgerArtifact.workspace_id == place["workspace_id"],
        LedgerArtifact.sequence.between(*numbers),
        LedgerArtifact.body.is_(None),
    )
    return (await session.execute(query)).scalar_one()


async def _consistency(tree: TreeReader, earlier: int | None, size: int) -> Consistency | None:
    if earlier is None:
        return None
    if not 1 <= earlier <= size:
        raise InvalidInput({"since_tree_size": f"Name the size of an earlier checkpoint, 1 to {size}."})
    hashes = await tree.hashes_of(consistency_ranges(earlier, size))
    return Consistency(hashes=tuple(each.hex() for each in hashes), tree_size=earlier)


async def _lines(
    session: AsyncSession,
    tree: TreeReader,
    runs: Sequence[LedgerInclusion],
    place: dict[str, UUID],
    numbers: tuple[int, int],
    *,
    proven: int,
    expired: int,
    size: int,
) -> bytes:
    artifacts = await artifacts_between(session, **place, first=numbers[0], last=numbers[1])
    leaves = iter(
        run.first_leaf + number - run.first_sequence
        for run in runs
        for number in range(max(run.first_sequence, numbers[0]), min(run.last_sequence, numbers[1]) + 1)
    )
    lines = []
    for each in artifacts:
        if each.body is None and each.sequence > expired:
            way_out = mark("Export the ledger again.")
            raise Conflict(mark("What your plan keeps no longer was dropped meanwhile."), way_out=way_out)
        proof = None
        if each.sequence <= proven:
            leaf = next(leaves)
            proof = (leaf, await tree.hashes_of(inclusion_ranges(leaf, size)))
        lines.append(artifact_line(each.sequence, each.hash, each.jws, proof, each.body))
    return b"".join(lines)
