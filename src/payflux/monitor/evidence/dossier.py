"""The dossier: what speaks for a lower reserve, each figure from the core with its unit, its window and its basis.

It is in English whoever asks for it: its reader is the processor, and its words are the ones that are signed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.processors.models import Connection
from payflux.monitor.projections.projection import Exposure, ReserveProjection
from payflux.monitor.projections.queries import StoredReadout, newest_readout, scores_of_workspace
from payflux.monitor.projections.scorebook import Outcome, Scorebook
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.rules.exposure import DELIVERY_DAYS
from payflux.monitor.risk.surface import DisputeOutlook, Escalation, Reason, RiskSurface, ToThreshold

FORMAT = "payflux-dossier/1"

CURVE_DAYS = timedelta(days=90)
MOST_SCORES = 24


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number. Money is minor units of the dossier's currency; `low` and `high` are an 80 % interval."""

    label: str
    value: int | float | None  # None: it cannot be said
    unit: str
    window: str
    basis: str
    low: int | float | None = None
    high: int | float | None = None


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's last reading said of how many of its window's payments will be disputed in the end."""

    as_of: datetime
    rate: float
    rate_low: float
    rate_high: float


class TrackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Projections whose horizon is over: how many were scored, in how many what came lay in the stated 80 % interval,
    and each of the last ones."""

    scored: int
    trapped_inside: int
    sales_inside: int
    sales_stated: int
    outcomes: tuple[Outcome, ...]


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the document says in numbers; it holds no name of a person."""

    format: str
    account_of_processor: str
    processor: str
    as_of: datetime
    currency: str
    event_count: int
    window_days: int
    risk_tier: int
    risk_band: str
    stability_score: int
    trend: str
    reasons: tuple[Reason, ...]
    exposure: tuple[Figure, ...]
    coverage: tuple[Figure, ...]
    trapped: tuple[Figure, ...]
    dispute_outlook: tuple[DisputeOutlook, ...]
    dispute_curve: tuple[CurvePoint, ...]
    programmes: tuple[ToThreshold, ...]
    escalation: Escalation | None
    track_record: TrackRecord
    assumptions: tuple[str, ...]
    notes: tuple[str, ...]
    models: dict[str, str]
    inputs_hashes: dict[str, str]

    def encoded(self) -> bytes:
        """Its canonical JSON (RFC 8785), whose SHA-256 the ledger holds."""
        return canonical(msgspec.to_builtins(self))


async def gather_dossier(
    session: AsyncSession, connection: Connection, *, now: datetime
) -> tuple[Dossier, StoredReadout]:
    """The dossier of a connection as it stands, and the readout that it rests on. Raises NotFound before the first
    projection."""
    readout = await newest_readout(session, connection)
    if readout is None:
        raise NotFound(_("There is no projection yet."), way_out=_("Ask for the dossier once your workspace is live."))
    book = await scores_of_workspace(
        session, account_id=connection.account_id, connection_id=connection.id, now=now, limit=MOST_SCORES
    )
    curve = await _dispute_curve(session, connection, since=now - CURVE_DAYS)
    return write_dossier(connection, readout.surface, readout.projection, book, curve), readout


def write_dossier(
    connection: Connection,
    surface: RiskSurface,
    projection: ReserveProjection,
    book: Scorebook,
    curve: tuple[CurvePoint, ...],
) -> Dossier:
    """The dossier from what the core has said. Pure."""
    return Dossier(
        format=FORMAT,
        account_of_processor=connection.external_account_id,
        processor=connection.processor,
        as_of=projection.as_of,
        currency=projection.currency,
        event_count=projection.event_count,
        window_days=projection.window_days,
        risk_tier=surface.risk_tier,
        risk_band=surface.risk_band,
        stability_score=surface.stability_score,
        trend=surface.trend,
        reasons=surface.reasons,
        exposure=_exposure(projection),
        coverage=_coverage(projection.exposure, projection),
        trapped=_trapped(projection),
        dispute_outlook=surface.dispute_outlook,
        dispute_curve=curve,
        programmes=surface.to_threshold,
        escalation=surface.escalation,
        track_record=_track_record(book),
        assumptions=projection.assumptions,
        notes=surface.notes,
        models={"risk": surface.model_version, "projection": projection.model_version},
        inputs_hashes={"risk": surface.inputs_hash, "projection": projection.inputs_hash},
    )


MONEY = "minor units"

NOW = "as of the reading"


def _exposure(projection: ReserveProjection) -> tuple[Figure, ...]:
    exposure, window = projection.exposure, f"payments of the last {projection.window_days} days"
    return (
        Figure(
            label="Chargebacks still to come",
            value=exposure.chargebacks_to_come,
            unit=MONEY,
            window=window,
            basis="sales × the ultimate dispute rate by amount × the share that has not been reported yet",
        ),
        Figure(
            label="Refunds still to come",
            value=exposure.refunds_to_come,
            unit=MONEY,
            window=window,
            basis="sales × the refund rate by amount × the share that has not been refunded yet",
        ),
        Figure(
            label="Paid and not delivered",
            value=exposure.undelivered,
            unit=MONEY,
            window=f"sales of the last {DELIVERY_DAYS} days",
            basis="sales less refunds, delivered evenly over a week (assumed)",
        ),
        Figure(
            label="Open disputes",
            value=exposure.open_disputes,
            unit=MONEY,
            window=NOW,
            basis="their amounts, none taken for won; with 0.8 of the fraud warnings that can be answered",
        ),
        Figure(
            label="Expected exposure",
            value=exposure.gross,
            unit=MONEY,
            window=NOW,
            basis="chargebacks and refunds to come, undelivered sales, open disputes and a negative balance",
        ),
        Figure(
            label="Stressed exposure",
            value=exposure.gross_stress,
            unit=MONEY,
            window=NOW,
            basis="the same with both rates at their 90th percentiles",
        ),
    )


def _coverage(exposure: Exposure, projection: ReserveProjection) -> tuple[Figure, ...]:
    covered = exposure.coverage
    figures = [
        Figure(
            label="Coverage",
            value=covered,
            unit=MONEY,
            window=NOW,
            basis="available, pending and held money at the processor",
        ),
        Figure(
            label="Held by the processor now",
            value=projection.currently_held,
            unit=MONEY,
            window=NOW,
            basis="holds that are open",
        ),
        Figure(
            label="Reserve rate in force",
            value=projection.current_reserve_rate,
            unit="share",
            window=NOW,
            basis="holds over sales, as observed",
        ),
        Figure(
            label="Shortfall",
            value=exposure.shortfall,
            unit=MONEY,
            window=NOW,
            basis="expected exposure less coverage, never negative",
        ),
        Figure(
            label="Shortfall under stress",
            value=exposure.shortfall_stress,
            unit=MONEY,
            window=NOW,
            basis="stressed exposure less coverage, never negative",
        ),
    ]
    if covered is not None:
        for label, gross in (
            ("Coverage beyond the expected exposure", exposure.gross),
            ("Coverage beyond the stressed exposure", exposure.gross_stress),
        ):
            figures.append(
                Figure(
                    label=label,
                    value=max(covered - gross, 0),
                    unit=MONEY,
                    window=NOW,
                    basis="coverage less that exposure, never negative",
                )
            )
    return tuple(figures)


def _trapped(projection: ReserveProjection) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            label=f"T+{each.horizon_days}",
            value=each.trapped,
            low=each.low,
            high=each.high,
            unit=MONEY,
            window=f"to the end of day {each.horizon_days}",
            basis=f"{projection.scenario.name}; {each.trapped_bps} bps of the {projection.bps_of}; "
            f"{each.days_of_sales:.1f} days of sales",
        )
        for each in projection.windows
    )


def _track_record(book: Scorebook) -> TrackRecord:
    stated = [score.sales_inside for score in book.scores if score.sales_inside is not None]
    return TrackRecord(
        scored=len(book.scores),
        trapped_inside=sum(score.trapped_inside for score in book.scores),
        sales_inside=sum(stated),
        sales_stated=len(stated),
        outcomes=book.due,
    )


async def _dispute_curve(session: AsyncSession, connection: Connection, *, since: datetime) -> tuple[CurvePoint, ...]:
    record = RiskSurfaceRecord
    day = func.date_trunc("day", record.as_of, "UTC")
    query = (
        select(record.as_of, record.surface["dispute_outlook"][0].label("whole"))
        .ext(distinct_on(day))
        .where(
            record.account_id == connection.account_id,
            record.workspace_id == connection.workspace_id,
            record.connection_id == connection.id,
            record.as_of > since,
        )
        .order_by(day, record.as_of.desc(), record.id.desc())
    )
    found = [(as_of, msgspec.convert(whole, DisputeOutlook)) for as_of, whole in await session.execute(query) if whole]
    return tuple(
        CurvePoint(as_of=as_of, rate=whole.rate, rate_low=whole.rate_low, rate_high=whole.rate_high)
        for as_of, whole in found
    )
