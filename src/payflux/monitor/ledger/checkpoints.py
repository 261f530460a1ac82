"""A checkpoint: the size and root of the tree, as a signed note. Pure.

The text is that of https://c2sp.org/tlog-checkpoint, the signature line that of https://c2sp.org/signed-note with
Ed25519 (type 0x01), so that witnesses and monitors of transparency logs can read it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from payflux.monitor.ledger.artifacts import sha256
from payflux.world.signer import Sign

_ED25519 = b"\x01"
_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\n+ ]+)\n(?P<size>0|[1-9]\d{0,17})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)\n"
    r"— (?P<name>[^\n+ ]+) (?P<signature>[A-Za-z0-9+/]{91}=)\n"
)


class Checkpoint(NamedTuple):
    """What a checkpoint says: the log's name, and how many artifacts its tree holds under which root."""

    origin: str
    tree_size: int
    root_hash: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.tree_size}\n{b64encode(self.root_hash).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, public: bytes, sign: Sign) -> str:
    """The note of `checkpoint`, signed under its origin's name by the key whose public half is given."""
    signature = b64encode(note_key_id(checkpoint.origin, public) + sign(checkpoint.text.encode())).decode()
    return f"{checkpoint.text}\n— {checkpoint.origin} {signature}\n"


class SignedNote(NamedTuple):
    """A checkpoint as it was read: whose key is said to have signed it, and the signature over `checkpoint.text`."""

    checkpoint: Checkpoint
    key_id: bytes
    signature: bytes


def read_note(note: str) -> SignedNote:
    """The parts of a checkpoint's note. Raises ValueError for anything but the one form we write."""
    found = _NOTE.fullmatch(note)
    if found is None or found["name"] != found["origin"]:
        raise ValueError("this is no signed checkpoint")
    root, signed = b64decode(found["root"]), b64decode(found["signature"])
    if b64encode(root).decode() != found["root"] or b64encode(signed).decode() != found["signature"]:
        raise ValueError("the checkpoint is not base64 in its one form")
    return SignedNote(Checkpoint(found["origin"], int(found["size"]), root), signed[:4], signed[4:])


def find_note(text: str) -> SignedNote:
    """The checkpoint that stands in a text such as a mail, as it came or quoted. Raises ValueError unless there is
    exactly one."""
    lines = (re.sub(r"^(?:> ?)+", "", line).strip() for line in text.splitlines())
    found = list(_NOTE.finditer("\n".join(lines) + "\n"))
    if len(found) != 1:
        raise ValueError("it holds no signed checkpoint" if not found else "it holds several signed checkpoints")
    return read_note(found[0][0])


class ConsistencyProof(NamedTuple):
    """That the tree of `tree_size` leaves is the beginning of that of `later_size`."""

    tree_size: int
    later_size: int
    hashes: Sequence[bytes]


class _Published(msgspec.Struct, frozen=True):
    tree_size: int
    hashes: tuple[str, ...]
    checkpoint: str


def read_consistency(data: bytes) -> ConsistencyProof:
    """A proof as `/.well-known/payflux-consistency` gives it. Raises ValueError."""
    said = msgspec.json.decode(data, type=_Published)
    later = read_note(said.checkpoint).checkpoint.tree_size
    return ConsistencyProof(said.tree_size, later, [bytes.fromhex(each) for each in said.hashes])


def note_key_id(name: str, public: bytes) -> bytes:
    """The 4 bytes that name a key in a note."""
    return sha256(name.encode() + b"\n" + _ED25519 + public)[:4]
