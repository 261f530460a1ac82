"""Start the parts of PayFlux as processes of their own, keep them running, and end them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from payflux.kit.errors import OperatorError

SUPERVISED = "PAYFLUX_SUPERVISED"
FORWARD_TO, FORWARD_CONNECT_TO = "PAYFLUX_SANDBOX_FORWARD_TO", "PAYFLUX_SANDBOX_FORWARD_CONNECT_TO"
BOUNCE_TO = "PAYFLUX_SANDBOX_BOUNCE_TO"
"""The variables that tell the sandbox where to post the platform's own events, those of accounts connected to it, and
the reports of mails that bounce."""
_PATIENCE = 10.0  # seconds a part gets to finish what it does
_QUICK = 20.0  # a part that ran for less than this many seconds has failed to start
_QUICK_FAILURES = 3


class PortTaken(OperatorError):
    """Another program listens where PayFlux wants to; the message says what to do."""


class PartFailed(OperatorError):
    """A part of PayFlux keeps stopping."""


@dataclass
class Part:
    """One process: `payflux COMMAND`."""

    command: str
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    quick_failures: int = 0


class Supervisor:
    """Runs `payflux COMMAND` for each command, restarts one that dies, and ends all of them on :meth:`stop`.

    A part ends by itself when the supervisor is gone: it holds the reading end of a pipe that then closes.
    """

    def __init__(self, environment: Mapping[str, str], *, on_restart: Callable[[str, int], None]) -> None:
        self._environment = {**os.environ, **environment, SUPERVISED: "1"}
        self._on_restart = on_restart
        self.parts: dict[str, Part] = {}

    def start(self, command: str) -> None:
        self.parts[command] = Part(command, self._spawn(command))

    def check(self) -> None:
        """Restart what has died. Raises PartFailed for a part that dies again and again right after its start."""
        for part in self.parts.values():
            code = part.process.poll()
            if code is None:
                continue
            quick = time.monotonic() - part.started < _QUICK
            part.quick_failures = part.quick_failures + 1 if quick else 0
            if part.quick_failures >= _QUICK_FAILURES:
                raise PartFailed(
                    f"`payflux {part.command}` stopped {_QUICK_FAILURES} times in a row (exit {code}). What it said "
                    "stands above; `payflux doctor` checks what it stands on."
                )
            self._on_restart(part.command, code)
            part.process, part.started = self._spawn(part.command), time.monotonic()

    def stop(self) -> None:
        """End the parts, the last started first; what does not end in ten seconds is killed."""
        for part in reversed(self.parts.values()):
            if part.process.poll() is None:
                part.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        for part in self.parts.values():
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()

    def _spawn(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "payflux", command],
            env=self._environment,
            stdin=subprocess.PIPE,
            # a terminal's Ctrl-C reaches the supervisor alone, which then ends the parts in order
            start_new_session=True,
        )


def end_with_supervisor() -> None:
    """In a supervised part: end when the supervisor is gone, even if it was killed."""
    if os.environ.get(SUPERVISED) != "1":
        return

    def wait_for_end() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, daemon=True).start()
