"""The reference: every example on it runs as it is written, and the page holds in a browser of any size."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from payflux.api.routes import description
from payflux.client import ApiError
from payflux.kit.limits import RateLimit
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.processors.generic.connecting import connect_source
from payflux.settings import Settings
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.conftest import key_for, owner_of, raise_alerts
from tests.integration.api.serving import served
from tests.integration.api.tokens import access_token
from tests.integration.watching.conftest import Shop

EXAMPLE = re.compile(r'<code data-operation="(\w+)" data-language="(\w+)">(.*?)</code>', re.DOTALL)
LAST = ("events_post_events",)
"""Examples that need the workspace to be connected to a processor that posts, so that nothing else is there to read."""
MADE_LATER = ("evidence_proof", "exports_download")
"""Examples of what a worker makes, which is not there yet."""
RULE = {"name": "disputes", "metric": "dispute_activity", "comparison": "above", "threshold": 0.01}
_USE_SOURCE = text(
    "UPDATE workspaces SET connection_id = (SELECT id FROM processor_connections WHERE method = 'webhook')"
)


@dataclass(frozen=True)
class Example:
    operation: str
    language: str
    written: str

    def run(self, environment: dict[str, str], folder: Path) -> int:
        """The status that it was answered with."""
        return self._in_shell(environment, folder) if self.language == "sh" else self._in_python(environment)

    def _in_shell(self, environment: dict[str, str], folder: Path) -> int:
        # what curl is told by its own file leaves the command as it is written
        (folder / ".curlrc").write_text('silent\nshow-error\nmax-time = 20\nwrite-out = "\\n%{http_code}"\n')
        known = {"PATH": os.environ["PATH"], "CURL_HOME": str(folder), "NO_PROXY": "127.0.0.1", **environment}
        command = ["bash", "-euo", "pipefail", "-c", self.written]
        ended = subprocess.run(command, env=known, capture_output=True, text=True, check=True)
        return int(ended.stdout.rpartition("\n")[2])

    def _in_python(self, environment: dict[str, str]) -> int:
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                exec(compile(self.written, self.operation, "exec"), {})
            except ApiError as refused:
                return refused.status
        return 200


def examples_of(page: str) -> list[Example]:
    return [Example(*map(unescape, found)) for found in EXAMPLE.findall(page)]


def documented() -> dict[str, tuple[set[int], bool]]:
    """The statuses of each operation, and whether a key opens it."""
    return {
        operation["operationId"]: (
            {int(status) for status in operation["responses"]},
            any("key" in each for each in operation.get("security", [])),
        )
        for operations in description()["paths"].values()
        for operation in operations.values()
    }


@dataclass(frozen=True)
class Stage:
    """A workspace in which there is something to name in every example."""

    world: World
    shop: Shop
    settings: Settings
    key: str
    address: str

    async def known(self, alert: UUID) -> dict[str, str]:
        """What the variables of the examples stand for; a new sink, delivery and alert each time."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=f"{self.address}/api/v1", headers=headers) as program:
            sink = (await program.post("/sinks", json={"name": "desk", "url": "http://127.0.0.1:9/"})).json()["id"]
            delivery = (await program.post(f"/sinks/{sink}/test")).json()["delivery_id"]
            export = await program.post("/exports", json={})
            other = (await program.post("/sinks", json={"name": "other", "url": "http://127.0.0.1:9/"})).json()["id"]
            rule = await program.post("/alert-rules", json=RULE | {"posted_to": [other]})
            record = {"at": "2024-05-01T10:00:00Z", "kind": "reserve.letter", "body": {"alert": str(alert)}}
            brought = await program.post("/evidence/imports", json=record)
        return {
            "PAYFLUX_API_KEY": self.key,
            "PAYFLUX_API_URL": self.address,
            "CHANNEL_ID": sink,
            "DELIVERY_ID": delivery,
            "ALERT_ID": str(alert),
            "RULE_ID": rule.json()["id"],
            "IMPORT_ID": brought.json()["id"],
            "EXPORT_ID": export.json().get("id", str(UUID(int=0))),
            "SEQUENCE": "1",
            **dict.fromkeys(("KEY_ID", "USER_ID", "INVITE_ID"), str(UUID(int=0))),
        }

    async def run(self, example: Example, known: dict[str, str], folder: Path) -> int:
        token = await access_token(self.world, self.shop.account_id, self.settings)
        return await asyncio.to_thread(example.run, known | {"PAYFLUX_ACCESS_TOKEN": token}, folder)


async def test_every_example_runs_as_it_is_written_and_is_answered_as_it_is_described(
    world: World, shop: Shop, settings: Settings, owner_url: str, clock: MovedClock, tmp_path: Path
) -> None:
    answers, wrong = documented(), []
    with served(settings, owner_url, clock=clock, calls=RateLimit(1e6, 10**6)) as address:
        async with httpx.AsyncClient(base_url=address) as reader:
            examples = examples_of((await reader.get("/developers")).text)
        by_language = {
            name: {each.operation for each in examples if each.language == name} for name in ("sh", "python")
        }
        assert by_language["sh"] == set(answers)
        assert by_language["python"] >= {name for name, (_, by_key) in answers.items() if by_key}
        stage = Stage(world, shop, settings, await key_for(world, shop), address)
        where = {"account_id": shop.account_id, "workspace_id": shop.workspace_id}
        async with world.database.tenant(shop.account_id) as session:
            draft = Draft(kind=Kind.PROJECTION, body={"trapped": 300_000}, model_version="7")
            await record_artifacts(world, session, **where, drafts=[draft])

        async def try_all(chosen: Callable[[Example], bool], known: dict[str, str]) -> None:
            # what removes something comes after what reads it
            ordered = sorted(filter(chosen, examples), key=lambda each: "remove" in each.operation)
            for each in ordered:
                status = await stage.run(each, known, tmp_path)
                statuses, by_key = answers[each.operation]
                done = 200 <= status < 300
                agreed = done if by_key and each.operation not in MADE_LATER else done or status in statuses
                if not agreed:
                    wrong.append(f"{each.operation} in {each.language}: {status}\n{each.written}")

        for alert, language in zip(await raise_alerts(world, shop), ("sh", "python"), strict=False):
            known = await stage.known(alert)
            clock.move(timedelta(minutes=1))  # a sink is tested as often as once a minute
            await try_all(lambda each: each.language == language and each.operation not in LAST, known)  # noqa: B023
        who = await owner_of(world, shop)
        async with world.database.tenant(shop.account_id) as session:
            await connect_source(session, world, **where, name="Adyen", actor_id=who.user_id)
            await session.execute(_USE_SOURCE)
        await try_all(lambda each: each.operation in LAST, known)
    assert not wrong, "\n\n".join(wrong)
