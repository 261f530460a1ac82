"""`payflux analyze --engine duckdb` says what it says without it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from payflux.monitor.processors.exports import read_exports, write_plain
from payflux.sandbox.exports import write_exports
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from tests.integration.analyze.test_analyze import AS_OF, NOW, PLAIN, run


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> list[Path]:
    """The export files of a merchant with a reserve."""
    state = SandboxState(now=lambda: NOW)
    start = (NOW - timedelta(days=90)).date()
    account = ARCHETYPES["reserve-in-force"].account_id
    return write_exports(state, account, tmp_path_factory.mktemp("exports"), start, NOW.date())


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_both_engines_say_the_same_of_plain_events(exported, tmp_path, suffix):
    events = [event for event in read_exports(exported, now=NOW).events if not event.source_id.endswith("/summary")]
    plain, pages = tmp_path / f"plain{suffix}", [tmp_path / "one.html", tmp_path / "two.html"]
    write_plain(events, plain)
    ways = ([], ["--engine", "duckdb", "--memory-limit", "200MB"])
    said = [run(str(plain), *AS_OF, *way, "--json", "--html", str(page)) for way, page in zip(ways, pages, strict=True)]
    assert [result.exit_code for result in said] == [0, 0], [result.output for result in said]
    memory, duckdb = (json.loads(result.stdout) for result in said)
    assert memory == duckdb
    assert memory["projection"]["currently_held"] > 0
    assert pages[0].read_text("utf-8") == pages[1].read_text("utf-8")


def test_an_old_file_is_read_as_of_the_same_day(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(PLAIN + "charge,py_1,2024-03-05T10:00:00Z,succeeded,4000,usd\n")
    said = json.loads(run(str(path), "--engine", "duckdb", "--json").stdout)
    assert said["surface"]["as_of"] == "2024-03-06T00:00:00Z"


def test_what_it_cannot_read_is_one_clear_sentence(exported, tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text(PLAIN)
    for arguments, words in (
        ([str(exported[0])], "the DuckDB engine reads plain payment events only"),
        ([str(path)], "no usable payment event"),
        ([str(path), "--memory-limit", "much"], "'much' is no amount of memory such as 2GB"),
    ):
        result = run(*arguments, "--engine", "duckdb", columns=400)
        assert result.exit_code == 1
        assert words in result.stderr
        assert "Traceback" not in result.output
