"""The welcome wizard as data: which of its three steps is open, and where an answer leads. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

STEPS = 3


class Answer(StrEnum):
    """What somebody does with a step: fill it in, pass it by, or pass by all that are left."""

    CONTINUE = "continue"
    SKIP = "skip"
    SKIP_REST = "skip_rest"


@dataclass(frozen=True)
class Progress:
    """How far a user is: `completed` is the highest step they have filled in or skipped, None before the first;
    `dismissed` that they skipped the rest."""

    completed: int | None = None
    dismissed: bool = False


ANSWERED: dict[tuple[int, int], int] = {
    (0, 1): 1,
    (1, 1): 1,
    (1, 2): 2,
    (2, 1): 2,
    (2, 2): 2,
    (2, 3): 3,
}
"""(highest completed step, answered step) → highest completed step. What is not here is not open: nobody runs ahead,
whoever goes back loses nothing, and after the third there is no more to answer."""


def is_done(progress: Progress) -> bool:
    """Whether the wizard is behind the user."""
    return progress.dismissed or (progress.completed or 0) >= STEPS


def current_step(progress: Progress) -> int | None:
    """The lowest step that is neither completed nor skipped; None where the wizard is done."""
    return None if is_done(progress) else (progress.completed or 0) + 1


def is_open(progress: Progress, step: int) -> bool:
    """Whether `step` can be looked at and answered."""
    return not progress.dismissed and (progress.completed or 0, step) in ANSWERED


def after(progress: Progress, step: int, answer: Answer) -> Progress:
    """Where `answer` to `step` leads. Raises KeyError for a step that is not open."""
    if not is_open(progress, step):
        raise KeyError(step)
    if answer is Answer.SKIP_REST:
        return replace(progress, dismissed=True)
    return replace(progress, completed=ANSWERED[progress.completed or 0, step])
