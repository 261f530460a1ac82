"""A short form of what `make soak` does at length."""

from __future__ import annotations

from payflux.world.bootstrap import World
from tests.conftest import SECRET
from tests.soak.kills import pull_under_fire


async def test_a_pull_whose_workers_are_killed_loses_nothing_and_stores_nothing_twice(
    world: World, owner_url: str
) -> None:
    outcome = await pull_under_fire(world, owner_url, SECRET, charges=5_000, kills=3, seed=7)
    assert outcome.killed == outcome.peaceful
    assert (outcome.killed["charges"], outcome.killed["projections"]) == (5_000, 1)
    assert outcome.deaths[0] < int(str(outcome.killed["read"]))
