"""Exported ledgers made without a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from payflux.monitor.ledger.artifacts import (
    FIRST_HASH,
    Statement,
    b64,
    key_id_of,
    protected_header,
    sha256,
    written,
)
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.ledger.checkpoints import Checkpoint, sign_checkpoint
from payflux.monitor.ledger.exports import FORMAT, HEADER_TYPE, Consistency, Header, artifact_line, header_line
from payflux.monitor.ledger.keys import jwk
from payflux.monitor.ledger.merkle import Range, consistency_ranges, inclusion_ranges, leaf_hash, node_hash

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
WORKSPACE = "01a20092-8ba4-7595-8c40-17b8161165ad"


class Key(NamedTuple):
    private: Ed25519PrivateKey
    public: bytes
    key_id: str

    @property
    def jwk(self) -> dict[str, object]:
        return jwk(self.public, created_at=START, retired_at=None)


@cache
def key(number: int = 1) -> Key:
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    public = private.public_key().public_bytes_raw()
    return Key(private, public, key_id_of(public))


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962's definition, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return node_hash(tree_hash(leaves[:left]), tree_hash(leaves[left:]))


def hash_in(leaves: Sequence[bytes]) -> Callable[[Range], bytes]:
    return lambda span: tree_hash(leaves[span[0] : span[1]])


class Chain(NamedTuple):
    """Artifacts of one workspace: each as its JWS, its hash and its body."""

    artifacts: list[tuple[str, bytes, str | None]]
    before: bytes


def chain(
    bodies: Sequence[dict[str, object]], *, before: bytes = FIRST_HASH, first: int = 1, signer: Key | None = None
) -> Chain:
    signer, last, made = signer or key(), before, []
    for number, body in enumerate(bodies, start=first):
        at = written(START + timedelta(hours=number))
        made.append(_signed(signer, canonical(body), "projection", at, number, last))
        last = made[-1][1]
    return Chain(made, before)


def signed_over(kind: str, recorded_at: str, body: bytes) -> Chain:
    """One artifact that somebody has signed, whatever it says."""
    return Chain([_signed(key(), body, kind, recorded_at, 1, FIRST_HASH)], FIRST_HASH)


def _signed(signer: Key, body: bytes, kind: str, at: str, number: int, before: bytes) -> tuple[str, bytes, str | None]:
    statement = Statement(
        body_hash=sha256(body).hex(),
        inputs_hash="ab" * 32,
        kind=kind,
        model_version="7",
        previous_hash=before.hex(),
        recorded_at=at,
        sequence=number,
        workspace_id=WORKSPACE,
    ).encoded()
    signed = f"{protected_header(signer.key_id)}.{b64(statement)}"
    return f"{signed}.{b64(signer.private.sign(signed.encode()))}", sha256(statement), body.decode()


def file_of(
    made: Chain,
    *,
    proven: int,
    first: int = 1,
    others: int = 5,
    earlier: int | None = None,
    expired: int = 0,
    signer: Key | None = None,
    keys: Sequence[Key] = (),
) -> list[bytes]:
    """The lines of an export of `made`, its first `proven` artifacts in a tree after `others` of other workspaces."""
    signer = signer or key()
    foreign = [leaf_hash(bytes([n])) for n in range(others)]
    leaves = foreign + [leaf_hash(digest) for _, digest, _ in made.artifacts[:proven]]
    size = len(leaves)
    checkpoint = Checkpoint("payflux.example/ledger", size, tree_hash(leaves))
    proof = None
    if earlier is not None:
        hashes = map(hash_in(leaves), consistency_ranges(earlier, size))
        proof = Consistency(hashes=tuple(each.hex() for each in hashes), tree_size=earlier)
    header = Header(
        checkpoint=sign_checkpoint(checkpoint, signer.public, signer.private.sign),
        consistency=proof,
        expired_sequence=expired,
        exported_at=written(START + timedelta(days=2)),
        first_sequence=first,
        format=FORMAT,
        keys=tuple(each.jwk for each in keys or (signer,)),  # ty: ignore[invalid-argument-type] -- texts and numbers
        last_sequence=first + len(made.artifacts) - 1,
        previous_hash=made.before.hex(),
        proven_sequence=first + proven - 1,
        workspace_id=WORKSPACE,
    ).encoded()
    protected = protected_header(signer.key_id, HEADER_TYPE)
    signature = b64(signer.private.sign(f"{protected}.{b64(header)}".encode()))
    lines = [header_line(header, f"{protected}..{signature}")]
    for index, (jws, digest, body) in enumerate(made.artifacts):
        leaf = others + index
        shown = [hash_in(leaves)(span) for span in inclusion_ranges(leaf, size)] if index < proven else None
        kept = None if first + index <= expired else body
        lines.append(artifact_line(first + index, digest, jws, None if shown is None else (leaf, shown), kept))
    return lines


def plain_file(artifacts: int = 6, proven: int = 4, *, others: int = 5, expired: int = 0) -> list[bytes]:
    bodies: list[dict[str, object]] = [
        {
            "risk": {"tier": n % 5 + 1, "rate": n / 7},
            "said": 'Rückläufer “héld” \u20ac \\ "',
            "windows": [n, None, True],
        }
        for n in range(artifacts)
    ]
    return file_of(chain(bodies), proven=proven, others=others, expired=expired)
