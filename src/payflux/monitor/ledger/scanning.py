"""Take the lines of an export apart, strictly: the one form they can have, and where each part stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from payflux.monitor.ledger.artifacts import b64, protected_header, unb64
from payflux.monitor.ledger.exports import HEADER_TYPE

_HEADER = re.compile(rb'\{"header":(?P<header>\{.*\}),"jws":"(?P<protected>[\w-]+)\.\.(?P<signature>[\w-]{86})"\}\n')
_TOKEN = re.compile(rb"[A-Za-z0-9_-]*")
_PROOF = re.compile(
    rb'null|\{"leaf":(?P<leaf>0|[1-9]\d{0,17}),"hashes":\[(?P<hashes>(?:"[0-9a-f]{64}"(?:,"[0-9a-f]{64}")*)?)\]\}'
)
_HEX = re.compile(rb"[0-9a-f]*")
_HASH, _SIGNATURE = 64, 86
"""Characters of a hash in hex, and of a signature in base64url."""


class Flaw(NamedTuple):
    """The first thing in a file that is wrong. `start` and `end` are the bytes of the file, from 0, among which the
    wrong one is; the same where bytes are missing. `expected` says what belongs there."""

    line: int
    start: int
    end: int
    field: str
    expected: str


class Flawed(Exception):
    """A file does not hold."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(f"line {flaw.line}, bytes {flaw.start} to {flaw.end}, {flaw.field}: expected {flaw.expected}")
        self.flaw = flaw


@dataclass(frozen=True)
class HeaderLine:
    data: bytes
    header: bytes
    protected: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        return f"{self.protected}.{b64(self.header)}".encode()

    def signer(self, key_ids: Iterable[str]) -> str:
        """Which of the keys is said to have signed. Raises Flawed where it is none."""
        for key_id in key_ids:
            if protected_header(key_id, HEADER_TYPE) == self.protected:
                return key_id
        raise self.flawed("jws", "a signature by one of the keys in the header")

    def flawed(self, field: str, expected: str) -> Flawed:
        return Flawed(Flaw(1, 0, len(self.data), field, expected))


def scan_header(data: bytes) -> HeaderLine:
    """The parts of a file's first line. Raises Flawed."""
    found = _HEADER.fullmatch(data)
    try:
        if found is None:
            raise ValueError
        signature = unb64(found["signature"].decode())
    except ValueError:
        raise Flawed(Flaw(1, 0, len(data), "header", 'a line of the form {"header":{…},"jws":"…"}')) from None
    return HeaderLine(data, found["header"], found["protected"].decode(), signature)


Span = tuple[int, int]


@dataclass(frozen=True)
class ArtifactLine:
    """The parts of an artifact's line; `spans` says which bytes of the line each part is."""

    number: int
    place: int
    sequence: int
    key_id: str
    hash: str
    signed: bytes
    payload: bytes
    signature: bytes
    proof: tuple[int, list[bytes]] | None
    body: bytes | None
    spans: dict[str, Span]

    def flawed(self, field: str, expected: str) -> Flawed:
        start, end = self.spans[field]
        return Flawed(Flaw(self.number, self.place + start, self.place + end, field, expected))

    def expect_hash(self, expected: str) -> None:
        """Raises Flawed at the first digit that differs from `expected`."""
        for index, (found, right) in enumerate(zip(self.hash, expected, strict=True)):
            if found != right:
                start = self.place + self.spans["hash"][0] + index
                raise Flawed(Flaw(self.number, start, start + 1, "hash", expected))


