"""The Merkle tree as it is stored: in tiles of 256 hashes, as https://c2sp.org/tlog-tiles cuts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.monitor.ledger.merkle import EMPTY_ROOT, Node, Range, folded, hash_of, nodes_of, tree_ranges
from payflux.monitor.ledger.models import LedgerTile

WIDTH, LEVELS = 256, 8
"""Hashes of a full tile, and how many levels of the tree lie between it and the tiles above."""

_HASH = 32
_TOP = 8
"""Levels of tiles; 256**8 leaves are more than a sequence can number."""

Place = tuple[int, int]
"""A tile: its level and its index."""


class GrowingTree:
    """A tree that leaves are added to, in memory but for what is full: `written` holds the tiles to store."""

    def __init__(self, size: int, edge: Sequence[bytes]) -> None:
        self.size = size
        self._edge = [bytearray(part) for part in edge]
        self.written: dict[Place, bytes] = {}

    def add(self, leaf_hashes: Iterable[bytes]) -> None:
        for each in leaf_hashes:
            self._push(0, self.size, each)
            self.size += 1

    def close(self) -> None:
        """Have the tiles written, too, that are not full."""
        for level, part in enumerate(self._edge):
            if part:
                self.written[level, (self.size >> LEVELS * level) // WIDTH] = bytes(part)

    def _push(self, level: int, index: int, node: bytes) -> None:
        part = self._edge[level]
        part += node
        if len(part) == WIDTH * _HASH:
            self.written[level, index // WIDTH] = bytes(part)
            part.clear()
            self._push(level + 1, index // WIDTH, _whole(_split(self.written[level, index // WIDTH])))


async def growing_tree(session: AsyncSession, size: int) -> GrowingTree:
    """The stored tree of `size` leaves, to be added to."""
    places = [(level, (size >> LEVELS * level) // WIDTH) for level in range(_TOP)]
    tiles = await _tiles(session, places)
    filled = [(size >> LEVELS * level) % WIDTH * _HASH for level in range(_TOP)]
    return GrowingTree(size, [tiles.get(place, b"")[:end] for place, end in zip(places, filled, strict=True)])


async def store_tree(session: AsyncSession, tree: GrowingTree) -> None:
    """Store what `tree` has written so far. Takes the system's role."""
    if tree.written:
        rows = [{"level": level, "index": index, "hashes": part} for (level, index), part in tree.written.items()]
        added = insert(LedgerTile)
        replaced = added.on_conflict_do_update(
            index_elements=["level", "index"], set_={"hashes": added.excluded.hashes}
        )
        await session.execute(replaced, rows)
        tree.written.clear()


class TreeReader:
    """Reads hashes of ranges of the stored tree; what it has read it keeps."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._tiles: dict[Place, bytes] = {}
        self._nodes: dict[Node, bytes] = {}

    async def hashes_of(self, spans: Sequence[Range]) -> list[bytes]:
        """The hash of each range of a proof."""
        missing = {_place(node) for span in spans for node in nodes_of(span)} - self._tiles.keys()
        if missing:
            self._tiles |= await _tiles(self._session, sorted(missing))
        return [hash_of(span, self._node) for span in spans]

    async def root(self, size: int) -> bytes:
        return (await self.hashes_of(tree_ranges(size)) or [EMPTY_ROOT])[0]

    def _node(self, node: Node) -> bytes:
        if node not in self._nodes:
            level, index = node
            first, count = index << level % LEVELS, 1 << level % LEVELS
            start = first % WIDTH * _HASH
            self._nodes[node] = _whole(_split(self._tiles[_place(node)][start : start + count * _HASH]))
        return self._nodes[node]


def _place(node: Node) -> Place:
    level, index = node
    return level // LEVELS, (index << level % LEVELS) // WIDTH


def _split(part: bytes) -> list[bytes]:
    return [part[start : start + _HASH] for start in range(0, len(part), _HASH)]


def _whole(hashes: Sequence[bytes]) -> bytes:
    """The node over a power of two of nodes."""
    while len(hashes) > 1:
        hashes = [folded(hashes[start : start + 2]) for start in range(0, len(hashes), 2)]
    return hashes[0]


async def _tiles(session: AsyncSession, places: Sequence[Place]) -> dict[Place, bytes]:
    query = select(LedgerTile).where(tuple_(LedgerTile.level, LedgerTile.index).in_(places))
    return {(tile.level, tile.index): tile.hashes for tile in (await session.execute(query)).scalars()}
