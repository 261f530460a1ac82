"""`payflux run`: what it says, how it ends, what it keeps, and what it refuses."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from rich.console import Console

from payflux.cli.processes import PortTaken
from payflux.cli.run import run_all
from payflux.kit.postgres import EmbeddedPostgres, PostgresError, find_binaries
from payflux.settings import SANDBOX_SECRET_KEY, load_settings
from tests.conftest import open_folder
from tests.integration.commands import answers, free_ports, payflux, started, wait_until
from tests.running import Running, free_port, free_sandbox_port, running_product

ALICE = {"name": "Alice's Records", "email": "alice@shop.example", "password": "seven green bottles 41"}


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "data"


@contextmanager
def taken_port() -> Generator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def postmaster(data_dir: Path) -> psutil.Process:
    pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().splitlines()[0]))


def parts(product: Running) -> dict[str, psutil.Process]:
    """The web server, the worker and the sandbox of `product`, by the command that each runs."""
    return {child.cmdline()[-1]: child for child in psutil.Process(product.process.pid).children()}


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end(product: Running, number: signal.Signals, data_dir: Path) -> None:
    """Send the signal, and see every process of `product` end without a fuss."""
    running = [*parts(product).values(), postmaster(data_dir)]
    product.process.send_signal(number)
    assert product.process.wait(30) == 0
    assert [process for process in running if not has_ended(process)] == []
    assert "Traceback" not in product.log_text()
    assert "Everything is kept in" in product.log_text()


def submit(client: httpx.Client, path: str, form: dict[str, str]) -> httpx.Response:
    """Send the form of the page at `path` as a browser does, with the page's own token."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert token
    return client.post(
        path, data={**form, "csrf_token": token[1]}, headers={"Origin": str(client.base_url).rstrip("/")}
    )


def test_ctrl_c_ends_every_part_and_the_next_run_knows_the_account_whatever_is_killed(
    data_dir: Path, tmp_path: Path
) -> None:
    with running_product(data_dir, tmp_path / "first.log") as first, httpx.Client(base_url=first.url) as browser:
        said = first.log_text()
        for place in (first.url, first.sandbox_url, f"{first.url}/register", "worker", "PostgreSQL in"):
            assert place in said
        assert set(parts(first)) == {"sandbox", "serve", "work"}
        prices = httpx.get(f"{first.sandbox_url}/v1/prices", auth=(SANDBOX_SECRET_KEY, "")).json()["data"]
        assert "payflux_pro_v1_month" in {price["lookup_key"] for price in prices}, "plans can be bought at once"
        assert submit(browser, "/register", ALICE).headers["location"] == "/verify-email"
        end(first, signal.SIGINT, data_dir)
    with running_product(data_dir, tmp_path / "killed.log") as killed:
        worker = parts(killed)["work"]
        worker.kill()
        wait_until(lambda: killed.log_text().count("worker started") == 2, "a second worker")
        assert "`payflux work` stopped (exit -9); starting it again." in killed.log_text()
        orphans, server = parts(killed), postmaster(data_dir)
        assert orphans["work"].pid != worker.pid
        killed.process.kill()
        wait_until(lambda: all(map(has_ended, orphans.values())), "the parts end by themselves")
    with running_product(data_dir, tmp_path / "third.log") as third, httpx.Client(base_url=third.url) as browser:
        assert postmaster(data_dir).pid == server.pid, "the next run takes the database over"
        assert submit(browser, "/login", ALICE).headers["location"] == "/start"
        assert browser.get("/start").headers["location"] == "/welcome"
        port, sandbox_port = (url.rpartition(":")[2] for url in (third.url, third.sandbox_url))
        seen = payflux("doctor", data_dir=data_dir, PAYFLUX_PORT=port, PAYFLUX_SANDBOX_PORT=sandbox_port)
        assert (seen.code, "All is well." in seen.said) == (0, True)
        assert not has_ended(postmaster(data_dir)), "doctor stopped the server that others use"
        end(third, signal.SIGTERM, data_dir)


