"""The staff see where every activation stands and why, and help it on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import select

from payflux.activation import service
from payflux.activation.models import Workspace
from payflux.activation.obstacles import too_little_problem
from payflux.activation.problems import problem_of
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE
from tests.integration.staff.conftest import Desk, staff_entries


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were enqueued, in order."""
    steps: list[str] = []

    async def enqueue(_session: object, name: str, _payload: Payload, **_: object) -> None:
        steps.append(name)

    monkeypatch.setattr(service, "enqueue", enqueue)
    return steps


async def held_up(world: World, account_id: UUID, problem: Mapping[str, str], *, projected: bool) -> None:
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        workspace = (await session.execute(select(Workspace))).scalar_one()
        workspace.activation_state = "baseline_ready" if projected else "connected_generating"
        workspace.connection_id = workspace.pull_id = workspace.id
        workspace.connected_at = now
        if projected:
            workspace.pulled_at = workspace.baseline_generated_at = workspace.first_projection_at = now
        workspace.problem, workspace.retry_at = dict(problem), now


async def test_an_activation_is_shown_with_its_reason_and_run_again(
    sam: Desk, world: World, account_id: UUID, enqueued: list[str]
) -> None:
    await held_up(world, account_id, problem_of(RuntimeError()), projected=False)
    page = (await sam.browser.get("/admin/activations")).text
    assert "connected_generating" in page
    assert "<code>internal</code>" in page
    assert f"/admin/activations/{account_id}/release" not in page
    answer = await sam.browser.post(f"/admin/activations/{account_id}/again")
    assert answer.headers["Location"] == "/admin/activations?done=again"
    assert enqueued == ["pull_processor_events"]
    assert [entry.action for entry in await staff_entries(world, account_id)] == ["staff.activation_run_again"]
    refused = await sam.browser.post(
        f"/admin/activations/{account_id}/release", {"reason": "They asked for it by mail"}, **MACHINE
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_release")


async def test_a_workspace_that_waits_is_released_for_a_reason_that_is_kept(
    sam: Desk, world: World, account_id: UUID, enqueued: list[str]
) -> None:
    await held_up(world, account_id, too_little_problem(3), projected=True)
    assert re.search(r"There are 3 payments", (await sam.browser.get("/admin/activations")).text)
    short = await sam.browser.post(f"/admin/activations/{account_id}/release", {"reason": "why"}, **MACHINE)
    assert short.status_code == 422
    assert enqueued == []
    await sam.browser.post(f"/admin/activations/{account_id}/release", {"reason": "They asked for it by mail"})
    assert enqueued == ["arm_default_alerts"]
    (entry,) = await staff_entries(world, account_id)
    assert entry.action == "staff.activation_released"
    assert entry.after is not None
    assert entry.after["reason"] == "They asked for it by mail"
