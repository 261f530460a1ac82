"""Random walks through an activation: whatever fails, is lost or comes twice, it ends live or says what to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import keeping, pipeline, service
from payflux.activation.keeping import go_on, keep_activations_going
from payflux.activation.models import ActivationMail, ActivationTransition, Workspace
from payflux.activation.obstacles import is_obstacle, too_little_problem
from payflux.activation.pipeline import STEPS, record_failure
from payflux.activation.problems import Problem
from payflux.activation.routing import ELSEWHERE, HOME, mode_of
from payflux.activation.service import begin_pipeline, get_workspace, leave_connection
from payflux.activation.states import LIVE, TRANSITIONS, ActivationState, Cause
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World
from payflux.world.stripe import KeyRefused, PermissionMissing, ProcessorUnavailable
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_owner

WALKS, LENGTH = 12, 14
ERRORS = (RuntimeError("bug"), ProcessorUnavailable("down"), PermissionMissing("rak_charge_read"), KeyRefused("rolled"))
WORDS = ("code", "title", "what_happened", "what_is_safe", "what_to_do")


class Killed(BaseException):
    """The worker died in the middle of a step."""


class Machine:
    """A queue in memory with jobs that may be lost or come twice, a processor with moods, and a worker that may die."""

    def __init__(self, world: World, clock: MovedClock) -> None:
        self.world, self.clock = world, clock
        self.queue: list[tuple[str, Payload]] = []
        self.failing: Exception | None = None
        self.dying = False
        self.obstacle: Problem | None = None
        self.pulls = 0

    def be(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the queue and of what the steps do with a processor's data."""

        async def enqueue(_session: AsyncSession, name: str, payload: Payload, **_: object) -> None:
            if (name, payload) not in self.queue:
                self.queue.append((name, payload))

        async def work(*_: Any, **__: Any) -> None:
            if self.dying:
                raise Killed
            if self.failing is not None:
                raise self.failing

        async def obstacle(*_: object) -> Problem | None:
            return self.obstacle

        patch.setattr(service, "enqueue", enqueue)

        async def surface(*_: object, **__: object) -> object:
            return object()

        for name in ("run_pull", "start_backfill", "score_workspace", "project_workspace", "arm_default_rules"):
            patch.setattr(pipeline, name, work)
        for name in ("record_baseline", "record_first_projection"):
            patch.setattr(pipeline, name, work)
        patch.setattr(pipeline, "surface_of_pull", surface)
        for module in (pipeline, keeping):
            patch.setattr(module, "obstacle_here", obstacle)

    async def run_one(self, *, again: bool = False) -> None:
        if not self.queue:
            return
        name, payload = self.queue[0] if again else self.queue.pop(0)
        try:
            await STEPS[name](self.world, payload)
        except Killed:
            self.queue.append((name, payload))  # another worker picks it up
        except Exception as error:  # noqa: BLE001 -- as the queue does
            await record_failure(self.world, name, payload, error)

    async def settle(self) -> None:
        for _ in range(30):
            if not self.queue:
                return
            await self.run_one()

    async def begin(self, account_id: UUID) -> None:
        async with self.world.database.tenant(account_id) as session:
            workspace = await get_workspace(session, account_id=account_id, lock=True)
            if workspace.activation_state != ActivationState.PAID_UNCONNECTED:
                return
            connection = (await session.execute(select(Connection))).scalars().first()
            if connection is None:
                connection = self._connection(workspace)
                session.add(connection)
                await session.flush()
            await begin_pipeline(session, workspace, connection, now=self.clock.now(), actor_id=None)
            self.pulls += 1

    async def leave(self, account_id: UUID) -> None:
        async with self.world.database.tenant(account_id) as session:
            workspace = await get_workspace(session, account_id=account_id, lock=True)
            if workspace.connection_id is not None:
                live = workspace.activation_state in LIVE
                cause = Cause.DISCONNECTED if live else Cause.CANCELED
                await leave_connection(session, workspace, cause, now=self.clock.now(), actor_id=None)

    def _connection(self, workspace: Workspace) -> Connection:
        return Connection(
            account_id=workspace.account_id,
            id=new_id(),
            workspace_id=workspace.id,
            method="restricted_key",
            external_account_id="acct_walk",
            livemode=False,
            status="active",
            name="Shop",
            capabilities={},
            snapshot={},
            connected_at=self.clock.now(),
        )


@pytest.mark.parametrize("seed", range(WALKS))
async def test_every_walk_ends_live_or_at_a_page_that_says_what_to_do(
    world: World, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    machine = Machine(world, clock)
    machine.be(monkeypatch)
    alice = await add_owner(world, "Alice")

    async def time_passes() -> None:
        clock.move(timedelta(minutes=chance.choice([1, 4, 20, 90])))
        await keep_activations_going(world)

    moods: list[Callable[[], None]] = [
        lambda: setattr(machine, "failing", chance.choice(ERRORS)),
        lambda: setattr(machine, "failing", None),
        lambda: setattr(machine, "dying", not machine.dying),
        lambda: setattr(machine, "obstacle", too_little_problem(chance.randrange(25))),
        lambda: setattr(machine, "obstacle", None),
        machine.queue.clear,
    ]
    await machine.begin(alice.account_id)
    for _ in range(LENGTH):
        match chance.randrange(8):
            case 0 | 1:
                chance.choice(moods)()
            case 2:
                await time_passes()
            case 3:
                await machine.run_one(again=True)
            case 4:
                await chance.choice([machine.begin, machine.leave])(alice.account_id)
            case 5:
                await go_on(world, alice.account_id, at_once=True)
            case _:
                await machine.run_one()
        await says_where_it_is(world, clock, alice)

    machine.failing, machine.dying, machine.obstacle = None, False, None
    for _ in range(4):
        await machine.settle()
        clock.move(timedelta(hours=2))
        await keep_activations_going(world)
    await machine.settle()
    workspace = await says_where_it_is(world, clock, alice)
    if workspace.activation_state not in LIVE and workspace.connection_id is not None:
        assert workspace.problem is not None
        assert workspace.problem["code"] == KeyRefused.__name__
        await go_on(world, alice.account_id, at_once=True)
        await machine.settle()
        assert (await says_where_it_is(world, clock, alice)).activation_state in LIVE


async def says_where_it_is(world: World, clock: MovedClock, alice: SignedIn) -> Workspace:
    """What holds at every moment: a page that stays, words for what is in the way, a way on by itself or by a person,
    a history that the table allows, and at most one mail for each time that it went live."""
    async with world.database.tenant(alice.account_id) as session:
        workspace = await get_workspace(session, account_id=alice.account_id)
        in_order = select(ActivationTransition).order_by(ActivationTransition.at, ActivationTransition.id)
        history = (await session.execute(in_order)).scalars().all()
        mails = (await session.execute(select(func.count()).where(ActivationMail.mail == "activated"))).scalar_one()
    mode = mode_of(workspace, clock.now())
    assert HOME[mode] not in ELSEWHERE[mode]
    if workspace.problem is not None:
        assert all(workspace.problem[word] for word in WORDS)
        by_itself = workspace.retry_at is not None
        assert by_itself or "again" in workspace.problem["what_to_do"] or "new" in workspace.problem["what_to_do"]
        assert not is_obstacle(workspace.problem) or by_itself
    state = None
    for row in history:
        assert row.from_state == state
        state = TRANSITIONS[ActivationState(state) if state else None, Cause(row.cause)]
        assert row.to_state == state
    assert workspace.activation_state == state
    assert mails == sum(row.cause == Cause.ARMED for row in history)
    return workspace
