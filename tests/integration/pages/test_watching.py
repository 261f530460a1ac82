"""Watching the activation as it happens."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from payflux.activation.models import Workspace
from payflux.activation.states import Cause
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser, listening
from tests.integration.pages.conftest import ALICE, account_of, connected, move_on


async def test_the_event_stream_tells_each_change_and_ends_when_the_workspace_is_live(
    alice: Browser, world: World
) -> None:
    await connected(world, ALICE, "Alices_shop")
    heard = []
    async with listening(alice, "/activate/arming/events") as pieces:
        async for piece in pieces:
            assert piece.startswith(b"event: progress")
            heard.append(json.loads(piece.split(b"data: ", 1)[1])["state"])
            if len(heard) < 3:
                await move_on(world, ALICE, (Cause.BASELINE, Cause.ARMED)[len(heard) - 1])
    assert heard == ["connected_generating", "baseline_ready", "live_monitored"]


@pytest.mark.parametrize("ending", ["canceled", "problem"])
async def test_the_event_stream_ends_when_a_person_is_needed(alice: Browser, world: World, ending: str) -> None:
    await connected(world, ALICE, "Alices_shop")
    problem = dict.fromkeys(("code", "title", "what_happened", "what_is_safe", "what_to_do"), "x")
    heard = []
    async with listening(alice, "/activate/arming/events") as pieces:
        async for piece in pieces:
            heard.append(piece)
            if len(heard) == 1 and ending == "problem":
                async with world.database.tenant(await account_of(world, ALICE)) as session:
                    await session.execute(update(Workspace).values(problem=problem))
            elif len(heard) == 1:
                assert (await alice.post("/activate/cancel")).headers["Location"] == "/activate"
    assert (b"paid_unconnected" if ending == "canceled" else b'"code"') in heard[-1]