def test_the_web_server_alone_stops_its_database_on_sigterm(data_dir: Path, tmp_path: Path) -> None:
    assert payflux("migrate", data_dir=data_dir).code == 0
    ports = free_ports()
    with started("serve", data_dir=data_dir, log=tmp_path / "serve.log", **ports) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{ports['PAYFLUX_PORT']}/readyz"), "the pages answer")
        server = postmaster(data_dir)
        process.terminate()
        process.wait(30)
    assert has_ended(server)


@pytest.mark.parametrize("variable", ["PAYFLUX_PORT", "PAYFLUX_SANDBOX_PORT"])
def test_a_taken_port_is_named_with_its_variable_before_anything_starts(tmp_path: Path, variable: str) -> None:
    with taken_port() as taken:
        refused = payflux("run", data_dir=tmp_path / "data", **(free_ports() | {variable: str(taken)}))
    assert refused.code == 1
    assert re.search(rf"127\.0\.0\.1:{taken} is taken .* {variable}=\d+ make run$", refused.said)
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("apart", "said"), [(0, "are both"), (1, "are next to each other; .* its mailbox need a port")]
)
def test_pages_and_sandbox_on_one_port_are_refused(tmp_path: Path, apart: int, said: str) -> None:
    port = free_sandbox_port()
    settings = load_settings(data_dir=tmp_path, port=port + apart, sandbox_port=port)
    with pytest.raises(PortTaken, match=f"PAYFLUX_PORT and PAYFLUX_SANDBOX_PORT {said}"):
        run_all(settings, Console())


def test_an_address_of_another_machine_is_not_called_taken(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, host="192.0.2.1", port=free_port())  # reserved for documentation
    with pytest.raises(PortTaken, match=r"cannot listen on 192\.0\.2\.1.*PAYFLUX_HOST.*PAYFLUX_PORT"):
        run_all(settings, Console())


def test_a_broken_database_folder_ends_run_with_a_sentence_and_is_left_as_it_was() -> None:
    with open_folder() as folder:
        broken = folder / "data" / "postgres" / "data" / "rubbish"
        broken.parent.mkdir(parents=True)
        broken.write_text("rubbish")
        refused = payflux("run", data_dir=folder / "data", **free_ports())
        assert broken.read_text() == "rubbish"
    assert refused.code == 1
    assert "is damaged" in refused.said
    assert "make reset" in refused.said
    assert "Traceback" not in refused.said


def test_a_file_where_the_data_folder_should_be_is_a_sentence() -> None:
    with open_folder() as folder:
        (folder / "data").write_text("not a folder")
        refused = payflux("run", data_dir=folder / "data", **free_ports())
        assert refused.code == 1
        assert "PAYFLUX_DATA_DIR: cannot write to" in refused.said
        assert "Traceback" not in refused.said
        with pytest.raises(PostgresError, match="PAYFLUX_DATA_DIR: cannot use"):  # where the secret is configured
            EmbeddedPostgres(folder / "data" / "postgres", find_binaries(None)).start()


@pytest.mark.parametrize(("rubbish", "sentence"), [("pg", "PAYFLUX_DATA_DIR"), ("pg/data", r"damaged.*make reset")])
def test_a_file_where_the_database_should_be_is_a_sentence(rubbish: str, sentence: str) -> None:
    with open_folder() as folder:
        (folder / rubbish).parent.mkdir(exist_ok=True)
        (folder / rubbish).write_text("rubbish")
        with pytest.raises(PostgresError, match=sentence):
            EmbeddedPostgres(folder / "pg", find_binaries(None)).start()


def test_a_first_start_that_was_interrupted_leaves_nothing_in_the_way(postgres_home: Path) -> None:
    (postgres_home / "data.unfinished").mkdir(parents=True)
    (postgres_home / "data.unfinished" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(postgres_home, find_binaries(None), durable=False)
    server.start()
    assert "127.0.0.1" in server.url()
    (postgres_home / "superuser").unlink()
    with pytest.raises(PostgresError, match=r"superuser.*make reset"):
        server.url()
    server.release()


def test_the_sandbox_starts_alone_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port, log = free_sandbox_port(), tmp_path / "sandbox.log"
    with started("sandbox", "--fresh", "--port", str(port), data_dir=tmp_path, log=log) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "the sandbox answers")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, -signal.SIGINT)
    assert "Traceback" not in log.read_text()
    assert not (tmp_path / "sandbox").exists()
