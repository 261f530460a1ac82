"""The client, and the gate that stands on it, over HTTP against a live workspace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from payflux.cli.commands import app
from payflux.client import ApiError, Client
from payflux.settings import Settings
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.conftest import key_for
from tests.integration.api.serving import served
from tests.integration.watching.conftest import Shop


def gate(*arguments: str, **environment: str | None) -> tuple[int, str]:
    outcome = CliRunner().invoke(app, ["gate", *arguments], env=environment)
    return outcome.exit_code, outcome.stdout


def from_outside(key: str, address: str, narrow: str, folder: Path) -> None:
    with Client(key, address) as payflux:
        risk = payflux.risk()
        assert risk.surface.reasons
        assert risk.merchant_id == "acct_alice"
        assert payflux.workspace().is_live_monitored
        windows = payflux.projection().projection.windows
        assert [each.horizon_days for each in windows] == [30, 60, 90]
        assert [each.windows for each in payflux.projection_history()] == [windows]
        assert payflux.projection_scores().next
        events = list(payflux.events())
        assert len({each.id for each in events}) == len(events) == 360
        assert {each.id for each in payflux.stream_events()} == {each.id for each in events}
        assert list(payflux.alerts()) == []
        added = payflux.add_sink("risk desk", "http://127.0.0.1:9/hook")
        assert added.secret
        assert [each.id for each in payflux.sinks()] == [added.id]
        delivery = payflux.test_sink(added.id)
        assert [each.id for each in payflux.deliveries(added.id)] == [delivery]
        payflux.replay(added.id, delivery)
        payflux.remove_sink(added.id)
        assert payflux.what_if(growth=0.2)["answer"]["measures"]
        assert {each.key for each in payflux.usage()} > {"seats", "api_calls_per_day"}
        with pytest.raises(ApiError) as wrong:
            payflux.post_events([{}])
        assert wrong.value.code == "events_refused"
        with pytest.raises(ApiError) as unknown:
            payflux.alert("../usage")
        assert unknown.value.status in (404, 422)

    known = {"PAYFLUX_API_KEY": key, "PAYFLUX_API_URL": address}
    assert gate("--max-band", "critical", **known)[0] == 0
    score = risk.stability_score
    code, said = gate("--max-band", "critical", "--min-score", str(score + 1), **known)
    assert (code, f"FAIL The stability score is {score}" in said) == (1, True)
    report = folder / "gate.xml"
    assert gate("--max-band", "critical", "--format", "junit", "--output", str(report), **known)[0] == 0
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")
    report = folder / "gate.json"
    refused = gate("--format", "json", "--output", str(report), PAYFLUX_API_KEY=narrow, PAYFLUX_API_URL=address)
    said = json.loads(report.read_text())
    assert (refused[0], said["passed"], "risk:read" in said["problem"]) == (2, None, True)
    assert gate(PAYFLUX_API_KEY=None)[0] == 2
    assert gate(PAYFLUX_API_KEY=key, PAYFLUX_API_URL="http://payflux:port")[0] == 2


async def test_a_program_reads_and_changes_what_its_key_allows_and_a_pipeline_stands_on_it(
    world: World, shop: Shop, settings: Settings, owner_url: str, clock: MovedClock, tmp_path: Path
) -> None:
    key, narrow = await key_for(world, shop), await key_for(world, shop, "usage:read")
    with served(settings, owner_url, clock=clock) as address:
        await asyncio.to_thread(from_outside, key, address, narrow, tmp_path)


@pytest.fixture
def analysed(tmp_path: Path) -> Callable[[int, int], Path]:
    def write(tier: int, score: int) -> Path:
        path = tmp_path / f"tier-{tier}.json"
        surface = {"risk_tier": tier, "stability_score": score, "as_of": "2026-11-20T00:00:00Z"}
        path.write_text(json.dumps({"surface": surface | {"reasons": [{"sentence": "Refunds rise."}]}}))
        return path

    return write


def test_a_file_is_judged_without_a_server_and_without_a_key(
    analysed: Callable[[int, int], Path], tmp_path: Path
) -> None:
    agreed = ("--max-band", "elevated", "--min-score", "40")
    assert gate(*agreed, "--file", str(analysed(3, 40)))[0] == 0
    code, said = gate(*agreed, "--file", str(analysed(4, 39)))
    assert (code, said.count("FAIL"), "Refunds rise." in said) == (1, 2, True)
    code, said = gate(*agreed, "--file", str(analysed(4, 70)), "--format", "junit")
    assert (code, ElementTree.fromstring(said).get("failures")) == (1, "1")
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    for cannot in (wrong, tmp_path / "missing.json", tmp_path / "missing.csv"):
        code, said = gate("--file", str(cannot), "--format", "junit")
        assert (code, ElementTree.fromstring(said).get("errors")) == (2, "1")
    assert gate("--file", str(wrong), "--url", "shop.example.com")[0] == 2
