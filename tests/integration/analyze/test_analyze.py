"""`payflux analyze` on what a merchant would download: the sandbox's exports in, the readout out."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner, Result

from payflux.cli.analyze import analyze
from payflux.monitor.processors.exports import read_exports, write_plain
from payflux.sandbox.exports import write_exports
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AS_OF = ["--as-of", NOW.isoformat()]
PLAIN = "kind,source_id,occurred_at,status,amount,currency\n"


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> dict[str, list[str]]:
    """The export files of two merchants over the 90 days before NOW."""
    state = SandboxState(now=lambda: NOW)
    start = (NOW - timedelta(days=90)).date()
    folder = tmp_path_factory.mktemp("exports")
    return {
        name: [
            str(path) for path in write_exports(state, ARCHETYPES[name].account_id, folder / name, start, NOW.date())
        ]
        for name in ("default", "reserve-in-force")
    }


def run(*arguments: str, columns: int = 100) -> Result:
    app = typer.Typer()
    app.command()(analyze)
    return CliRunner().invoke(app, arguments, env={"COLUMNS": str(columns)})


def answer(*arguments: str) -> dict:
    result = run(*arguments, *AS_OF, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_readout_shows_band_trapped_capital_reasons_and_basis(exports):
    result = run(*exports["default"], *AS_OF)
    assert result.exit_code == 0
    for words in (
        "ELEVATED",
        "tier 3 of 5",
        "T+30",
        "T+60",
        "T+90",
        "1,000 bps",
        "as of 21\xa0Nov\xa02026, 12:00\xa0UTC",
    ):
        assert words in result.stdout
    assert re.search(r"Based on [\d,]+ payment events from your Stripe", result.stdout)
    assert re.search(r"1\. \d+ disputes on [\d,]+ payments", result.stdout)
    assert "Early fraud warnings: no export lists them" in result.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_the_readout_fits_its_width_and_is_plain_when_piped(exports, columns):
    result = run(*exports["default"], *AS_OF, columns=columns)
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_json_holds_surface_projection_and_reading(exports):
    said = answer(*exports["default"])
    assert said["surface"]["risk_tier"] == 3
    assert [window["horizon_days"] for window in said["projection"]["windows"]] == [30, 60, 90]
    for file in said["reading"]["files"]:
        assert file["rows"] == file["used"] + file["refused"] + sum(file["set_aside"].values())
        assert file["refused"] == 0


def test_json_holds_the_short_forms_that_clients_keep(exports):
    said = answer(*exports["default"])
    assert said["baselineRiskSurface"]["riskTier"] == said["surface"]["risk_tier"]
    windows = said["reserveModelSkeleton"]["projectedWindows"]
    assert [windows[name]["trappedBps"] for name in ("t30", "t60", "t90")] == [1_000] * 3
    assert windows["t90"]["usdEstimate"] == pytest.approx(said["projection"]["windows"][2]["trapped"] / 100)
    assert "what_if" not in said


def test_a_what_if_is_answered_in_the_terminal_for_a_machine_and_on_the_page(exports, tmp_path):
    asked = ["--what-if", "rdr=80%", "--what-if", "reserve=25%x120"]
    page = tmp_path / "report.html"
    told = run(*exports["default"], *AS_OF, *asked, "--html", str(page))
    assert told.exit_code == 0
    words = " ".join(told.stdout.split())
    assert "With RDR on 80 % of Visa disputes, a reserve of 25 % of sales for 120 days" in words
    assert re.search(r"Trapped at T\+90 \$[\d,]+ \$[\d,]+ \+\$[\d,]+ more", words)
    said = answer(*exports["default"], *asked)
    assert said["what_if"]["changes"] == {
        "refund_warnings": False,
        "rdr": 0.8,
        "three_d_secure": None,
        "growth": None,
        "reserve_rate": 0.25,
        "hold_days": 120,
    }
    trapped = next(one for one in said["what_if"]["measures"] if one["key"] == "trapped_90")
    assert trapped["before"] == said["projection"]["windows"][2]["trapped"]
    assert trapped["after"] == said["what_if"]["projection"]["windows"][2]["trapped"] > trapped["before"]
    assert "What if: RDR on 80" in page.read_text("utf-8")


def test_horizons_and_a_reserve_of_ones_own_choice_are_projected(exports):
    said = answer(*exports["default"], "--horizon", "120", "--horizon", "15", "--reserve", "20%x60")
    projection = said["projection"]
    assert [window["horizon_days"] for window in projection["windows"]] == [15, 120]
    assert (projection["scenario"]["rate"], projection["scenario"]["hold_days"]) == (0.2, 60)
    assert projection["daily"][-1][0] == 120
    told = run(*exports["default"], *AS_OF, "--horizon", "365", columns=80)
    assert told.exit_code == 0
    assert "T+365" in told.stdout


@pytest.mark.parametrize(
    ("option", "words"),
    [(["--horizon", "0"], "at least one day and at most 365"), (["--reserve", "lots"], "write reserve=15%")],
)
def test_a_choice_that_means_nothing_is_refused_with_the_way_out(exports, option, words):
    told = run(*exports["default"], *option)
    assert told.exit_code == 1
    assert words in " ".join(told.stderr.split())


def test_files_may_be_merged_written_plain_and_read_again_with_the_same_numbers(exports, tmp_path):
    events = read_exports([Path(file) for file in exports["default"]], now=NOW).events
    told = answer(*exports["default"])
    for name in ("events.csv", "events.parquet"):
        write_plain(events, tmp_path / name)
        again = answer(str(tmp_path / name))
        assert again["surface"] == told["surface"]
        assert again["projection"] == told["projection"]


def test_a_reserve_in_force_is_seen_in_the_itemized_report(exports):
    projection = answer(*exports["reserve-in-force"])["projection"]
    assert projection["currently_held"] > 0
    assert projection["current_reserve_rate"] == pytest.approx(0.1, abs=0.02)


def test_the_page_stands_alone(exports, tmp_path):
    page = tmp_path / "report.html"
    assert run(*exports["default"], *AS_OF, "--html", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert "Your reserve exposure" in text
    assert not re.search(r"<script|<link|\ssrc=|@import|url\(", text)
    assert {*re.findall(r"https?://[^\s\"<]+", text)} <= {"http://www.w3.org/2000/svg"}
    charts = re.findall(r'<svg class="chart .*?</svg>', text, re.DOTALL)
    assert len(charts) == 5
    assert all(ElementTree.fromstring(chart).get("role") == "img" for chart in charts)


def test_an_old_file_is_read_as_of_the_end_of_its_last_day_and_says_so(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(PLAIN + "charge,py_1,2024-03-05T10:00:00Z,succeeded,4000,usd\n")
    said = json.loads(run(str(path), "--json").stdout)
    assert said["surface"]["as_of"] == "2024-03-06T00:00:00Z"
    assert "the end of the last event's day" in said["as_of_basis"]


def test_a_day_to_read_as_of_means_its_end(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text(PLAIN + "charge,py_1,2024-03-05T10:00:00Z,succeeded,4000,usd\n")
    assert (
        json.loads(run(str(path), "--as-of", "2024-03-31", "--json").stdout)["surface"]["as_of"]
        == "2024-04-01T00:00:00Z"
    )


def test_refused_rows_are_shown_with_their_place_and_fail_a_strict_run_only(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(PLAIN + "charge,py_1,2024-03-05T10:00:00Z,succeeded,4000,usd\ncharge,py_2,soon,succeeded,1,usd\n")
    easy, strict = run(str(path)), run(str(path), "--strict")
    assert (easy.exit_code, strict.exit_code) == (0, 2)
    assert "line 3: occurred_at 'soon' is not a time" in re.sub(r"\s+", " ", easy.stdout)
    assert "1 refused" in re.sub(r"\s+", " ", easy.stdout)


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        ("a,b\n1,2\n", [], "none of the known headers"),
        (PLAIN, [], "no usable payment event"),
        (PLAIN, ["--what-if", "magic"], "'magic' is not a change; there are refund-warnings, rdr"),
        (PLAIN, ["--what-if", "growth=lots"], "'growth=lots' is not a share; write it as in growth=10%."),
        (PLAIN + "charge,py_1,soon,succeeded,1,usd\n", [], "line 2: occurred_at 'soon'"),
        (PLAIN + "charge,py_1,2024-03-05,succeeded,1,usd\n", ["--as-of", "lately"], "'lately' is not a day"),
        (PLAIN + "charge,py_1,2024-03-05,succeeded,1,usd\n", ["--html", "/nowhere/report.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_clear_sentence_and_exit_code_1(tmp_path, content, arguments, words):
    path = tmp_path / "payments.csv"
    path.write_text(content)
    result = run(str(path), *arguments, columns=300)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
