"""The answer to a what-if: today's readout and the changed one, side by side."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from payflux.kit.messages import mark
from payflux.kit.phrases import Phrasebook, figure, kept, say
from payflux.monitor.processors.codes import Network, Status
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules import project
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules import score
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.programmes.nowcast import ESCALATION
from payflux.monitor.risk.surface import RiskSurface
from payflux.monitor.whatif.changes import SHIFTED_SHARE, Changes
from payflux.monitor.whatif.histories import changed_history


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One number before and after, in `unit`; None cannot be said."""

    key: str
    label: str
    unit: str  # as a signal's, or "money" in the projection's currency, "score", "tier"
    before: float | None
    after: float | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What would be different. `outlay` is what is paid back at once, minor units; `avoided_disputes` are those that
    are then not expected; `notes` say what is assumed, and when the change is through."""

    changes: Changes
    before: RiskSurface
    after: RiskSurface
    projection_before: ReserveProjection
    projection_after: ReserveProjection
    measures: tuple[Measure, ...]
    outlay: int
    avoided_disputes: float
    notes: tuple[str, ...]
    phrases: Phrasebook | msgspec.UnsetType = msgspec.UNSET


def answer(history: History, changes: Changes, settings: ProjectionSettings | None = None) -> Answer:
    """Score and project `history` as it is and as it would be had `changes` been in force for as long as it goes back.

    Growth and a reserve change what is projected only. Raises ValueError for changes that change nothing.
    """
    if not changes:
        raise ValueError("Choose at least one change.")
    settings = settings or ProjectionSettings()
    history = replace(history, earlier=())  # what signals ask for today, not what still stands of yesterday
    changed = changed_history(history, changes)
    before, after = score(history), score(changed)
    projected = msgspec.structs.replace(
        settings,
        rate=settings.rate if changes.reserve_rate is None else changes.reserve_rate,
        hold_days=changes.hold_days or settings.hold_days,
        growth=settings.growth if changes.growth is None else changes.growth,
    )
    now, then = project(history, before, settings), project(changed, after, projected)
    waiting = history.warnings[history.warnings["status"] == Status.ACTIONABLE]
    answered = Answer(
        changes=changes,
        before=before,
        after=after,
        projection_before=now,
        projection_after=then,
        measures=(*_surface_measures(before, after), *_projection_measures(now, then)),
        outlay=history.volume(waiting) if changes.refund_warnings else 0,
        avoided_disputes=_avoided(history, changed, changes),
        notes=_notes(history, changes),
    )
    return kept(answered)


def _surface_measures(before: RiskSurface, after: RiskSurface) -> list[Measure]:
    then = {signal.key: signal for signal in after.signals}
    measures = [
        Measure(
            key="risk_tier", label=mark("Risk tier"), unit="tier", before=before.asked_tier, after=after.asked_tier
        ),
        Measure(
            key="stability_score", label=mark("Stability"), unit="score", before=before.stability_score,
            after=after.stability_score,
        ),
    ]  # fmt: skip
    for signal in before.signals:
        other = then[signal.key]
        if signal.value != other.value:
            measures.append(
                Measure(key=signal.key, label=signal.label, unit=signal.unit, before=signal.value, after=other.value)
            )
    return measures


def _projection_measures(before: ReserveProjection, after: ReserveProjection) -> list[Measure]:
    pairs: list[tuple[str, str, int | None, int | None]] = [
        (f"trapped_{now.horizon_days}", say("Trapped at T+%(days)s", days=now.horizon_days), now.trapped, then.trapped)
        for now, then in zip(before.windows, after.windows, strict=True)
    ]
    pairs += [
        (name, label, getattr(before.exposure, name), getattr(after.exposure, name))
        for name, label in (
            ("chargebacks_to_come", mark("Chargebacks still to come")),
            ("refunds_to_come", mark("Refunds still to come")),
            ("open_disputes", mark("Open disputes and warnings")),
            ("gross", mark("Expected exposure")),
            ("shortfall", mark("Shortfall")),
        )
    ]
    return [Measure(key=key, label=label, unit="money", before=now, after=then) for key, label, now, then in pairs]


def _avoided(history: History, changed: History, changes: Changes) -> float:
    """Disputes of the window that the change would have kept away, and those expected of open warnings."""
    filed = (count(one.last(one.disputes, one.window_days)) for one in (history, changed))
    waiting = count(history.warnings[history.warnings["status"] == Status.ACTIONABLE])
    kept_away = next(filed) - next(filed)
    return kept_away + (round(ESCALATION * waiting, 1) if changes.refund_warnings else 0)


def _notes(history: History, changes: Changes) -> tuple[str, ...]:
    notes: list[str] = [
        mark(
            "As if the change had been in force for the whole history: dispute activity gets there after 30 days, "
            "Visa's ratio in the month after, Mastercard's a month later."
        )
    ]
    if changes.three_d_secure:
        notes.append(
            say(
                "Authentication is assumed to keep %(share)s of the fraud disputes of those payments away (liability "
                "shift). Fraud reports stay in Visa's count. Payments that are lost at the challenge are not counted "
                "here.",
                share=figure(f"{SHIFTED_SHARE:.0%}"),
            )
        )
    if changes.rdr:
        notes.append(
            say(
                "%(share)s of Visa disputes are refunded before they are filed: they no longer count as disputes, and "
                "they are refunds instead. A fraud report that came before stays in Visa's count.",
                share=figure(f"{changes.rdr:.0%}"),
            )
        )
        if not (history.disputes["network"] == Network.VISA).any():
            notes.append(mark("No Visa dispute can be seen here, so this changes nothing."))
    if changes.refund_warnings:
        notes.append(
            say(
                "Four in five open warnings are expected to become disputes (%(share)s, Stripe). A refund avoids the "
                "dispute, not the fraud report: the warning stays in Visa's count.",
                share=figure(f"{ESCALATION:.0%}"),
            )
        )
    if changes.growth is not None:
        notes.append(mark("Growth changes the sales that are projected; the rates are assumed to stay as they are."))
    return tuple(notes)
