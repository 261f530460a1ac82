"""The activation state machine as data, and what makes a workspace live. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ActivationState(StrEnum):
    PAID_UNCONNECTED = "paid_unconnected"  # entitled, no processor connected
    CONNECTED_GENERATING = "connected_generating"  # history is being pulled and scored
    BASELINE_READY = "baseline_ready"  # scored; first projection and alerts are next
    LIVE_MONITORED = "live_monitored"
    FULLY_CONFIGURED = "fully_configured"  # live, and an advanced feature is set up


class Cause(StrEnum):
    """Why a state changed."""

    ENTITLED = "entitled"
    CONNECTED = "processor_connected"
    BASELINE = "baseline_generated"
    ARMED = "alerts_armed"
    ACTIVE = "activity_sufficient"  # what was waited for has come; the history is read again
    ADVANCED = "advanced_feature_set_up"
    CANCELED = "canceled"
    DISCONNECTED = "processor_disconnected"


TRANSITIONS: dict[tuple[ActivationState | None, Cause], ActivationState] = {
    (None, Cause.ENTITLED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.PAID_UNCONNECTED, Cause.CONNECTED): ActivationState.CONNECTED_GENERATING,
    (ActivationState.CONNECTED_GENERATING, Cause.CONNECTED): ActivationState.CONNECTED_GENERATING,
    (ActivationState.CONNECTED_GENERATING, Cause.BASELINE): ActivationState.BASELINE_READY,
    (ActivationState.CONNECTED_GENERATING, Cause.CANCELED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.CONNECTED_GENERATING, Cause.DISCONNECTED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.BASELINE_READY, Cause.ARMED): ActivationState.LIVE_MONITORED,
    (ActivationState.BASELINE_READY, Cause.ACTIVE): ActivationState.CONNECTED_GENERATING,
    (ActivationState.BASELINE_READY, Cause.CONNECTED): ActivationState.CONNECTED_GENERATING,
    (ActivationState.BASELINE_READY, Cause.CANCELED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.BASELINE_READY, Cause.DISCONNECTED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.LIVE_MONITORED, Cause.ADVANCED): ActivationState.FULLY_CONFIGURED,
    (ActivationState.LIVE_MONITORED, Cause.CONNECTED): ActivationState.CONNECTED_GENERATING,
    (ActivationState.LIVE_MONITORED, Cause.DISCONNECTED): ActivationState.PAID_UNCONNECTED,
    (ActivationState.FULLY_CONFIGURED, Cause.CONNECTED): ActivationState.CONNECTED_GENERATING,
    (ActivationState.FULLY_CONFIGURED, Cause.DISCONNECTED): ActivationState.PAID_UNCONNECTED,
}
"""Every change of state there is: (from, cause) → to. What is not here does not happen."""

LIVE = (ActivationState.LIVE_MONITORED, ActivationState.FULLY_CONFIGURED)
"""The states of a workspace that is live."""


class Conditions(Protocol):
    """The part of a workspace that says whether it is live."""

    @property
    def connection_id(self) -> UUID | None: ...
    @property
    def baseline_generated_at(self) -> datetime | None: ...
    @property
    def first_projection_at(self) -> datetime | None: ...
    @property
    def alert_policy_armed_at(self) -> datetime | None: ...


def missing_conditions(workspace: Conditions, *, entitled: bool) -> list[str]:
    """Which of the five conditions of a live workspace are not met, in the order in which they come true."""
    checks = {
        "entitled": entitled,
        "processor_connected": workspace.connection_id is not None,
        "baseline_generated": workspace.baseline_generated_at is not None,
        "first_projection": workspace.first_projection_at is not None,
        "alert_policy_armed": workspace.alert_policy_armed_at is not None,
    }
    return [name for name, met in checks.items() if not met]


def is_live_monitored(workspace: Conditions, *, entitled: bool) -> bool:
    """Whether all five conditions hold: then, and only then, the workspace is in the sweep and read again on news."""
    return not missing_conditions(workspace, entitled=entitled)
