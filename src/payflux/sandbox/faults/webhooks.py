"""What goes wrong with a delivery."""

from __future__ import annotations

from typing import NamedTuple

from payflux.sandbox.faults.register import faults, keep
from payflux.sandbox.state import SandboxState


class Course(NamedTuple):
    """The course that a delivery takes; by default nothing goes wrong."""

    lost: bool = False
    copies: int = 1
    delay: float = 0  # seconds
    window: int = 0  # deliveries that leave shuffled together; 0: it waits for none
    rank: float = 0  # its place among them


def course_of(state: SandboxState, event_type: str, account_id: str, endpoint_id: str) -> Course:
    course = Course()
    for fault in faults(state):
        if not fault.meets_delivery(event_type, account_id, endpoint_id):
            continue
        chance = fault.draw()
        keep(state, fault)
        if chance is None:
            continue
        if fault.kind == "webhook_loss":
            course = course._replace(lost=True)
        elif fault.kind == "webhook_duplicate":
            course = course._replace(copies=course.copies + 1)
        elif fault.kind == "webhook_delay":
            course = course._replace(delay=course.delay + fault.delay)
        else:
            course = course._replace(window=fault.window, rank=chance.random())
    return course
