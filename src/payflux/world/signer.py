"""Who signs: makes signing keys and uses them. A key of a hardware module or a cloud's key service fits behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from payflux.kit.crypto import SecretBox

Sign = Callable[[bytes], bytes]
"""The Ed25519 signature (64 bytes, RFC 8032) of a message."""


class NewKey(NamedTuple):
    """The public half of a key, 32 bytes, and what its signer needs to use it again; nobody else can."""

    public: bytes
    sealed: bytes


class Signer(Protocol):
    def create(self) -> NewKey:
        """A new Ed25519 key."""
        ...

    def open(self, key: NewKey) -> Sign:
        """What signs with `key`. Raises UndecryptableSecret for one that another signer made."""
        ...


@dataclass(frozen=True)
class SealingSigner:
    """Signs in this process, with keys that are stored encrypted under the secret key."""

    secrets: SecretBox

    def create(self) -> NewKey:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return NewKey(public, self.secrets.encrypt(private.private_bytes_raw().hex(), bound_to=_bound_to(public)))

    def open(self, key: NewKey) -> Sign:
        seed = self.secrets.decrypt(key.sealed, bound_to=_bound_to(key.public))
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).sign


def _bound_to(public: bytes) -> str:
    return f"ledger_keys.sealed.{public.hex()}"