def scan_artifact(data: bytes, number: int, place: int, sequence: int, key_ids: Iterable[str]) -> ArtifactLine:
    """The parts of the line that artifact `sequence` has to stand in, `number` of the file and beginning at its byte
    `place`; signed by one of `key_ids`. Raises Flawed."""
    reader = _Reader(data, number, place)
    reader.literal(f'{{"sequence":{sequence},"hash":"'.encode(), "sequence")
    digest = reader.exactly(_HEX, _HASH, "hash")
    reader.literal(b'","jws":"', "jws")
    of_key = {protected_header(key_id): key_id for key_id in key_ids}
    protected = reader.one_of(of_key, "key")
    reader.literal(b".", "jws")
    payload = reader.token("statement")
    reader.literal(b".", "jws", after="statement")
    signature = reader.exactly(_TOKEN, _SIGNATURE, "signature", after="statement")
    reader.literal(b'","proof":', "jws", after="statement")
    proof = reader.proof()
    reader.literal(b',"body":', "proof", after="proof")
    body = reader.body()
    return ArtifactLine(
        number=number,
        place=place,
        sequence=sequence,
        key_id=of_key[protected],
        hash=digest.decode(),
        signed=f"{protected}.".encode() + payload,
        payload=reader.decoded(payload, "statement"),
        signature=reader.decoded(signature, "signature"),
        proof=proof,
        body=body,
        spans=reader.spans,
    )


class _Reader:
    """Goes through a line from left to right."""

    def __init__(self, data: bytes, number: int, place: int) -> None:
        self._data, self._number, self._place = data, number, place
        self._at = 0
        self.spans: dict[str, Span] = {}

    def literal(self, expected: bytes, field: str, *, after: str = "") -> None:
        """Pass `expected`. Where its first byte is wrong already, the part named `after` may have ended too late."""
        found = self._data[self._at : self._at + len(expected)]
        if found == expected:
            self._at += len(expected)
            return
        same = next((n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), len(found))
        start = self.spans[after][0] if after and not same else self._at + same
        raise self._flawed(start, self._at + same + 1, field, expected.decode())

    def exactly(self, pattern: re.Pattern[bytes], length: int, field: str, *, after: str = "") -> bytes:
        """Pass `length` characters of `pattern`; what is missing may have gone to the part named `after`."""
        found = self._matched(pattern, field, self._at + length)
        if len(found) != length:
            start = self.spans[after][0] if after else self._at
            raise self._flawed(start, self._at + 1, field, f"{length} characters of {field}")
        return found

    def token(self, field: str) -> bytes:
        return self._matched(_TOKEN, field, len(self._data))

    def one_of(self, allowed: Iterable[str], field: str) -> str:
        """Pass one of the texts; the error is at the first byte that differs from the one most alike."""
        rest = self._data[self._at :]
        best = max(allowed, key=lambda text: _alike(rest, text.encode()))
        self.literal(best.encode(), field)
        return best

    def proof(self) -> tuple[int, list[bytes]] | None:
        found = _PROOF.match(self._data, self._at)
        if found is None:
            end = self._data.find(b',"body":', self._at)
            raise self._flawed(self._at, len(self._data) if end < 0 else end, "proof", "null or a proof")
        self._pass("proof", found.end())
        if found["leaf"] is None:
            return None
        return int(found["leaf"]), [bytes.fromhex(each[1:-1].decode()) for each in found["hashes"].split(b",") if each]

    def body(self) -> bytes | None:
        self.spans["body"] = (self._at, len(self._data))
        if not self._data.endswith(b"}\n"):
            raise self._flawed(self._at, len(self._data), "body", 'a body, "}" and the end of the line')
        body = self._data[self._at : -2]
        return None if body == b"null" else body

    def decoded(self, text: bytes, field: str) -> bytes:
        try:
            return unb64(text.decode())
        except ValueError as error:
            raise self._flawed(*self.spans[field], field, str(error)) from None

    def _matched(self, pattern: re.Pattern[bytes], field: str, end: int) -> bytes:
        found = pattern.match(self._data, self._at, end)
        assert found is not None, "it matches nothing, too"
        self._pass(field, found.end())
        return found[0]

    def _pass(self, field: str, end: int) -> None:
        self.spans[field] = (self._at, end)
        self._at = end

    def _flawed(self, start: int, end: int, field: str, expected: str) -> Flawed:
        return Flawed(Flaw(self._number, self._place + start, self._place + end, field, expected))


def _alike(found: bytes, expected: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), len(expected))
