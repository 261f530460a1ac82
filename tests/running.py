"""The whole product as `payflux run` starts it, on free ports and with its own data; it ends with the test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

START_PATIENCE = 90.0  # seconds


@dataclass(frozen=True)
class Running:
    """A running product: where its pages, its sandbox and its data are, and its process."""

    url: str
    sandbox_url: str
    process: subprocess.Popen[str]
    log: Path
    data_dir: Path

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_sandbox_port() -> int:
    """A free port whose successor, which the sandbox's mailbox takes, is free too."""
    while True:
        port = free_port()
        with suppress(OSError, OverflowError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + 1))
            return port


def product_environment(data_dir: Path, **changes: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        # and each start keeps its compiled modules for the next one, which takes a fifth less
        if not re.match(r"PAYFLUX_|STRIPE_|GOOGLE_|MICROSOFT_|DATABASE_URL|PYTHONDONTWRITEBYTECODE$", key)
    }
    return inherited | {
        "PAYFLUX_DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        "PAYFLUX_LOG_LEVEL": "info",
        **changes,
    }


@contextmanager
def running_product(data_dir: Path, log: Path) -> Generator[Running, None, None]:
    """Start `payflux run`, wait until its pages answer, and end it with Ctrl-C."""
    port, sandbox_port = free_port(), free_sandbox_port()
    environment = product_environment(data_dir, PAYFLUX_PORT=str(port), PAYFLUX_SANDBOX_PORT=str(sandbox_port))
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "payflux", "run"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    product = Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}", process, log, data_dir)
    try:
        _wait_until_it_says_it_runs(product)
        yield product
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_it_says_it_runs(product: Running) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while "PayFlux runs." not in product.log_text():
        if product.process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"`payflux run` did not start:\n{product.log_text()}")
        time.sleep(0.1)
    httpx.get(f"{product.url}/readyz").raise_for_status()
