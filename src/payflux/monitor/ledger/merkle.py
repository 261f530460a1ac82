"""The Merkle tree over the artifacts' hashes (RFC 6962 section 2.1, as in RFC 9162): what a root, a proof that a leaf
is in a tree and a proof that one tree is the beginning of another consist of, and how both are checked. Pure.

A node is named by its level, 0 for leaves, and its index from the left; only nodes over 2**level leaves have a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import reduce

Node = tuple[int, int]
Range = tuple[int, int]
"""Leaves from the first to before the second."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_ranges(size: int) -> list[Range]:
    """The one range whose hash is the root of a tree of `size` leaves; none for an empty one."""
    return [(0, size)] if size else []


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in a tree of `size` leaves, from the leaf up."""
    return _path(index, 0, size)


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes prove that a tree of `old` leaves, 1 to `new`, is the beginning of one of `new`."""
    return _subproof(old, 0, new, whole=True)


def nodes_of(span: Range) -> list[Node]:
    """The named nodes whose hashes :func:`folded` makes into the hash of `span`, a range of a proof; left to right."""
    first, end = span
    nodes = []
    while first < end:
        level = (end - first).bit_length() - 1
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def folded(hashes: Sequence[bytes]) -> bytes:
    """The hash of a range from those of its nodes, left to right."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


def hash_of(span: Range, node: Callable[[Node], bytes]) -> bytes:
    """The hash of a range, given the hash of each named node."""
    return folded([node(each) for each in nodes_of(span)])


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of the tree of `size` leaves that has `leaf`, a leaf's hash, at `index` (RFC 9162 section 2.1.3.2).
    Raises ValueError for a proof of another length."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    place, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            raise ValueError("the proof has too many hashes")
        if place & 1 or place == last:
            found = node_hash(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, each)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the proof has too few hashes")
    return found


def proves_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows the tree of `old` leaves to be the beginning of that of `new` (RFC 9162 section
    2.1.4.2). An empty tree is the beginning of all."""
    if old == 0 or old == new:
        return not proof and (old == 0 or old_root == new_root)
    if not 0 < old < new or not proof:
        return False
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    of_old = of_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            of_old, of_new = node_hash(each, of_old), node_hash(each, of_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            of_new = node_hash(of_new, each)
        place, last = place >> 1, last >> 1
    return last == 0 and (of_old, of_new) == (old_root, new_root)


def _path(index: int, first: int, end: int) -> list[Range]:
    if end - first <= 1:
        return []
    middle = first + _left_of(end - first)
    if index < middle:
        return [*_path(index, first, middle), (middle, end)]
    return [*_path(index, middle, end), (first, middle)]


def _subproof(old: int, first: int, end: int, *, whole: bool) -> list[Range]:
    if first + old == end:
        return [] if whole else [(first, end)]
    left = _left_of(end - first)
    middle = first + left
    if old <= left:
        return [*_subproof(old, first, middle, whole=whole), (middle, end)]
    return [*_subproof(old - left, middle, end, whole=False), (first, middle)]


def _left_of(size: int) -> int:
    """The largest power of two below `size`, of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
