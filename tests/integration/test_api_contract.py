"""The API keeps its own description, in whatever way it is asked: no check of Schemathesis finds anything."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import httpx
import pytest

from payflux.frontdoor.catalogue.versions import bump_account
from payflux.kit.limits import RateLimit
from payflux.settings import Settings
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.conftest import key_for, raise_alerts, shop
from tests.integration.api.serving import served
from tests.integration.api.tokens import access_token
from tests.integration.watching.conftest import START, Shop

__all__ = ["shop"]

ENDS_WHAT_IT_IS_ASKED_BY = (
    ("POST", "/auth/logout"),
    ("POST", "/auth/password/change"),
    ("POST", "/accounts/me/leave"),
    ("DELETE", "/accounts/me"),
)
"""Operations after which the session or the account is gone: asked last, and one by one."""

SAME_TYPES = (
    "GET /alerts",
    "GET /events.ndjson",
    "GET /evidence",
    "GET /evidence/imports",
    "GET /evidence/imports/{import_id}/records",
    "GET /exports",
    "GET /projections/{merchant_id}/history",
    "PATCH /alert-rules/{rule_id}",
)
HOOKS = """
import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
"""
CONFIGURATION = """
hooks = "hooks.py"

[warnings]
enabled = false

[phases.coverage]
unexpected-methods = ["PUT"]

[[operations]]
# a third of all cases, field by field and as one or many: posted events have a property test of their own
include-name = "POST /events"
phases.coverage.enabled = false

[[operations]]
# parameters and fields of the very types that GET /events and POST /alert-rules are asked wrongly with
include-name = {same_types}
phases.coverage.generation.mode = "positive"

[parameters]
"path.channel_id" = "{sink}"
"path.alert_id" = "{alert}"

[checks.positive_data_acceptance]
# what is well formed may still be refused for what it means: a cursor that no page gave out, a payment in the future,
# a tag of nothing
expected-statuses = ["2xx", "3xx", 401, 402, 403, 404, 409, 412, 422, 429, 503]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 402, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, "5xx"]
"""


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


def schemathesis(address: str, token: str, paths: str, folder: Path, *options: str) -> str:
    """What every check finds in the operations at `paths`, asked with `token`; empty for nothing."""
    command = [str(Path(sysconfig.get_path("scripts")) / "schemathesis"), "--config-file", "schemathesis.toml", "run"]
    command += [f"{address}/api/v1/openapi.json", "--url", f"{address}/api/v1", "-H", f"Authorization: Bearer {token}"]
    command += ["--checks", "all", "--seed", "1", "--generation-database", "none", "--suppress-health-check", "all"]
    command += ["--include-path-regex", paths, "--no-color", *options]
    found = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=120)
    return "" if found.returncode == 0 else found.stdout + found.stderr


def by_key(description: dict[str, Any]) -> str:
    """The paths of the operations that a key opens, as a pattern."""
    opened = {
        path
        for path, operations in description["paths"].items()
        for operation in operations.values()
        if any("key" in each for each in operation.get("security", []))
    }
    return f"^({'|'.join(re.escape(path) for path in sorted(opened))})$"


async def test_no_check_finds_anything_in_what_a_key_opens_or_in_what_a_session_opens(
    world: World, shop: Shop, settings: Settings, owner_url: str, clock: MovedClock, tmp_path: Path
) -> None:
    key, token = await key_for(world, shop), await access_token(world, shop.account_id, settings)
    alerts = await raise_alerts(world, shop)
    async with world.database.tenant(shop.account_id) as session:
        await bump_account(session, shop.account_id)
    with served(settings, owner_url, clock=clock, calls=RateLimit(1e6, 10**6)) as address:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers) as program:
            description = (await program.get("/openapi.json")).raise_for_status().json()
            sink = {"name": "risk desk", "url": "http://127.0.0.1:9/hook"}
            sink_id = (await program.post("/sinks", json=sink)).raise_for_status().json()["id"]
        (tmp_path / "hooks.py").write_text(HOOKS)
        (tmp_path / "schemathesis.toml").write_text(
            CONFIGURATION.format(sink=sink_id, alert=alerts[0], same_types=list(SAME_TYPES))
        )
        paths = by_key(description)
        found = await asyncio.to_thread(schemathesis, address, key, paths, tmp_path, "--max-examples", "4")
        assert not found, found
        once = [option for _, path in ENDS_WHAT_IT_IS_ASKED_BY for option in ("--exclude-path", path)]
        options = ("--exclude-path-regex", paths, *once, "--max-examples", "2", "--phases", "fuzzing")
        found = await asyncio.to_thread(schemathesis, address, token, "^/", tmp_path, *options)
        assert not found, found
