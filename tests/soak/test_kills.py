"""A short form of what `make soak` does at length."""

from __future__ import annotations

from dataclasses import replace

from payflux.kit.clock import SystemClock
from payflux.world.bootstrap import World
from tests.conftest import SECRET
from tests.sandbox_server import running_sandbox
from tests.soak.activations import activations_under_fire, mail_server, sandboxed
from tests.soak.kills import pull_under_fire


async def test_a_pull_whose_workers_are_killed_loses_nothing_and_stores_nothing_twice(
    world: World, owner_url: str
) -> None:
    outcome = await pull_under_fire(world, owner_url, SECRET, charges=5_000, kills=3, seed=7)
    assert outcome.killed == outcome.peaceful
    assert (outcome.killed["charges"], outcome.killed["projections"]) == (5_000, 1)
    assert outcome.deaths[0] < int(str(outcome.killed["read"]))


async def test_an_activation_whose_worker_is_killed_has_one_of_everything_and_mails_once(
    world: World, owner_url: str
) -> None:
    with running_sandbox() as base, mail_server() as mailbox:
        settings = world.settings.model_copy(update=sandboxed(base) | mailbox.settings)
        here = replace(world, settings=settings, clock=SystemClock())
        assert await activations_under_fire(here, owner_url, SECRET, mailbox, activations=2, seed=3) == []
