"""How far an activation has come, as the four stages a person watches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from payflux.activation.models import Workspace
from payflux.activation.obstacles import is_obstacle
from payflux.activation.routing import Mode, is_slow, mode_of
from payflux.activation.states import LIVE
from payflux.kit.figures import written
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.kit.phrases import spoken_words

_NOUNS = {
    "charges": (mark("charge"), mark("charges")),
    "refunds": (mark("refund"), mark("refunds")),
    "disputes": (mark("dispute"), mark("disputes")),
    "early_fraud_warnings": (mark("fraud warning"), mark("fraud warnings")),
    "payouts": (mark("payout"), mark("payouts")),
    "balance_transactions": (mark("reserve movement"), mark("reserve movements")),
    "balance_report": (mark("row of Stripe's reports"), mark("rows of Stripe's reports")),
}


class Stage(msgspec.Struct, frozen=True):
    """One stage. `state` is waiting, running, done or failed; `count` says what has been done in real objects."""

    key: str
    label: str
    detail: str
    state: str
    count: str = ""


class Progress(msgspec.Struct, frozen=True):
    """The stages of an activation. `problem` is in the way; `waiting`: of nobody's fault, for what comes by itself;
    `again`: PayFlux tries or looks again by itself. `dashboard`: there is something to see already."""

    state: str
    stages: tuple[Stage, ...]
    done: bool
    slow: bool
    problem: dict[str, str] | None
    waiting: bool = False
    again: bool = False
    dashboard: bool = False


def progress_of(
    workspace: Workspace,
    pulled: Mapping[str, int],
    *,
    event_count: int,
    windows: int,
    alerts: int,
    now: datetime,
    processor: str = "Stripe",
) -> Progress:
    """The stages of `workspace`. `pulled` counts the objects read so far by resource, `event_count` those scored,
    `windows` the horizons projected, `alerts` the rules armed."""
    done_at = (
        workspace.pulled_at,
        workspace.baseline_generated_at,
        workspace.first_projection_at,
        workspace.alert_policy_armed_at,
    )
    reached = next((index for index, moment in enumerate(done_at) if moment is None), len(done_at))
    counts = (
        _spoken(pulled),
        _("%(event_count)s payment events analyzed") % {"event_count": written(f"{event_count:,}")}
        if event_count
        else "",
        _("%(windows)s horizons projected") % {"windows": windows} if windows else "",
        _("%(alerts)s alerts armed") % {"alerts": alerts} if alerts else "",
    )
    waiting = is_obstacle(workspace.problem)
    here = "waiting" if waiting else "failed" if workspace.problem else "running"
    stages = tuple(
        Stage(
            key,
            _(label),
            _(detail).format(processor),
            "done" if index < reached else here if index == reached else "waiting",
            count,
        )
        for index, ((key, label, detail), count) in enumerate(zip(_STAGES, counts, strict=True))
    )
    return Progress(
        state=workspace.activation_state,
        stages=stages,
        done=workspace.activation_state in LIVE,
        slow=reached < len(done_at) and is_slow(workspace, now),
        problem=spoken_words(workspace.problem) if workspace.problem else None,
        waiting=waiting,
        again=workspace.retry_at is not None,
        dashboard=mode_of(workspace, now) not in (Mode.UNCONNECTED, Mode.GENERATING, Mode.FINISHING),
    )


_STAGES = (
    ("pull", mark("Pulling processor data"), mark("Retrieving payment events from your {} account...")),
    (
        "baseline",
        mark("Computing risk baseline"),
        mark("Analyzing failure patterns, retry pressure, geographic entropy..."),
    ),
    (
        "projection",
        mark("Generating reserve projection"),
        mark("Modeling reserve exposure across T+30, T+60, T+90 windows..."),
    ),
    ("alerts", mark("Arming default alerts"), mark("Setting up tier escalation, reserve spike, and trend monitors...")),
)


def _spoken(pulled: Mapping[str, int]) -> str:
    parts = []
    for resource, count in pulled.items():
        singular, plural = _NOUNS.get(resource, (resource, resource))
        if count:
            parts.append(f"{written(f'{count:,}')} {_(singular if count == 1 else plural)}")
    return " · ".join(parts)
