"""The mails that came in: their raw bytes, kept as they were, and what they say."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import NamedTuple

import msgspec

from payflux.sandbox.store import Json, Store

KEPT = 500
"""Mails that are kept; with the next, the oldest goes."""

_ACCOUNT, _TYPE, _RAW = "mailbox", "_mail", "_mail_raw"
_SEARCHED = 2_000  # characters of a text that a search reads
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_UNREADABLE = (MessageError, ValueError, LookupError, AttributeError, TypeError)  # what the standard parser may raise


class Mail(msgspec.Struct):
    """What a list shows of one mail; `recipients` are the envelope's, `created` is unix seconds of this machine."""

    id: str
    created: int
    recipients: list[str]
    sender: str
    subject: str
    beginning: str
    size: int


class Content(NamedTuple):
    """What one mail says. `attachments` are the names and sizes, in bytes, of what comes with it."""

    headers: list[tuple[str, str]]
    text: str
    html: str
    attachments: list[tuple[str, int]]

    @property
    def links(self) -> list[str]:
        """The addresses in its text, else those in its HTML, each once."""
        return list(dict.fromkeys(LINK.findall(self.text or self.html.replace("&amp;", "&"))))


def take(store: Store, raw: bytes, recipients: Iterable[str], now: int) -> Mail:
    """Keep a mail that came in."""
    message, content = _parse(raw), read(raw)
    mail = Mail(
        id=f"mail_{secrets.token_hex(8)}",
        created=now,
        recipients=list(recipients),
        sender=_header(message, "From"),
        subject=_header(message, "Subject"),
        beginning=content.text[:_SEARCHED],
        size=len(raw),
    )
    about: Json = {"id": f"{mail.id}/raw", "object": _RAW, "created": now}
    with store.transaction():
        store.put(_ACCOUNT, {"object": _TYPE, **msgspec.to_builtins(mail)})
        store.put(_ACCOUNT, about | {"raw": raw.decode("latin-1")})  # one character for each byte
        for past in store.find(_ACCOUNT, _TYPE)[KEPT:]:
            _forget(store, past["id"])
    return mail


def mails(store: Store, *, recipient: str = "", words: str = "", limit: int = KEPT) -> list[Mail]:
    """The mails to `recipient`, of any by default, that have all `words` in what a list shows; the newest first."""
    asked, to = words.casefold().split(), recipient.strip().casefold()
    found = []
    for document in store.find(_ACCOUNT, _TYPE):
        mail = msgspec.convert(document, Mail)
        said = " ".join((mail.sender, mail.subject, mail.beginning, *mail.recipients)).casefold()
        if (not to or to in map(str.casefold, mail.recipients)) and all(word in said for word in asked):
            found.append(mail)
        if len(found) == limit:
            break
    return found


def mail_of(store: Store, mail_id: str) -> Mail | None:
    found = store.get(_ACCOUNT, mail_id)
    return msgspec.convert(found, Mail) if found and found["object"] == _TYPE else None


def raw_of(store: Store, mail: Mail) -> bytes:
    """The bytes of a mail as they came in."""
    found = store.get(_ACCOUNT, f"{mail.id}/raw")
    return found["raw"].encode("latin-1") if found else b""


def forget_all(store: Store) -> int:
    """Delete every mail; how many there were."""
    with store.transaction():
        found = store.find(_ACCOUNT, _TYPE)
        for past in found:
            _forget(store, past["id"])
    return len(found)


def _forget(store: Store, mail_id: str) -> None:
    store.delete(_ACCOUNT, mail_id)
    store.delete(_ACCOUNT, f"{mail_id}/raw")


def read(raw: bytes) -> Content:
    """What a mail says; what of it cannot be read is left out."""
    message = _parse(raw)
    try:
        attachments = [_attachment(part) for part in message.iter_attachments()]
    except _UNREADABLE:
        attachments = []
    headers = [(name, _header(message, name, at)) for at, name in enumerate(message.keys())]
    return Content(headers, _body(message, "plain"), _body(message, "html"), attachments)


def _attachment(part: EmailMessage) -> tuple[str, int]:
    payload = part.get_payload(decode=True)
    return part.get_filename() or part.get_content_type(), len(payload) if isinstance(payload, bytes) else 0


def _parse(raw: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=default).parsebytes(raw)


def _header(message: EmailMessage, name: str, at: int | None = None) -> str:
    """A header's decoded value, or, where that fails, its value as it was sent. `at` is its place among all."""
    try:
        return str(message.values()[at] if at is not None else message.get(name, ""))
    except _UNREADABLE:
        raw = list(message.raw_items())
        return str(raw[at][1] if at is not None else next(value for key, value in raw if key.lower() == name.lower()))


def _body(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
        return "" if part is None else part.get_content()
    except _UNREADABLE:
        payload = message.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if kind == "plain" and isinstance(payload, bytes) else ""
