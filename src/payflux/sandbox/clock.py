"""The sandbox's clock at work: what is due runs in its order and at its own moment, however far time was advanced."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work

Task = Callable[[Work, str], None]
"""Runs on the id of its subject, when the clock has reached it; `work.now` is when it was due."""

Tasks = Mapping[str, Task]


def run_due(state: SandboxState, tasks: Tasks) -> int:
    """Run every task that is due by now, the earliest first, each in a transaction of its own; how many ran.

    A task may make others due, also in the past of now: they run in this same pass.
    """
    until, ran = int(state.now().timestamp()), 0
    while (due := state.store.next_due(until)) is not None:
        work = Work(state, due.account, due.at)
        with state.store.transaction():
            state.store.unschedule(due.account, due.task, due.subject)
            tasks[due.task](work, due.subject)
            state.announce(work)
        ran += 1
    return ran
