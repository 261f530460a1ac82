"""From connected to live where something is in the way: it is said in words, looked at again by itself, and passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from payflux.activation import service as activation
from payflux.activation.keeping import go_on, keep_activations_going
from payflux.activation.models import ActivationMail, Workspace
from payflux.activation.obstacles import Obstacle
from payflux.activation.pipeline import STEPS, record_failure
from payflux.activation.problems import ARMING_FAILED, INTERNAL, NOTIFIED
from payflux.activation.routing import Mode, mode_of
from payflux.activation.states import ActivationState, Cause
from payflux.kit.jobs import Payload, Permanent
from payflux.world.bootstrap import World
from payflux.world.stripe import ProcessorUnavailable
from tests.conftest import MovedClock
from tests.integration.test_pipeline import PIPELINE_ALONE, connected_account, reconnect, work_off, workspace_of

SUPPORT = "support@payflux.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def moved() -> MovedClock:
    return MovedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def here(live_world: World, moved: MovedClock) -> World:
    """The world with the sandbox for Stripe, a clock that is moved, and somebody to support it."""
    settings = live_world.settings.model_copy(update={"support_email": SUPPORT})
    return replace(live_world, settings=settings, clock=moved)


async def payload_of(world: World, account_id: UUID) -> Payload:
    workspace = await workspace_of(world, account_id)
    return {
        "account_id": str(account_id),
        "workspace_id": str(workspace.id),
        "pull_id": str(workspace.pull_id),
    }


async def more_payments(world: World, account_id: UUID, count: int) -> None:
    """As if so many payments had come in since."""
    async with world.database.tenant(account_id) as session:
        columns = [
            name
            for name in (
                await session.execute(
                    text("SELECT column_name FROM information_schema.columns WHERE table_name = 'payment_events'")
                )
            ).scalars()
            if name not in ("source_id", "at")
        ]
        named = ", ".join(columns)
        await session.execute(
            text(
                f"INSERT INTO payment_events ({named}, source_id, at) "
                f"SELECT {named}, 'ch_more_' || n, :now - n * 60 FROM "
                "(SELECT * FROM payment_events WHERE kind = 1 AND status = 1 ORDER BY at DESC LIMIT 1) AS one, "
                "generate_series(1, :count) AS n"
            ),
            {"now": int(world.clock.now().timestamp()), "count": count},
        )


async def mailed(world: World, account_id: UUID, mail: str) -> list[ActivationMail]:
    async with world.database.tenant(account_id) as session:
        query = select(ActivationMail).where(ActivationMail.mail == mail)
        return list((await session.execute(query)).scalars())


def problem_code(workspace: Workspace) -> str:
    return workspace.problem["code"] if workspace.problem else ""


async def test_too_few_payments_are_scored_and_said_and_the_workspace_goes_live_with_enough(
    here: World, moved: MovedClock
) -> None:
    account_id = await connected_account(here, "low_activity")
    await work_off(here)
    workspace = await workspace_of(here, account_id)
    assert (workspace.activation_state, problem_code(workspace)) == (
        ActivationState.BASELINE_READY,
        Obstacle.TOO_LITTLE,
    )
    assert workspace.first_projection_at is not None
    assert mode_of(workspace, here.clock.now()) == Mode.PARTLY_LIVE
    moved.move(2 * MINUTE)
    await keep_activations_going(here)
    assert problem_code(await workspace_of(here, account_id)) == Obstacle.TOO_LITTLE
    await more_payments(here, account_id, 25)
    moved.move(2 * MINUTE)
    await keep_activations_going(here)
    await work_off(here)
    workspace = await workspace_of(here, account_id)
    assert (workspace.activation_state, workspace.problem) == (ActivationState.LIVE_MONITORED, None)


async def test_an_account_that_is_not_ready_names_the_requirement_and_is_asked_again_by_itself(
    here: World, moved: MovedClock
) -> None:
    account_id = await connected_account(here, "not_ready")
    await work_off(here)
    workspace = await workspace_of(here, account_id)
    assert problem_code(workspace) == Obstacle.NOT_READY
    assert workspace.problem is not None
    assert "asks for" in workspace.problem["what_happened"]
    assert workspace.retry_at is not None
    moved.move(16 * MINUTE)
    await keep_activations_going(here)
    again = await workspace_of(here, account_id)
    assert problem_code(again) == Obstacle.NOT_READY
    assert again.retry_at == here.clock.now() + 15 * MINUTE


async def test_an_account_with_a_history_that_stripe_has_stopped_goes_live(here: World, moved: MovedClock) -> None:
    account_id = await connected_account(here, "not_ready")
    await work_off(here)
    await more_payments(here, account_id, 30)
    moved.move(16 * MINUTE)
    await keep_activations_going(here)
    await work_off(here)
    assert (await workspace_of(here, account_id)).activation_state == ActivationState.LIVE_MONITORED


@pytest.mark.parametrize("error", [RuntimeError("disk full"), ProcessorUnavailable("no answer")])
async def test_a_step_that_keeps_failing_is_tried_again_and_support_is_told_once(
    here: World, moved: MovedClock, error: Exception
) -> None:
    account_id = await connected_account(here, "healthy")
    payload = await payload_of(here, account_id)

    async def failing(_world: World, _payload: Payload) -> None:
        raise Permanent from error

    broken = {**PIPELINE_ALONE, "pull_processor_events": failing}
    await work_off(here, broken)
    first = await workspace_of(here, account_id)
    assert first.retry_at == here.clock.now() + MINUTE
    assert first.problem is not None
    assert "by itself" in first.problem["what_to_do"]
    for _ in range(9):
        moved.move(MINUTE)
        await keep_activations_going(here)
        await work_off(here, broken)
    told = await workspace_of(here, account_id)
    assert told.problem is not None
    assert told.problem["what_happened"] == NOTIFIED
    assert told.failures > 2
    assert [mail.outcome for mail in await mailed(here, account_id, "activation_failing")] == [
        "The mail server has taken it."
    ]
    moved.move(timedelta(hours=1))
    await keep_activations_going(here)
    await work_off(here)
    mended = await workspace_of(here, account_id)
    assert (mended.activation_state, mended.problem, mended.failures) == (ActivationState.LIVE_MONITORED, None, 0)
    assert payload["pull_id"] == str(mended.pull_id)


async def test_nobody_is_said_to_be_notified_where_there_is_nobody(here: World, moved: MovedClock) -> None:
    alone = replace(here, settings=here.settings.model_copy(update={"support_email": ""}))
    account_id = await connected_account(alone, "healthy")
    await record_failure(alone, "pull_processor_events", await payload_of(alone, account_id), RuntimeError())
    moved.move(6 * MINUTE)
    await keep_activations_going(alone)
    workspace = await workspace_of(alone, account_id)
    assert problem_code(workspace) == INTERNAL
    assert NOTIFIED not in str(workspace.problem)
    assert await mailed(alone, account_id, "activation_failing") == []


async def test_alerts_that_cannot_be_armed_leave_the_dashboard_open_and_are_armed_in_the_background(
    here: World, moved: MovedClock
) -> None:
    account_id = await connected_account(here, "healthy")

    async def failing(_world: World, _payload: Payload) -> None:
        raise Permanent

    await work_off(here, {**PIPELINE_ALONE, "arm_default_alerts": failing})
    workspace = await workspace_of(here, account_id)
    assert problem_code(workspace) == ARMING_FAILED
    assert mode_of(workspace, here.clock.now()) == Mode.PARTLY_LIVE
    moved.move(2 * MINUTE)
    await keep_activations_going(here)
    await work_off(here)
    assert (await workspace_of(here, account_id)).activation_state == ActivationState.LIVE_MONITORED


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_job_is_lost_is_begun_again(here: World, moved: MovedClock, step: str) -> None:
    account_id = await connected_account(here, "healthy")

    async def lost(_world: World, _payload: Payload) -> None:
        """As if the queue had been emptied."""

    await work_off(here, {**PIPELINE_ALONE, step: lost})
    assert (await workspace_of(here, account_id)).activation_state != ActivationState.LIVE_MONITORED
    moved.move(6 * MINUTE)
    await keep_activations_going(here)
    await work_off(here)
    assert (await workspace_of(here, account_id)).activation_state == ActivationState.LIVE_MONITORED


@pytest.mark.parametrize("step", ["pull_processor_events", "arm_default_alerts"])
async def test_a_failed_activation_can_be_canceled_and_connected_anew(here: World, step: str) -> None:
    account_id = await connected_account(here, "healthy")

    async def failing(_world: World, _payload: Payload) -> None:
        raise Permanent

    await work_off(here, {**PIPELINE_ALONE, step: failing})
    async with here.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        await activation.leave_connection(session, workspace, Cause.CANCELED, now=here.clock.now(), actor_id=None)
        assert (workspace.problem, workspace.retry_at, workspace.failures) == (None, None, 0)
    await reconnect(here, account_id, None, "healthy")
    await work_off(here)
    assert (await workspace_of(here, account_id)).activation_state == ActivationState.LIVE_MONITORED


async def test_trying_again_at_once_does_what_would_be_done_later(here: World) -> None:
    account_id = await connected_account(here, "healthy")
    await record_failure(here, "pull_processor_events", await payload_of(here, account_id), RuntimeError())
    await go_on(here, account_id)
    assert problem_code(await workspace_of(here, account_id)) == INTERNAL
    await go_on(here, account_id, at_once=True)
    await work_off(here)
    assert (await workspace_of(here, account_id)).activation_state == ActivationState.LIVE_MONITORED
