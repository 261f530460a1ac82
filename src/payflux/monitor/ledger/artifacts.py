"""What an artifact is: a body, and a signed statement of it that carries the chain. Pure.

The statement is canonical JSON (RFC 8785) and the payload of a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037,
algorithm name of RFC 9864). It holds the SHA-256 of the body and not the body, so that it can still be checked when the
body is kept no longer. An artifact's hash is the SHA-256 of its statement; the next statement holds it.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

import msgspec
import rfc8785

FIRST_HASH = bytes(32)
"""What stands in for the hash before a workspace's first artifact."""

TYPE = "payflux-artifact"
"""The JWS type (`typ`) of a signed statement: with it, no signature made for another use is taken for one."""


class Kind(StrEnum):
    CONNECTION = "connection"  # what was connected, and what it may read
    BASELINE = "baseline"  # the first risk surface of a connection
    PROJECTION = "projection"  # what was said of risk and reserves as of an instant
    ALERT = "alert"  # an alert was raised, became worse or is over
    SCORE = "score"  # how good a past projection was
    ENVELOPE = "envelope"  # names other artifacts by their hashes, for a reader outside
    IMPORTED = "imported"  # that a file from elsewhere came, by its hash; not what it says


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An artifact to be. `body` is made of plain values and holds no name, address or card; `inputs_hash` (hex SHA-256)
    and `model_version` say what it was computed from and by what, where it was."""

    kind: Kind
    body: Mapping[str, object]
    model_version: str = ""
    inputs_hash: str = ""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed of an artifact. Hashes are 64 hex digits; `recorded_at` is RFC 3339, UTC, to the microsecond.

    `inputs_hash` names what the body was computed from and `model_version` by what; both are empty where nothing was
    computed. The fields stand in the order of their canonical form.
    """

    body_hash: str
    inputs_hash: str
    kind: str
    model_version: str
    previous_hash: str
    recorded_at: str
    sequence: int
    workspace_id: str

    def encoded(self) -> bytes:
        # equal to its RFC 8785 form: the keys are sorted, and there is neither a float nor a number past 2^53
        return msgspec.json.encode(self)


def decode_statement(payload: bytes) -> Statement:
    """The statement that `payload` is the canonical form of. Raises ValueError where it is not one's."""
    statement = msgspec.json.decode(payload, type=Statement)  # its error is a ValueError
    at = datetime.fromisoformat(statement.recorded_at)
    if at.tzinfo is not UTC or written(at) != statement.recorded_at or statement.encoded() != payload:
        raise ValueError("the statement is not in its canonical form")
    return statement


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def written(at: datetime) -> str:
    """An instant as statements hold it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@cache
def protected_header(key_id: str, kind: str = TYPE) -> str:
    """The first part of a JWS by the key `key_id`; it holds its algorithm, its key and its type."""
    return b64(rfc8785.dumps({"alg": "Ed25519", "kid": key_id, "typ": kind}))


def key_id_of(public: bytes) -> str:
    """The thumbprint (RFC 7638, SHA-256) of an Ed25519 public key."""
    return b64(sha256(rfc8785.dumps({"crv": "Ed25519", "kty": "OKP", "x": b64(public)})))


def b64(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of `text`. Raises ValueError unless it is their one base64url form without padding."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise ValueError("not base64url in its one form")
    return data
