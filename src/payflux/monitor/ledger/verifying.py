"""Check an exported ledger with nothing but the file and public keys, and name the first bytes that are wrong. Pure.

What is looked at first is what the rest is told by: the header's signature, then line by line the number, the signed
statement, the hash, the chain, the body, and the proof that the artifact is in the signed tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from payflux.monitor.ledger.artifacts import FIRST_HASH, Statement, decode_statement, key_id_of, sha256, unb64
from payflux.monitor.ledger.checkpoints import Checkpoint, ConsistencyProof, SignedNote, note_key_id, read_note
from payflux.monitor.ledger.exports import FORMAT, Header
from payflux.monitor.ledger.merkle import leaf_hash, proves_consistency, root_of_inclusion
from payflux.monitor.ledger.scanning import ArtifactLine, Flaw, Flawed, HeaderLine, scan_artifact, scan_header

TOLERANCE = timedelta(minutes=10)
"""How far an artifact's time may lie outside its key's: clocks differ, and a transaction takes its time."""


class Verified(NamedTuple):
    """What a file that holds shows: how many artifacts of which workspace, how many of their bodies are kept no longer,
    and up to which they are in the signed tree."""

    workspace_id: str
    artifacts: int
    first_sequence: int
    last_sequence: int
    without_body: int
    proven_sequence: int
    checkpoint: SignedNote | None


class MissingProof(Exception):
    """Whether the tree of `tree_size` artifacts is the beginning of that of `later_size` takes a proof of the log
    `origin`."""

    def __init__(self, origin: str, tree_size: int, later_size: int) -> None:
        super().__init__(f"a proof from {tree_size} to {later_size} of {origin}")
        self.origin, self.tree_size, self.later_size = origin, tree_size, later_size


class PublicKey(NamedTuple):
    public: bytes
    verifier: Ed25519PublicKey
    signs_from: int
    signs_until: int | None


def read_keys(jwks: Iterable[Mapping[str, object]]) -> dict[str, PublicKey]:
    """Ed25519 keys by their id. Raises ValueError for one that is none, or whose id is not its thumbprint."""
    keys = {}
    for jwk in jwks:
        public = unb64(str(jwk.get("x", "")))
        if (jwk.get("kty"), jwk.get("crv"), len(public)) != ("OKP", "Ed25519", 32):
            raise ValueError("a key is no Ed25519 key")
        if jwk.get("kid") != key_id_of(public):
            raise ValueError("a key's id (kid) is not its RFC 7638 thumbprint")
        ends = jwk.get("exp")
        keys[key_id_of(public)] = PublicKey(
            public,
            Ed25519PublicKey.from_public_bytes(public),
            int(str(jwk["nbf"])) if "nbf" in jwk else 0,
            None if ends is None else int(str(ends)),
        )
    return keys


def verify_export(
    lines: Iterable[bytes],
    *,
    keys: Mapping[str, PublicKey] | None = None,
    kept: SignedNote | None = None,
    consistency: ConsistencyProof | None = None,
) -> Verified:
    """Check the lines of a file, each with its line break. `keys` are those that are trusted; without them, those that
    the file names itself are. `kept` is a checkpoint that somebody kept, whose tree and the file's have to be one of
    two times; `consistency` proves it, where the file does not itself.

    Raises Flawed at the first thing that does not hold, and MissingProof.
    """
    place, rest = 0, iter(lines)
    head = scan_header(next(rest, b""))
    header, known, note = _checked_header(head, keys)
    if kept is not None:
        _check_history(head, header, note, kept, consistency, known)
    before, without_body, sequence = bytes.fromhex(header.previous_hash), 0, header.first_sequence - 1
    place += len(head.data)
    for number, data in enumerate(rest, start=2):
        sequence += 1
        if sequence > header.last_sequence:
            raise Flawed(Flaw(number, place, place + len(data), "line", "the end of the file"))
        line = scan_artifact(data, number, place, sequence, known)
        before = _checked_artifact(line, header, known, before)
        _check_proof(line, header, note, before)
        without_body += line.body is None
        place += len(data)
    if sequence < header.last_sequence:
        missing = sequence - header.first_sequence + 3
        raise Flawed(Flaw(missing, place, place, "line", f"artifact {sequence + 1}; the file ends too early"))
    return Verified(
        workspace_id=header.workspace_id,
        artifacts=header.last_sequence - header.first_sequence + 1,
        first_sequence=header.first_sequence,
        last_sequence=header.last_sequence,
        without_body=without_body,
        proven_sequence=header.proven_sequence,
        checkpoint=note,
    )


Checked = tuple[Header, Mapping[str, PublicKey], SignedNote | None]


def _checked_header(line: HeaderLine, trusted: Mapping[str, PublicKey] | None) -> Checked:
    try:
        header = msgspec.json.decode(line.header, type=Header)
        named, canonical = read_keys(header.keys), header.encoded()
    except ValueError as error:
        raise line.flawed("header", f"a header of the form {FORMAT} ({error})") from None
    known = named if trusted is None else trusted
    key_id = line.signer(named)
    if key_id not in known:
        raise line.flawed("keys", "a signature by one of your keys")
    if not _signs(known[key_id], line.signature, line.signed):
        raise line.flawed("header", "the header that its signature is of")
    first, last = header.first_sequence, header.last_sequence
    if header.format != FORMAT or not 1 <= first <= last + 1 or not 0 <= header.proven_sequence <= last:
        raise line.flawed("header", f"a header of the form {FORMAT}")
    if canonical != line.header or (first == 1 and header.previous_hash != FIRST_HASH.hex()):
        raise line.flawed("header", "a header in its canonical form, with the beginning of a chain")
    return header, known, _checked_note(line, header, known)


def _checked_note(line: HeaderLine, header: Header, keys: Mapping[str, PublicKey]) -> SignedNote | None:
    if header.checkpoint is None:
        if header.proven_sequence:
            raise line.flawed("checkpoint", "the checkpoint that the proofs lead to")
        return None
    try:
        note = read_note(header.checkpoint)
    except ValueError as error:
        raise line.flawed("checkpoint", str(error)) from None
    if not is_signed(note, keys):
        raise line.flawed("checkpoint", "a checkpoint signed by one of the keys")
    return note


def is_signed(note: SignedNote, keys: Mapping[str, PublicKey]) -> bool:
    """Whether one of `keys` has signed the checkpoint."""
    text = note.checkpoint.text.encode()
    return any(
        note_key_id(note.checkpoint.origin, key.public) == note.key_id and _signs(key, note.signature, text)
        for key in keys.values()
    )


def _check_history(
    line: HeaderLine,
    header: Header,
    note: SignedNote | None,
    kept: SignedNote,
    proof: ConsistencyProof | None,
    keys: Mapping[str, PublicKey],
) -> None:
    proofs = [] if proof is None else [proof]
    if note is not None and (own := header.consistency) is not None:
        hashes = [bytes.fromhex(each) for each in own.hashes]
        proofs.append(ConsistencyProof(own.tree_size, note.checkpoint.tree_size, hashes))
    if note is None or not is_signed(kept, keys) or not of_one_history(kept.checkpoint, note.checkpoint, proofs):
        raise line.flawed("consistency", "a checkpoint of one history with yours")


def of_one_history(one: Checkpoint, other: Checkpoint, proofs: Iterable[ConsistencyProof]) -> bool:
    """Whether the tree of one checkpoint is the beginning of the other's, by that of `proofs` that is of their sizes.
    Raises MissingProof."""
    if one.origin != other.origin:
        return False
    old, new = sorted((one, other), key=lambda each: each.tree_size)
    fitting = {(each.tree_size, each.later_size): each.hashes for each in proofs}
    hashes = [] if old.tree_size in (0, new.tree_size) else fitting.get((old.tree_size, new.tree_size))
    if hashes is None:
        raise MissingProof(one.origin, old.tree_size, new.tree_size)
    return proves_consistency(old.tree_size, old.root_hash, new.tree_size, new.root_hash, hashes)


def _checked_artifact(line: ArtifactLine, header: Header, keys: Mapping[str, PublicKey], before: bytes) -> bytes:
    """The artifact's hash, where everything about it holds but its proof."""
    payload, key = line.payload, keys[line.key_id]
    digest = sha256(payload)
    if not _signs(key, line.signature, line.signed):
        # where the hash is right the statement is, and it is the signature that was changed
        field = "signature" if digest.hex() == line.hash else "statement"
        raise line.flawed(field, "what the key has signed")
    line.expect_hash(digest.hex())
    try:
        said = decode_statement(payload)
    except ValueError as error:
        raise line.flawed("statement", str(error)) from None
    for field, found, expected in (
        ("sequence", said.sequence, line.sequence),
        ("workspace_id", said.workspace_id, header.workspace_id),
        ("previous_hash", said.previous_hash, before.hex()),
    ):
        if found != expected:
            raise line.flawed("statement", f"{field} {expected}, and not {found}")
    if not _in_force(key, said):
        raise line.flawed("statement", "a time at which its key was in force")
    if line.body is None:
        if line.sequence > header.expired_sequence:
            raise line.flawed("body", "a body, which was there when the file was written")
    elif sha256(line.body).hex() != said.body_hash:
        raise line.flawed("body", f"the body whose SHA-256 is {said.body_hash}")
    return digest


def _check_proof(line: ArtifactLine, header: Header, note: SignedNote | None, digest: bytes) -> None:
    if line.sequence > header.proven_sequence or note is None:
        if line.proof is not None:
            raise line.flawed("proof", "null")
        return
    if line.proof is None:
        raise line.flawed("proof", "a proof that the artifact is in the checkpoint's tree")
    try:
        root = root_of_inclusion(leaf_hash(digest), line.proof[0], note.checkpoint.tree_size, line.proof[1])
    except ValueError as error:
        raise line.flawed("proof", str(error)) from None
    if root != note.checkpoint.root_hash:
        raise line.flawed("proof", "one that leads to the checkpoint's root")


def _in_force(key: PublicKey, said: Statement) -> bool:
    at, slack = datetime.fromisoformat(said.recorded_at).timestamp(), TOLERANCE.total_seconds()
    return key.signs_from - slack <= at and (key.signs_until is None or at <= key.signs_until + slack)


def _signs(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verifier.verify(signature, message)
    except InvalidSignature:
        return False
    return True
