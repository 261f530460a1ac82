"""The wizard as a state machine: any sequence of answers, also of somebody who goes back or types addresses."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from payflux.frontdoor.onboarding.rules import (
    ANSWERED,
    STEPS,
    Answer,
    Progress,
    after,
    current_step,
    is_done,
    is_open,
)


class AnyAnswers(RuleBasedStateMachine):
    """Answers steps in any order, and keeps beside the progress what has been answered, which it has to equal."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress()
        self.answered: set[int] = set()
        self.rest_skipped = False

    @rule(step=st.integers(-1, STEPS + 2), answer=st.sampled_from(Answer))
    def answer(self, step: int, answer: Answer) -> None:
        reachable = 1 <= step <= len(self.answered) + 1 and not self.rest_skipped and len(self.answered) < STEPS
        assert is_open(self.progress, step) == reachable
        if not reachable:
            with pytest.raises(KeyError):
                after(self.progress, step, answer)
            return
        self.progress = after(self.progress, step, answer)
        if answer is Answer.SKIP_REST:
            self.rest_skipped = True
        else:
            self.answered.add(step)

    @invariant()
    def is_as_far_as_what_was_answered(self) -> None:
        assert (self.progress.completed or 0) == len(self.answered)
        assert self.answered == set(range(1, len(self.answered) + 1))
        assert is_done(self.progress) == (self.rest_skipped or len(self.answered) == STEPS)

    @invariant()
    def resumes_at_the_lowest_step_that_is_not_answered(self) -> None:
        current = current_step(self.progress)
        assert (current is None) == is_done(self.progress)
        if current is not None:
            assert is_open(self.progress, current)
            assert current == min(set(range(1, STEPS + 1)) - self.answered)


TestAnyAnswers = AnyAnswers.TestCase


def test_every_step_but_the_last_can_be_gone_back_to_and_no_answer_lowers_the_progress() -> None:
    assert all(reached >= completed for (completed, _), reached in ANSWERED.items())
    for completed in range(1, STEPS):
        for step in range(1, completed + 2):
            assert is_open(Progress(completed), step)
    assert not any(is_open(Progress(STEPS), step) for step in range(1, STEPS + 1))


def test_skipping_the_rest_keeps_the_step_before() -> None:
    assert after(Progress(1), 2, Answer.SKIP_REST) == Progress(1, dismissed=True)
    assert after(Progress(), 1, Answer.SKIP_REST) == Progress(None, dismissed=True)
