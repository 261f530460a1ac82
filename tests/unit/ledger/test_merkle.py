"""The Merkle tree is that of RFC 6962, and what is stored of it in tiles is the same."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.ledger.artifacts import Statement
from payflux.monitor.ledger.checkpoints import Checkpoint, note_key_id, read_note, sign_checkpoint
from payflux.monitor.ledger.merkle import (
    consistency_ranges,
    hash_of,
    inclusion_ranges,
    leaf_hash,
    proves_consistency,
    root_of_inclusion,
    tree_ranges,
)
from payflux.monitor.ledger.tree import GrowingTree, TreeReader
from tests.unit.ledger.files import hash_in, key, tree_hash

LEAVES = [leaf_hash(bytes([n])) for n in range(70)]


def test_the_roots_of_the_reference_leaves_are_those_of_the_other_implementations() -> None:
    """The vectors that implementations of Certificate Transparency share."""
    data = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    leaves = [leaf_hash(bytes.fromhex(each)) for each in data]
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree_hash(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert tree_hash(leaves[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"


@given(st.data())
def test_an_inclusion_proof_leads_to_the_root_for_its_own_leaf_and_place_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    proof = [hash_in(leaves)(span) for span in inclusion_ranges(index, size)]
    assert root_of_inclusion(leaves[index], index, size, proof) == tree_hash(leaves)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert leads_elsewhere(leaves[index], other, size, proof, tree_hash(leaves))
        assert leads_elsewhere(leaves[other], index, size, proof, tree_hash(leaves))
    assert leads_elsewhere(leaves[index], index, size, [*proof, LEAVES[0]], tree_hash(leaves))
    if proof:
        assert leads_elsewhere(leaves[index], index, size, proof[:-1], tree_hash(leaves))


def leads_elsewhere(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    try:
        return root_of_inclusion(leaf, index, size, proof) != root
    except ValueError:
        return True


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 70))
def test_a_consistency_proof_holds_for_a_beginning_and_for_nothing_else(one: int, two: int, changed: int) -> None:
    old, new = sorted((one, two))
    leaves = LEAVES[:new]
    proof = [hash_in(leaves)(span) for span in consistency_ranges(old, new)]
    roots = tree_hash(leaves[:old]), tree_hash(leaves)
    assert proves_consistency(old, roots[0], new, roots[1], proof)
    assert not proves_consistency(old, LEAVES[-1] if old != 70 else LEAVES[0], new, roots[1], proof)
    assert not proves_consistency(old, roots[0], new, roots[1], [*proof, LEAVES[0]])
    if proof:
        place = changed % len(proof)
        assert not proves_consistency(old, roots[0], new, roots[1], [*proof[:place], b"\x00" * 32, *proof[place + 1 :]])
        assert not proves_consistency(old, roots[0], new, roots[1], proof[:-1])


@pytest.mark.parametrize("sizes", [(1, 255, 256, 257), (511, 513), (70_000,)])
def test_a_tree_that_grew_by_tiles_has_the_root_and_the_proofs_of_one_made_at_once(sizes: tuple[int, ...]) -> None:
    tree, stored = GrowingTree(0, [b""] * 8), {}
    for size in sizes:
        tree.add(leaf_hash(n.to_bytes(4)) for n in range(tree.size, size))
        tree.close()
        stored |= tree.written
    leaves = [leaf_hash(n.to_bytes(4)) for n in range(tree.size)]
    reader = TreeReader(None)  # ty: ignore[invalid-argument-type] -- everything has been read
    reader._tiles = stored
    node = reader._node
    [whole] = tree_ranges(tree.size)
    assert hash_of(whole, node) == tree_hash(leaves)
    for index in {0, tree.size // 3, tree.size - 1}:
        proof = [hash_of(span, node) for span in inclusion_ranges(index, tree.size)]
        assert root_of_inclusion(leaves[index], index, tree.size, proof) == tree_hash(leaves)


def test_a_checkpoint_is_read_back_and_no_other_form_of_it() -> None:
    said = Checkpoint("payflux.example/ledger", 12, LEAVES[0])
    note = sign_checkpoint(said, key().public, key().private.sign)
    found = read_note(note)
    assert (found.checkpoint, found.key_id) == (said, note_key_id(said.origin, key().public))
    key().private.public_key().verify(found.signature, said.text.encode())
    for other in (note[:-1], note + "\n", note.replace("\n12\n", "\n012\n"), note.replace("— p", "— q"), ""):
        with pytest.raises(ValueError, match="checkpoint"):
            read_note(other)


@given(st.text(), st.text(), st.integers(1, 2**53))
def test_a_statement_is_written_as_rfc_8785_has_it(kind: str, version: str, sequence: int) -> None:
    said = Statement("a" * 64, "", kind, version, "b" * 64, "2026-03-01T00:00:00.000000Z", sequence, "w")
    fields = {name: getattr(said, name) for name in said.__struct_fields__}
    try:
        expected = rfc8785.dumps(fields)
    except rfc8785.CanonicalizationError:
        return  # half a surrogate pair, which is no text
    assert said.encoded() == expected
