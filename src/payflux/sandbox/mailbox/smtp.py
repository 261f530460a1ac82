"""SMTP in: whatever is sent to any address is taken and kept, and some of it comes back."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from payflux.sandbox.mailbox.bouncing import Returned, report, status_of
from payflux.sandbox.mailbox.messages import Mail, take
from payflux.sandbox.state import SandboxState

LARGEST = 10_000_000  # bytes of a mail


class _Receiver:
    def __init__(self, state: SandboxState, returned: Returned) -> None:
        self._state, self._returned = state, returned

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = self._keep(raw, envelope.rcpt_tos)
        for recipient in envelope.rcpt_tos:
            # nobody is told of what has no return path: that is itself such a report, RFC 5321 section 4.5.5
            if envelope.mail_from and (status := status_of(recipient)):
                back = report(raw, return_path=envelope.mail_from, recipient=recipient, status=status)
                self._keep(back, [envelope.mail_from])
                self._returned.hand_over(back)
        return f"250 OK: kept as {mail.id}"

    def _keep(self, raw: bytes, recipients: list[str]) -> Mail:
        return take(self._state.store, raw, recipients, int(self._state.machine_now().timestamp()))


@asynccontextmanager
async def receiving(
    state: SandboxState, listening: socket.socket, bounce_to: str | None = None
) -> AsyncGenerator[None, None]:
    """Take mails on a socket of loopback until it is left. Any name and password is right, and neither is needed. The
    reports of those that bounce are posted to `bounce_to`."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's own log has every address in it
    returned = Returned(bounce_to)
    loop, receiver = asyncio.get_running_loop(), _Receiver(state, returned)

    def connected() -> SMTP:
        return SMTP(
            receiver,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="sandbox",
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
            loop=loop,
        )

    server = await loop.create_server(connected, sock=listening)
    try:
        yield
    finally:
        server.close()
        await returned.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket for :func:`receiving`. Raises ValueError, with what to do, where it cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise ValueError(
            f"The mailbox cannot listen on {host}:{port} ({reason}). It takes the port after the sandbox's: choose "
            "another --port."
        ) from None
