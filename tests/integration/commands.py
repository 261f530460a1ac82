"""Run `payflux COMMAND` as a person does, and read what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import httpx
from typer.testing import CliRunner

from payflux.cli.commands import app
from payflux.cli.configured import complaints, console
from tests.forks import FORKS
from tests.running import START_PATIENCE, free_port, free_sandbox_port, product_environment


class Outcome(NamedTuple):
    """How a command ended and everything it said, in one line however wide the terminal was."""

    code: int
    said: str


def said_by(*arguments: str, data_dir: Path, **environment: str) -> Outcome:
    """The same for --help, doctor and analyze, which leave this process as it was, and so run within it."""
    clean: dict[str, str | None] = dict.fromkeys(os.environ.keys() - product_environment(data_dir).keys())
    done = CliRunner().invoke(app, arguments, env=clean | {"PAYFLUX_DATA_DIR": str(data_dir)} | environment)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Outcome(done.exit_code, " ".join(done.output.split()))


def payflux(*arguments: str, data_dir: Path, **environment: str) -> Outcome:
    """Run `payflux ARGUMENTS` to its end in a process of its own, under `environment` alone."""
    with NamedTemporaryFile() as output:
        process = FORKS.Process(
            target=_run, args=(arguments, product_environment(data_dir, **environment), output.name)
        )
        process.start()
        process.join(60)
        assert process.exitcode is not None, f"`payflux {arguments[0]}` goes on and on"
        return Outcome(process.exitcode, " ".join(output.read().decode().split()))


def _run(arguments: Sequence[str], environment: Mapping[str, str], output: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    console.width = complaints.width = 200
    written, nothing = os.open(output, os.O_WRONLY | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for descriptor, here in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(descriptor, here)
    app(arguments)


@contextmanager
def started(
    *arguments: str, data_dir: Path, log: Path, **environment: str
) -> Generator[subprocess.Popen[bytes], None, None]:
    """Start `payflux ARGUMENTS` and kill it at the end, unless it has ended by then."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "payflux", *arguments],
            env=product_environment(data_dir, **environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_ports() -> dict[str, str]:
    """Ports for the pages and the sandbox, as settings."""
    return {"PAYFLUX_PORT": str(free_port()), "PAYFLUX_SANDBOX_PORT": str(free_sandbox_port())}


def answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {START_PATIENCE:.0f} seconds: {what}"
        time.sleep(0.05)
