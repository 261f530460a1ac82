"""The form of an export, which is checked without PayFlux: its first line, and a line for each artifact. Pure.

Every byte of a file is told by something else in it: the header by its signature, a line's number by its place, its
hash and its chain by the signed statement, the body by its hash, the proof by the signed checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import rfc8785

FORMAT = "payflux-ledger/1"

HEADER_TYPE = "payflux-export"
"""The JWS type of a header's signature, which is detached (RFC 7515 appendix F)."""


Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Consistency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the tree of an earlier checkpoint, of `tree_size` leaves, is the beginning of this file's."""

    hashes: tuple[Hash, ...]
    tree_size: int


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first line says. `previous_hash` is that of the artifact before the first one; those up to
    `proven_sequence` carry a proof that they are in the tree of `checkpoint`, those after it are not in it yet; those
    after `expired_sequence` have their bodies. `keys`
    are public keys as JWK, those of the file's signatures among them."""

    checkpoint: str | None
    consistency: Consistency | None
    expired_sequence: int
    exported_at: str
    first_sequence: int
    format: str
    keys: tuple[Mapping[str, str | int], ...]
    last_sequence: int
    previous_hash: Hash
    proven_sequence: int
    workspace_id: str

    def encoded(self) -> bytes:
        return rfc8785.dumps(msgspec.to_builtins(self))


def header_line(header: bytes, jws: str) -> bytes:
    return b'{"header":%b,"jws":"%b"}\n' % (header, jws.encode())


def artifact_line(
    sequence: int, artifact_hash: bytes, jws: str, proof: tuple[int, Sequence[bytes]] | None, body: str | None
) -> bytes:
    """The line of an artifact; `proof` is its leaf and the hashes that lead from there to the root."""
    shown = "null" if proof is None else proof_text(*proof)
    said = "null" if body is None else body
    return (
        f'{{"sequence":{sequence},"hash":"{artifact_hash.hex()}","jws":"{jws}","proof":{shown},"body":{said}}}\n'
    ).encode()


def proof_text(leaf: int, hashes: Sequence[bytes]) -> str:
    listed = ",".join(f'"{each.hex()}"' for each in hashes)
    return f'{{"leaf":{leaf},"hashes":[{listed}]}}'
