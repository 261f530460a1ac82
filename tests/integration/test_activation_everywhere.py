"""Each step of an activation × what goes wrong there × each way on: it says what to do, and ends live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product

import pytest

from payflux.activation.keeping import go_on, keep_activations_going
from payflux.activation.obstacles import is_obstacle, too_little_problem
from payflux.activation.pipeline import STEPS
from payflux.activation.routing import HOME, Page, mode_of
from payflux.activation.states import LIVE, ActivationState
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_owner
from tests.integration.test_activation_model import ERRORS, Machine, says_where_it_is

FAILURES = (*ERRORS, "killed", "lost", "twice", "too little", "left")
WAYS_ON = ("by itself", "retried", "reconnected")
LONGEST_PAUSE = timedelta(hours=2)
"""In which everything that is tried or looked at again by itself is."""


class Walk:
    """One case, from connecting to live."""

    def __init__(self, world: World, clock: MovedClock, machine: Machine, alice: SignedIn) -> None:
        self.world, self.clock, self.machine, self.alice = world, clock, machine, alice
        self.ways: dict[str, Callable[[], Awaitable[None]]] = {
            "by itself": self.wait,
            "retried": self.retry,
            "reconnected": self.reconnect,
        }

    async def wait(self) -> None:
        for _ in range(3):
            self.clock.move(LONGEST_PAUSE)
            await keep_activations_going(self.world)
            await self.machine.settle()

    async def retry(self) -> None:
        """A member or support presses the button."""
        await go_on(self.world, self.alice.account_id, at_once=True)
        await self.machine.settle()

    async def reconnect(self) -> None:
        await self.machine.leave(self.alice.account_id)
        await self.machine.begin(self.alice.account_id)
        await self.machine.settle()

    async def go_wrong(self, failure: Exception | str) -> None:
        machine = self.machine
        match failure:
            case "killed":
                machine.dying = True
                await machine.run_one()
                machine.dying = False
            case "lost":
                machine.queue.clear()
            case "twice":
                await machine.run_one(again=True)
            case "too little":
                machine.obstacle = too_little_problem(3)
                await machine.settle()
            case "left":
                await machine.leave(self.alice.account_id)
            case Exception():
                machine.failing = failure
                await machine.run_one()


@pytest.mark.parametrize("step", range(len(STEPS)))
async def test_whatever_goes_wrong_at_a_step_it_says_so_and_there_is_a_way_on_to_live(
    world: World, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    machine = Machine(world, clock)
    machine.be(monkeypatch)
    alice = await add_owner(world, "Alice")
    walk = Walk(world, clock, machine, alice)
    for failure, way in product(FAILURES, WAYS_ON):
        case = f"{list(STEPS)[step]}, {failure!r}, {way}"
        await machine.leave(alice.account_id)
        machine.queue.clear()
        await machine.begin(alice.account_id)
        for _ in range(step):
            await machine.run_one()
        await walk.go_wrong(failure)
        there = await says_where_it_is(world, clock, alice)
        if isinstance(failure, Exception):
            assert there.problem is not None, case
            assert HOME[mode_of(there, clock.now())] in (Page.ARMING, Page.DASHBOARD), case
        if failure == "too little" and step < 3:
            assert is_obstacle(there.problem), case
        if failure == "left":
            assert there.activation_state == ActivationState.PAID_UNCONNECTED, case
            await machine.begin(alice.account_id)
        clock.move(timedelta(minutes=6))
        await keep_activations_going(world)
        await says_where_it_is(world, clock, alice)

        machine.failing = machine.obstacle = None
        await walk.ways[way]()
        there = await says_where_it_is(world, clock, alice)
        if there.activation_state not in LIVE:  # only a person can put it right, or a lost job is waited for
            by_a_person = there.retry_at is None
            assert there.problem is not None or failure in ("lost", "twice"), case
            await (walk.retry() if by_a_person else walk.wait())
            there = await says_where_it_is(world, clock, alice)
        assert there.activation_state in LIVE, case
