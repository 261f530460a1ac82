"""Take what was recorded into the tree over all workspaces, and sign it: once a day."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.ledger.checkpoints import Checkpoint, sign_checkpoint
from payflux.monitor.ledger.keys import signing_key
from payflux.monitor.ledger.merkle import leaf_hash
from payflux.monitor.ledger.models import LedgerArtifact, LedgerCheckpoint, LedgerHead, LedgerInclusion
from payflux.monitor.ledger.queries import latest_checkpoint
from payflux.monitor.ledger.tree import TreeReader, growing_tree, store_tree
from payflux.world.bootstrap import World

AT_ONCE = 1000
"""Workspaces whose artifacts are taken in together."""

TRIES = 5

_LOCK = int.from_bytes(b"ledger")

log = structlog.get_logger(__name__)


def origin_of(world: World) -> str:
    """The log's name: where it is published, without a scheme."""
    return f"{urlsplit(world.settings.url).netloc}/ledger"


async def sign_tree(world: World) -> None:
    """Take every artifact into the tree that is not in it, and sign the whole. Whoever comes second waits, and
    signs what is new since. Where an account goes meanwhile, it begins anew."""
    for left in reversed(range(TRIES)):
        try:
            await _sign(world)
        except IntegrityError:
            if not left:
                raise
        else:
            return


async def _sign(world: World) -> None:
    async with world.database.system() as session:
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        before = await latest_checkpoint(session)
        tree = await growing_tree(session, before.tree_size if before else 0)
        waiting = await _not_in_tree(session)
        for start in range(0, len(waiting), AT_ONCE):
            hashes, rows = await _taken(session, waiting[start : start + AT_ONCE], tree.size)
            tree.add(map(leaf_hash, hashes))
            await session.execute(insert(LedgerInclusion), rows)
        tree.close()
        await store_tree(session, tree)
        key = await signing_key(world, session)
        said = Checkpoint(origin_of(world), tree.size, await TreeReader(session).root(tree.size))
        note = sign_checkpoint(said, key.public, key.sign)
        row = insert(LedgerCheckpoint).values(signed_at=world.clock.now(), tree_size=tree.size, note=note)
        await session.execute(row.on_conflict_do_nothing())
    log.info("ledger checkpoint signed", tree_size=said.tree_size, workspaces=len(waiting))


Waiting = tuple[UUID, UUID, int, int]
"""A workspace, by account and id, and its first and last artifact that are not in the tree."""


async def _not_in_tree(session: AsyncSession) -> Sequence[Waiting]:
    newest = (
        select(LedgerInclusion.last_sequence)
        .where(
            LedgerInclusion.account_id == LedgerHead.account_id, LedgerInclusion.workspace_id == LedgerHead.workspace_id
        )
        .order_by(LedgerInclusion.first_sequence.desc())
        .limit(1)
        .lateral()
    )
    taken = func.coalesce(newest.c.last_sequence, 0)
    query = (
        select(LedgerHead.account_id, LedgerHead.workspace_id, taken + 1, LedgerHead.sequence)
        .outerjoin(newest, true())
        .where(LedgerHead.sequence > taken)
        .order_by(LedgerHead.account_id, LedgerHead.workspace_id)
    )
    return [tuple(row) for row in await session.execute(query)]


async def _taken(
    session: AsyncSession, waiting: Sequence[Waiting], size: int
) -> tuple[list[bytes], list[dict[str, object]]]:
    """The hashes of the artifacts of `waiting`, and where they stand in a tree of `size` leaves that they are added
    to."""
    hashes: list[bytes] = []
    rows: list[dict[str, object]] = []
    for account_id, workspace_id, first, last in waiting:
        place = {"account_id": account_id, "workspace_id": workspace_id}
        rows.append(place | {"first_sequence": first, "last_sequence": last, "first_leaf": size + len(hashes)})
        artifact = LedgerArtifact
        query = select(artifact.hash).where(
            artifact.account_id == account_id,
            artifact.workspace_id == workspace_id,
            artifact.sequence.between(first, last),
        )
        hashes += (await session.execute(query.order_by(artifact.sequence))).scalars()
    return hashes, rows
