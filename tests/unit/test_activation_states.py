"""The activation state machine, walked whole."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace

import pytest

from payflux.activation.problems import problem_of, retry_helps
from payflux.activation.states import TRANSITIONS, ActivationState, Cause, missing_conditions
from payflux.kit.errors import Conflict
from payflux.world.stripe import Disconnected, KeyRefused, PermissionMissing, ProcessorUnavailable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_way_from_entitled_to_live() -> None:
    state = None
    for cause in (Cause.ENTITLED, Cause.CONNECTED, Cause.BASELINE, Cause.ARMED):
        state = TRANSITIONS[state, cause]
    assert state == ActivationState.LIVE_MONITORED


def test_every_state_has_a_way_on() -> None:
    for state in ActivationState:
        assert any(origin == state for origin, _ in TRANSITIONS)


def test_live_can_be_reached_from_every_state() -> None:
    for state in ActivationState:
        reached, fringe = {state}, [state]
        while fringe:
            current = fringe.pop()
            for (origin, _), target in TRANSITIONS.items():
                if origin == current and target not in reached:
                    reached.add(target)
                    fringe.append(target)
        assert ActivationState.LIVE_MONITORED in reached


def test_a_workspace_is_entitled_once() -> None:
    assert [origin for origin, cause in TRANSITIONS if cause is Cause.ENTITLED] == [None]


@pytest.mark.parametrize("met", list(product([True, False], repeat=5)))
def test_a_workspace_is_live_only_when_all_five_conditions_hold(met: tuple[bool, ...]) -> None:
    entitled, *rest = met
    names = ("connection_id", "baseline_generated_at", "first_projection_at", "alert_policy_armed_at")
    workspace = SimpleNamespace(**{name: NOW if holds else None for name, holds in zip(names, rest, strict=True)})
    missing = missing_conditions(workspace, entitled=entitled)
    assert len(missing) == met.count(False)
    assert (missing == []) == all(met)


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (ProcessorUnavailable("x"), True),
        (RuntimeError("x"), True),
        (Disconnected("x"), False),
        (KeyRefused("x"), False),
        (PermissionMissing("rak_charge_read"), False),
        (Conflict("x"), False),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(error: Exception, retried: bool) -> None:
    assert retry_helps(error) is retried


def test_a_problem_says_what_happened_what_is_safe_and_what_to_do() -> None:
    for error in (
        PermissionMissing("rak_charge_read"),
        RuntimeError("secret detail"),
        Conflict("Busy.", way_out="Wait."),
    ):
        problem = problem_of(error)
        assert all(problem[key] for key in ("title", "what_happened", "what_is_safe", "what_to_do"))
        assert "secret detail" not in str(problem)
    assert "rak_charge_read" in problem_of(PermissionMissing("rak_charge_read"))["what_happened"]
