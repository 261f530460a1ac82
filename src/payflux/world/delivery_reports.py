"""Reports that a mail was not delivered, as mail servers send them to its return path. Pure.

Sources: RFC 3464 (message/delivery-status), RFC 3463 (what a status means), RFC 6522 (multipart/report).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import NamedTuple
from uuid import UUID

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_MESSAGE_ID = re.compile(r"^message-id:\s*<([0-9a-f-]{36})@", re.IGNORECASE | re.MULTILINE)
# what the standard library's parser may raise on what is no mail
_UNREADABLE = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)

_NOT_THE_ADDRESS = ("5.2.3", "5.3.", "5.6.", "5.7.")
"""Permanent failures that RFC 3463 puts down to this one mail, to a mail system or to its rules: its length, what
system it is, its content, policy. Another mail to the same address may arrive."""

_MEANING = {
    "5.1.": "there is no such address",
    "5.2.2": "the mailbox is full",
    "5.2.": "the mailbox takes no mail",
    "5.4.": "its mail server cannot be reached",
    "5.7.": "its mail server does not accept our mail",
    "5.": "its mail server refuses it",
    "4.": "it is late, or was given up after several tries",
}


class DeliveryReport(NamedTuple):
    """What a report says of the mail: its status, such as 5.1.1, and the id in its Message-ID where that is a UUID."""

    status: str
    mail_id: UUID | None

    @property
    def permanent(self) -> bool:
        """Whether it says that the address does not work, not only that this mail was not delivered yet or at all."""
        return is_permanent(self.status)


def is_permanent(status: str) -> bool:
    """Whether `status` says that mail to an address will not arrive."""
    return status.startswith("5.") and not status.startswith(_NOT_THE_ADDRESS)


def meaning_of(status: str) -> str:
    """What `status` says, for whoever looks after the installation."""
    return next(words for beginning, words in _MEANING.items() if status.startswith(beginning))


def status_in(reply: str) -> str:
    """The status (RFC 3463) with which a mail server's reply begins or that stands in it, or an empty text."""
    found = _STATUS.search(reply)
    return found[0] if found else ""


def read_report(raw: bytes) -> DeliveryReport | None:
    """What the mail `raw` reports; None where it is no report of a mail that was not delivered. Of several failures it
    is one that says the address does not work, where there is one."""
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
        statuses = [status for part in message.walk() for status in _failures(part)]
        if not statuses:
            return None
        return DeliveryReport(max(statuses, key=lambda status: (is_permanent(status), status[0])), _mail_id(message))
    except _UNREADABLE:
        return None


def _failures(part: Message) -> Iterator[str]:
    """The statuses of a message/delivery-status: after its first fields, which are about all recipients, it has a
    group of fields for each."""
    groups = part.get_payload()
    if part.get_content_type() != "message/delivery-status" or not isinstance(groups, list):
        return
    for group in groups:
        if not isinstance(group, Message):
            continue
        action = str(group.get("Action", "")).strip().lower()
        status = status_in(str(group.get("Status", ""))) or status_in(str(group.get("Diagnostic-Code", "")))
        if action in ("failed", "delayed") and status and status[0] != "2":
            # a mail that is only late is no failure, whatever its status says
            yield status if action == "failed" else f"4{status[1:]}"


def _mail_id(report: Message) -> UUID | None:
    """The id of the mail that was returned, which comes whole or as its header alone."""
    for part in report.walk():
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            text = payload.decode("latin-1") if isinstance(payload, bytes) else ""
        elif part is not report and part.get("Message-ID"):
            text = f"Message-ID: {part['Message-ID']}"
        else:
            continue
        if found := _MESSAGE_ID.search(text):
            return UUID(found[1])
    return None
