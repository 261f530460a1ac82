"""Which page a workspace's people belong on: every mode × every page, as one table. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from payflux.activation.models import Workspace
from payflux.activation.states import ActivationState

SLOW_AFTER = timedelta(minutes=3)
"""How long an activation takes the whole screen; after that the dashboard shows what there is."""


class Mode(StrEnum):
    """How far a workspace has come, as its pages tell it apart."""

    UNCONNECTED = "unconnected"
    GENERATING = "generating"  # history is read and scored; there is nothing to see yet
    DELAYED = "delayed"  # the same, for too long, or stopped by a problem
    FINISHING = "finishing"  # scored; the alerts are armed in a moment
    PARTLY_LIVE = "partly_live"  # scored, and something keeps the alerts from being armed
    LIVE = "live"
    ADVANCED = "advanced"  # live, and an advanced feature is set up


class Page(StrEnum):
    ACTIVATE = "/activate"
    ARMING = "/activate/arming"
    DASHBOARD = "/dashboard"
    PROMPT = "/dashboard/activate-prompt"
    PROJECTIONS = "/projections"
    CONNECTORS = "/connectors"
    ALERTS = "/alerts"
    SETTINGS = "/settings"


HOME: dict[Mode, Page] = {
    Mode.UNCONNECTED: Page.ACTIVATE,
    Mode.GENERATING: Page.ARMING,
    Mode.DELAYED: Page.ARMING,
    Mode.FINISHING: Page.ARMING,
    Mode.PARTLY_LIVE: Page.DASHBOARD,
    Mode.LIVE: Page.DASHBOARD,
    Mode.ADVANCED: Page.DASHBOARD,
}
"""The page that each mode begins on."""

_UNCONNECTED = {
    Page.ARMING: Page.ACTIVATE,
    Page.DASHBOARD: Page.PROMPT,
    Page.PROJECTIONS: Page.PROMPT,
    Page.ALERTS: Page.PROMPT,
}
_GENERATING = dict.fromkeys((Page.ACTIVATE, Page.DASHBOARD, Page.PROMPT, Page.PROJECTIONS, Page.ALERTS), Page.ARMING)
_SCORED = {Page.ACTIVATE: Page.DASHBOARD, Page.PROMPT: Page.DASHBOARD}

ELSEWHERE: dict[Mode, dict[Page, Page]] = {
    Mode.UNCONNECTED: _UNCONNECTED,
    Mode.GENERATING: _GENERATING,
    Mode.DELAYED: {
        Page.ACTIVATE: Page.ARMING,
        Page.PROMPT: Page.DASHBOARD,
        Page.PROJECTIONS: Page.DASHBOARD,
        Page.ALERTS: Page.DASHBOARD,
    },
    Mode.FINISHING: _GENERATING,
    Mode.PARTLY_LIVE: _SCORED,
    Mode.LIVE: _SCORED,
    Mode.ADVANCED: _SCORED,
}
"""The pages that lead on in each mode, and where to. Every other page shows itself: what is connected can be looked at
and taken away at any time, and settings are open."""


def mode_of(workspace: Workspace, now: datetime) -> Mode:
    """The mode that `workspace` is in."""
    match ActivationState(workspace.activation_state):
        case ActivationState.PAID_UNCONNECTED:
            return Mode.UNCONNECTED
        case ActivationState.LIVE_MONITORED:
            return Mode.LIVE
        case ActivationState.FULLY_CONFIGURED:
            return Mode.ADVANCED
        case _ if workspace.first_projection_at is not None:
            return Mode.PARTLY_LIVE if workspace.problem else Mode.FINISHING
        case _:
            return Mode.DELAYED if workspace.problem or is_slow(workspace, now) else Mode.GENERATING


def is_slow(workspace: Workspace, now: datetime) -> bool:
    """Whether the activation has taken longer than anybody should watch."""
    return workspace.connected_at is not None and now - workspace.connected_at > SLOW_AFTER


def elsewhere(page: Page, workspace: Workspace, now: datetime) -> Page | None:
    """Where a visit to `page` leads instead; None where it stays."""
    return ELSEWHERE[mode_of(workspace, now)].get(page)


def home(workspace: Workspace, now: datetime) -> Page:
    """Where the people of `workspace` begin."""
    return HOME[mode_of(workspace, now)]
