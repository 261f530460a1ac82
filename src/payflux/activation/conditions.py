"""The five conditions of a live workspace, each with what to do where it is not met. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from payflux.activation.models import Workspace
from payflux.activation.states import missing_conditions
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark


class Condition(NamedTuple):
    """One condition. `way_out` and the page at `path`, called `action`, are for where it is not met."""

    key: str
    label: str
    met: bool
    met_at: datetime | None
    way_out: str
    action: str
    path: str


_WORDS = {
    "entitled": (
        mark("Your plan includes monitoring"),
        mark("Choose a plan that does."),
        mark("See the plans"),
        "/account/billing",
    ),
    "processor_connected": (
        mark("A processor is connected"),
        mark("PayFlux can't monitor what it can't see. Connect your processor to start."),
        mark("Connect your processor"),
        "/activate",
    ),
    "baseline_generated": (
        mark("The baseline is computed"),
        mark("It is computed from your history; see how far that is."),
        mark("Watch it arm"),
        "/activate/arming",
    ),
    "first_projection": (
        mark("The first projection is made"),
        mark("It follows the baseline; see how far that is."),
        mark("Watch it arm"),
        "/activate/arming",
    ),
    "alert_policy_armed": (
        mark("The default alerts are armed, and the workspace is in the sweep"),
        mark("They are armed as soon as nothing is in the way."),
        mark("See what is in the way"),
        "/activate/arming",
    ),
}


def conditions_of(workspace: Workspace, *, entitled: bool) -> list[Condition]:
    """The five conditions of `workspace` in the order in which they come true."""
    missing = missing_conditions(workspace, entitled=entitled)
    met_at = {
        "processor_connected": workspace.connected_at,
        "baseline_generated": workspace.baseline_generated_at,
        "first_projection": workspace.first_projection_at,
        "alert_policy_armed": workspace.alert_policy_armed_at,
    }
    return [
        Condition(key, _(label), key not in missing, met_at.get(key), _(way_out), _(action), path)
        for key, (label, way_out, action, path) in _WORDS.items()
    ]
