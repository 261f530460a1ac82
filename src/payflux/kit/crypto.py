"""Keys derived from the one secret, encryption of stored secrets, and hashes of stored tokens."""

from __future__ import annotations

import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_key(secret: str, purpose: str) -> bytes:
    """A 32-byte key for `purpose` alone (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"payflux:{purpose}".encode()).derive(
        secret.encode()
    )


class UndecryptableSecret(Exception):
    """A stored secret was written under another key, or for another row."""


class SecretBox:
    """Encrypts what must be stored and read back (AES-256-GCM). `bound_to` names table, column and row, so that a
    ciphertext copied elsewhere does not open."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(derive_key(secret, "secret box"))

    def encrypt(self, plaintext: str, *, bound_to: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, plaintext.encode(), bound_to.encode())

    def decrypt(self, data: bytes, *, bound_to: str) -> str:
        """The plaintext. Raises UndecryptableSecret."""
        try:
            return self._cipher.decrypt(data[:12], data[12:], bound_to.encode()).decode()
        except InvalidTag:
            raise UndecryptableSecret(
                f"{bound_to} cannot be decrypted; was PAYFLUX_SECRET_KEY changed? Connect again to replace it."
            ) from None


class TokenHasher:
    """Random tokens and the hash under which they are stored (HMAC-SHA256), so that a stolen table opens no door.

    `previous` is the secret before the last change, empty where there was none.
    """

    def __init__(self, secret: str, previous: str = "") -> None:
        self._key = derive_key(secret, "token hash")
        self._previous = derive_key(previous, "token hash") if previous else None

    def new_token(self) -> str:
        """A token of 256 random bits."""
        return secrets.token_urlsafe(32)

    def digest(self, token: str) -> bytes:
        return hmac.digest(self._key, token.encode(), "sha256")

    def digests(self, token: str) -> list[bytes]:
        """Every hash that `token` may be stored under, the current one first: for what outlives a change of the
        secret."""
        before = [] if self._previous is None else [hmac.digest(self._previous, token.encode(), "sha256")]
        return [self.digest(token), *before]

    def matches(self, token: str, text: str) -> bool:
        """Whether `token` is the hex digest of `text`, in constant time."""
        return hmac.compare_digest(token.encode(), self.digest(text).hex().encode())
