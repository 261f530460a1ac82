"""What the tests share: a real PostgreSQL with the migrated schema, a clock that is moved, and the cast."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import disk_usage, rmtree
from tempfile import mkdtemp

import hypothesis
import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from jinja2 import FileSystemBytecodeCache
from pgqueuer.core.qm import QueueManager
from playwright.sync_api import Browser, sync_playwright
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from payflux.cli.databases import OWNER_ROLE, ensure_owned_database, urls_of
from payflux.cli.preparing import prepare_database
from payflux.frontdoor.accounts import passwords
from payflux.kit.database import role_password
from payflux.kit.postgres import EmbeddedPostgres, find_binaries
from payflux.settings import Settings, load_settings
from payflux.web.rendering import build_templates
from payflux.world.bootstrap import World, build_world
from tests import chromium
from tests.databases import SharedDatabase
from tests.running import free_port

# a busy machine is no defect, and a gate gives the same answer twice
hypothesis.settings.register_profile(
    "house", max_examples=50, deadline=None, derandomize="CI" in os.environ, print_blob=True
)
hypothesis.settings.register_profile("long", max_examples=1000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")

SECRET = "a secret for tests alone, 32 characters or more"
TEMPLATE = "payflux_template"
MEMORY = Path("/dev/shm")


# what is imported stays to the end: until all tests are collected, there is no garbage worth looking for
gc.disable()


LONGEST = (
    "journeys",
    "tests/unit/web/test_in_browser.py",
    "tests/journeys/test_billing.py",
    "tests/integration/test_run.py",
    "tests/integration/test_pipeline.py",
    "tests/structure/test_guards.py",
    "tests/integration/processors/test_pull.py",
)
"""What takes longest, of the parts that :func:`_part_of` makes."""


class ByPart(LoadScopeScheduling):
    """Hands whole parts to the processes that share the tests, in the order of the tests.

    xdist's own groups write their name into a test's id, which pytest does not let anybody change any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _part_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByPart:
    """However many processes somebody asks for (`-n`), each takes what belongs together."""
    config.option.loadscopereorder = False
    return ByPart(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process works on at it when the others have ended."""
    items.sort(key=lambda item: _rank(_part_of(item.nodeid)))


def _part_of(nodeid: str) -> str:
    """What shares a browser, a server or long sums, which every process would make anew: a module, or the journeys
    through one running product. Those of billing move its clock."""
    module = nodeid.partition("::")[0]
    return "journeys" if module.startswith("tests/journeys/") and not module.endswith("/test_billing.py") else module


def _rank(part: str) -> int:
    return LONGEST.index(part) if part in LONGEST else len(LONGEST)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking again and again at the modules and tests, which stay to the end."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()


class MovedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(datetime.now(UTC).replace(microsecond=0))


def _quickest_folder() -> Path | None:
    """Memory, where it has the room: a disk's file system takes ten times as long to copy a database's files."""
    with suppress(OSError):
        if disk_usage(MEMORY).free > 2 * 1024**3 and os.access(MEMORY, os.W_OK):
            return MEMORY
    return None


@contextmanager
def open_folder() -> Generator[Path, None, None]:
    """A temporary folder that `nobody`, as whom the server runs under root, can enter; pytest's own are closed."""
    folder = Path(mkdtemp(prefix="payflux-test-", dir=_quickest_folder()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        rmtree(folder)


@pytest.fixture
def postgres_home() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "pg"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL server for the test process."""
    with open_folder() as folder:
        server = EmbeddedPostgres(folder / "pg", find_binaries(None), durable=False)
        server.start()
        yield server
        server.release()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with the module: while it is open, no other test of the process may run an event loop."""
    path = chromium.find()
    assert path, "No Chromium; `python -m tests.chromium` installs one."
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=chromium.arguments(), env=chromium.environment()
        )
        yield started
        started.close()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2 at its least cost: at its own, the tests would spend their time on what makes guessing slow."""
    least = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHES", least)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile each template once for all processes that share the tests."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "templates"
    shared.mkdir(exist_ok=True)
    build_templates().bytecode_cache = FileSystemBytecodeCache(str(shared))


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """What a test's failing jobs log, without every variable of every frame: to lay that out takes half a second."""
    structlog.configure(
        processors=[
            *structlog.get_config()["processors"][:-1],
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@pytest.fixture(scope="session", autouse=True)
def known_queue() -> Iterator[None]:
    """Let no worker look whether the queue's tables are there, which costs the server more than most jobs do."""

    async def nothing(_self: QueueManager) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QueueManager, "verify_structure", nothing)
        yield


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[int]:
    """The port of a mail server that takes everything: a mail that cannot be sent waits, and a queue with it."""
    server = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
def settings(tmp_path: Path, smtp_server: int) -> Settings:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": smtp_server, "smtp_tls": "none"}
    return load_settings(data_dir=tmp_path / "data", secret_key=SecretStr(SECRET), **mail)


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that the migrations built, to copy from."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("data"), secret_key=SecretStr(SECRET))
    password = role_password(SECRET, OWNER_ROLE)

    async def build() -> None:
        await ensure_owned_database(postgres.url(), owner=OWNER_ROLE, password=password, database=TEMPLATE)
        url = postgres.url(user=OWNER_ROLE, password=password, database=TEMPLATE)
        await prepare_database(urls_of(settings, url))

    asyncio.run(build())
    return TEMPLATE


@pytest.fixture(scope="session")
async def shared_database(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedDatabase]:
    settings = load_settings(data_dir=tmp_path_factory.mktemp("data"), secret_key=SecretStr(SECRET))
    shared = SharedDatabase(postgres, settings, migrated_template)
    await shared.open()
    yield shared
    await shared.close()


@pytest.fixture
async def owner_url(shared_database: SharedDatabase) -> AsyncIterator[str]:
    """The owner's address of a migrated database in which nothing has happened yet."""
    yield shared_database.url
    await shared_database.tidy()


@pytest.fixture
async def world(
    settings: Settings, owner_url: str, shared_database: SharedDatabase, clock: MovedClock
) -> AsyncIterator[World]:
    """The world on a fresh database, with a clock that stands still."""
    built = build_world(settings, database_url=owner_url, clock=clock, database=shared_database.database)
    yield built
    await built.close()


def with_settings(world: World, **changes: object) -> World:
    """`world` under other settings."""
    return replace(world, settings=world.settings.model_copy(update=changes))
