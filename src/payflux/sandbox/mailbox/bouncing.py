"""Mails that come back: to some addresses nothing can be delivered, and whoever sent it is told as a mail server would.

Such an address is ``bounce@…``, for which there is no mailbox, or ``bounce-STATUS@…`` for any other status of RFC 3463,
such as ``bounce-4.4.7@shop.example``.
"""

from __future__ import annotations

import asyncio
import re
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import formatdate, make_msgid

import httpx

_BOUNCES = re.compile(r"bounce(?:-(?P<status>[45]\.\d{1,3}\.\d{1,3}))?@", re.IGNORECASE)
_TRIES, _PAUSE = 5, 0.5  # seconds, and half as long again after each
_TIMEOUT = 10  # seconds


def status_of(address: str) -> str | None:
    """With which status mail to `address` comes back; None for one that takes it."""
    found = _BOUNCES.match(address)
    return (found["status"] or "5.1.1") if found else None


def report(raw: bytes, *, return_path: str, recipient: str, status: str) -> bytes:
    """What a mail server sends to `return_path` about the mail `raw` (RFC 3464): in words, as fields, and the header of
    the mail."""
    late = status.startswith("4")
    back = MIMEMultipart("report", **{"report-type": "delivery-status"}, policy=SMTP)
    back["From"], back["To"] = "Mail Delivery System <MAILER-DAEMON@sandbox.localhost>", return_path
    back["Subject"] = "Delayed Mail (still being retried)" if late else "Undelivered Mail Returned to Sender"
    back["Date"], back["Message-ID"] = formatdate(usegmt=True), make_msgid(domain="sandbox.localhost")
    back["Auto-Submitted"] = "auto-replied"
    back.attach(MIMEText(f"Your mail to <{recipient}> could not be delivered: {status}.\n", policy=SMTP))
    about_all, about_one = Message(policy=SMTP), Message(policy=SMTP)
    about_all["Reporting-MTA"] = "dns; sandbox.localhost"
    about_one["Final-Recipient"] = f"rfc822; {recipient}"
    about_one["Action"], about_one["Status"] = "delayed" if late else "failed", status
    about_one["Diagnostic-Code"] = f"smtp; {'451' if late else '550'} {status} the sandbox was asked for this"
    fields = MIMEBase("message", "delivery-status", policy=SMTP)
    fields.set_payload([about_all, about_one])
    back.attach(fields)
    header = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
    returned = MIMEText(f"{header}\n", "rfc822-headers", policy=SMTP)
    back.attach(returned)
    return back.as_bytes(policy=SMTP)


class Returned:
    """Hands what came back to whoever takes such mail in, which is the address `to`; to nobody without one."""

    def __init__(self, to: str | None) -> None:
        self._to, self._under_way = to, set[asyncio.Task[None]]()

    def hand_over(self, raw: bytes) -> None:
        """Post a report, a few times where nobody answers."""
        if self._to is not None:
            task = asyncio.create_task(_post(self._to, raw))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _post(to: str, raw: bytes) -> None:
    headers = {"Content-Type": "message/rfc822"}
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
        for number in range(_TRIES):
            try:
                if (await client.post(to, content=raw, headers=headers)).status_code < 500:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(_PAUSE * 1.5**number)
