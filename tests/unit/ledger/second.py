"""A second implementation of the check, by the specifications and public libraries alone: nothing of the product."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import jcs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey


def holds(data: bytes) -> bool:
    """Whether an exported ledger holds, by the keys that it names."""
    try:
        _check(data)
    except (AssertionError, ValueError, LookupError, TypeError, AttributeError, JoseError, InvalidSignature):
        return False
    return True


def _check(data: bytes) -> None:
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    first = _read(lines[0], ("header", "jws"))
    head = first["header"]
    canonical = jcs.canonicalize(head)
    assert lines[0] == '{"header":' + canonical.decode() + ',"jws":"' + first["jws"] + '"}'
    keys = {key["kid"]: OKPKey.import_key(key) for key in head["keys"]}
    for kid, key in keys.items():
        assert key.thumbprint() == kid
    protected, empty, signature = first["jws"].split(".")
    assert empty == ""
    _verified(f"{protected}.{_b64(canonical)}.{signature}", keys, "payflux-export")
    size, root = _checkpoint(head, keys) if head["checkpoint"] else (0, b"")
    before, sequence = head["previous_hash"], head["first_sequence"]
    assert sequence > 1 or before == "0" * 64
    for line in lines[1:]:
        artifact = _read(line, ("sequence", "hash", "jws", "proof", "body"))
        before = _artifact(artifact, line, head, keys, before, sequence)
        if sequence <= head["proven_sequence"]:
            leaf = hashlib.sha256(b"\x00" + bytes.fromhex(before)).digest()
            path = [bytes.fromhex(each) for each in artifact["proof"]["hashes"]]
            assert _root(leaf, artifact["proof"]["leaf"], size, path) == root
        else:
            assert artifact["proof"] is None
        sequence += 1
    assert sequence == head["last_sequence"] + 1


def _artifact(artifact: dict[str, Any], line: str, head: dict[str, Any], keys: dict, before: str, sequence: int) -> str:
    payload = _verified(artifact["jws"], keys, "payflux-artifact")
    said = json.loads(payload)
    assert jcs.canonicalize(said) == payload
    digest = hashlib.sha256(payload).hexdigest()
    assert (artifact["sequence"], said["sequence"]) == (sequence, sequence)
    assert (artifact["hash"], said["previous_hash"], said["workspace_id"]) == (digest, before, head["workspace_id"])
    written = "null" if artifact["body"] is None else jcs.canonicalize(artifact["body"]).decode()
    if artifact["body"] is None:
        assert sequence <= head["expired_sequence"]
    else:
        assert hashlib.sha256(written.encode()).hexdigest() == said["body_hash"]
    proof = json.dumps(artifact["proof"], separators=(",", ":"))
    head_of_line = f'{{"sequence":{sequence},"hash":"{digest}","jws":"{artifact["jws"]}",'
    assert line == f'{head_of_line}"proof":{proof},"body":{written}}}'
    return digest


def _verified(token: str, keys: dict[str, OKPKey], kind: str) -> bytes:
    protected = json.loads(_unb64(token.split(".")[0]))
    assert protected["typ"] == kind
    assert jcs.canonicalize(protected) == _unb64(token.split(".")[0])
    for part in token.split("."):
        assert _b64(_unb64(part)) == part
    return jws.deserialize_compact(token, keys[protected["kid"]], algorithms=["Ed25519"]).payload


def _checkpoint(head: dict[str, Any], keys: dict[str, OKPKey]) -> tuple[int, bytes]:
    text, signed = head["checkpoint"].split("\n\n")
    origin, size, root = text.split("\n")
    dash, name, signature = signed.removesuffix("\n").split(" ")
    assert (dash, name) == ("—", origin)
    raw = base64.b64decode(signature, validate=True)
    for key in keys.values():
        public = _unb64(str(key.as_dict()["x"]))
        if hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4] == raw[:4]:
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())
            return int(size), base64.b64decode(root, validate=True)
    raise AssertionError("no key")


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """By recursion over the tree, where the product goes by bits."""
    if size == 1:
        assert (index, path) == (0, [])
        return leaf
    left = 1
    while left * 2 < size:
        left *= 2
    if index < left:
        return hashlib.sha256(b"\x01" + _root(leaf, index, left, path[:-1]) + path[-1]).digest()
    return hashlib.sha256(b"\x01" + path[-1] + _root(leaf, index - left, size - left, path[:-1])).digest()


def _read(line: str, names: tuple[str, ...]) -> dict[str, Any]:
    found = json.loads(line)
    assert tuple(found) == names
    return found


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
