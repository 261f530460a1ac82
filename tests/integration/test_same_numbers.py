"""A merchant's files and the server's pull of the same merchant say the same, to the cent."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from payflux.monitor.processors.connecting.keys import authorize_with_key
from payflux.monitor.processors.connecting.storing import store_connection
from payflux.monitor.processors.pull import run_pull, start_pull
from payflux.monitor.processors.queries import History, history_of_pull
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules import project
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface
from payflux.world.bootstrap import World

EXPORTS = ("unified_payments.csv", "disputes.csv", "balance_change_from_activity.itemized.csv")


async def pulled(world: World, merchant: str) -> tuple[str, History]:
    """The merchant's account id at the processor, and its history as the server reads it."""
    account_id = uuid4()
    authorized = await authorize_with_key(world, key=f"rk_test_sandbox_{merchant}")
    async with world.database.tenant(account_id) as session:
        connection = await store_connection(session, world, authorized, account_id=account_id, workspace_id=uuid4())
        pull = await start_pull(session, connection, world.clock.now())
    await run_pull(world, account_id, pull.id)
    async with world.database.tenant(account_id) as session:
        return connection.external_account_id, await history_of_pull(session, account_id=account_id, pull_id=pull.id)


def readout(known: History) -> tuple[RiskSurface, ReserveProjection]:
    history = prepare(known.events, as_of=known.as_of, account=known.account, balance=known.balance)
    surface = score(history)
    return surface, project(history, surface)


async def analyzed(*arguments: str) -> dict[str, dict[str, object]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "payflux", "analyze", *arguments, "--json", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


@pytest.mark.parametrize("merchant", ["default", "dispute_spike", "reserve_in_force"])
async def test_stripes_exports_and_the_servers_pull_give_the_same_trapped_capital_to_the_cent(
    live_world: World, tmp_path: Path, merchant: str
) -> None:
    external_id, history = await pulled(live_world, merchant)
    surface, projection = readout(history)
    async with httpx.AsyncClient() as client:
        # what the pull has read, so that the forecast sees the same past sales
        days = {"from": str(history.as_of.date() - timedelta(days=90)), "to": str(history.as_of.date())}
        for name in EXPORTS:
            answer = await client.get(
                f"{live_world.settings.stripe_api_base}/exports/{external_id}/{name}", params=days, timeout=60
            )
            (tmp_path / name).write_bytes(answer.raise_for_status().content)
    files = [str(tmp_path / name) for name in EXPORTS]
    said = await analyzed(*files, "--as-of", history.as_of.isoformat())
    assert said["surface"]["risk_tier"] == surface.risk_tier
    assert said["projection"]["currently_held"] == projection.currently_held
    of_the_pull = [(window.trapped, window.low, window.high) for window in projection.windows]
    windows = said["projection"]["windows"]
    assert isinstance(windows, list)
    assert [(window["trapped"], window["low"], window["high"]) for window in windows] == of_the_pull
    assert said["projection"]["daily"] == [list(day) for day in projection.daily]
