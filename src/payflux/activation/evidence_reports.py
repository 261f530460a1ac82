"""Reports of evidence that are due regularly: made, and mailed to the members that were chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.activation_mails import processor_name
from payflux.activation.sending import mail_members_once
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.figures import day_words, moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.kit.phrases import told
from payflux.kit.pools import served_by
from payflux.monitor.evidence.exporting import ask_for_export
from payflux.monitor.evidence.models import Content, EvidenceExport, EvidenceReport, ExportState, Format, ReportContent
from payflux.monitor.evidence.reporting import due_reports, take_due
from payflux.monitor.evidence.rules import KEPT_FOR, Wanted
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.queries import newest_readout
from payflux.monitor.risk.rules.measures import money
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail

FEATURE = "evidence_export"
MAIL = "evidence_report"

log = structlog.get_logger(__name__)


async def send_due_reports(world: World) -> None:
    """Every quarter of an hour: make each report that is due, or mail it where there is nothing to make. One that fails
    stops no other."""
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        found = [each for each in await due_reports(session, now=world.clock.now()) if ours(each[0])]
    for account_id, report_id in found:
        try:
            await _begin(world, account_id, report_id)
        except Exception:
            log.exception("report not made", account_id=str(account_id), report_id=str(report_id))


async def _begin(world: World, account_id: UUID, report_id: UUID) -> None:
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        taken = await take_due(session, account_id=account_id, report_id=report_id, now=now)
        held = await entitlements_of(session, world, account_id=account_id)
        workspace = await get_workspace(session, account_id=account_id)
        if taken is None or not held.features[FEATURE] or workspace.first_projection_at is None:
            return
        report, due = taken
        if report.content == ReportContent.SUMMARY:
            await _mail(world, session, report, reason=f"report {report_id} {due:%Y-%m-%d}")
            return
        await ask_for_export(
            session,
            Wanted(content=Content.DOSSIER, format=Format.PDF),
            account_id=account_id,
            workspace_id=report.workspace_id,
            asked_by=None,
            now=now,
            report_id=report_id,
        )


async def mail_finished_report(world: World, *, account_id: UUID, export_id: UUID) -> None:
    """Tell whom a report is for that its dossier is ready, once, however often this is asked for; nobody where the
    export is no report's, or the report was removed meanwhile."""
    async with world.database.tenant(account_id) as session:
        export = await session.get(EvidenceExport, (account_id, export_id))
        if export is None or export.report_id is None or export.state != ExportState.READY:
            return
        report = await session.get(EvidenceReport, (account_id, export.report_id))
        if report is not None:
            await _mail(world, session, report, reason=f"report {export_id}", export_id=str(export_id))


async def _mail(
    world: World, session: AsyncSession, report: EvidenceReport, *, reason: str, **subject_ids: str
) -> None:
    await mail_members_once(
        session,
        MAIL,
        reason,
        account_id=report.account_id,
        capability="evidence.export" if report.content == ReportContent.DOSSIER else "monitor.read",
        now=world.clock.now(),
        only=report.recipients,
        **subject_ids,
    )


async def _evidence_report(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id, export_id = UUID(payload["account_id"]), payload.get("export_id")
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        if workspace.connection_id is None:
            return None
        connection = await get_connection(session, account_id=account_id, connection_id=workspace.connection_id)
        readout = await newest_readout(session, connection)
    if readout is None:
        return None
    surface, projection = readout.surface, readout.projection
    exposure, currency = projection.exposure, projection.currency

    def amount(minor: int | None) -> str:
        return _("cannot say") if minor is None else told(money(minor, currency))

    address = f"{world.settings.url}/evidence"
    return write_mail(
        MAIL,
        greeting=addressee.greeting,
        workspace=workspace.name,
        account=addressee.account_name,
        processor=processor_name(connection),
        band=_(surface.risk_band.capitalize()),
        tier=surface.risk_tier,
        figures=[
            (_("Expected exposure"), amount(exposure.gross)),
            (_("Coverage"), amount(exposure.coverage)),
            (_("Shortfall"), amount(exposure.shortfall)),
            (_("Held now"), amount(projection.currently_held)),
            *((f"T+{each.horizon_days}", amount(each.trapped)) for each in projection.windows),
        ],
        day=day_words(surface.as_of, long=True),
        as_of=moment_words(surface.as_of),
        dossier=export_id is not None,
        kept_days=KEPT_FOR.days,
        url=f"{address}/exports/{export_id}/download" if export_id else address,
        settings_url=f"{world.settings.url}/settings/mail",
    )


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {MAIL: _evidence_report}
