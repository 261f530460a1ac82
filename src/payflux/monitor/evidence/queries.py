"""Read exports, scheduled reports and what was imported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.errors import Conflict, NotFound
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import EvidenceExport, EvidenceImport, EvidenceReport, ExportState, ImportedRecord


async def list_exports(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    now: datetime,
    before: Sequence[object] | None = None,
    limit: int = 20,
) -> list[EvidenceExport]:
    """The exports of a workspace that are kept, the newest first; those before the place (asked at, id)."""
    row = EvidenceExport
    query = select(row).where(row.account_id == account_id, row.workspace_id == workspace_id, row.expires_at > now)
    if before is not None:
        query = query.where(tuple_(row.asked_at, row.id) < tuple_(*before))
    return list((await session.execute(query.order_by(row.asked_at.desc(), row.id.desc()).limit(limit))).scalars())


async def get_export(session: AsyncSession, *, account_id: UUID, export_id: UUID, now: datetime) -> EvidenceExport:
    """One export that is kept. Raises NotFound."""
    found = await session.get(EvidenceExport, (account_id, export_id), populate_existing=True)
    if found is None or found.expires_at <= now:
        raise NotFound(
            _("There is no such export. Each is kept for seven days."),
            way_out=_("Go to Evidence and export it again."),
        )
    return found


class NotReady(Conflict):
    """The file of an export is not there yet, or never will be."""

    code = "export_not_ready"


def require_file(export: EvidenceExport) -> None:
    """Raises NotReady unless the file of `export` is whole."""
    if export.state == ExportState.FAILED:
        raise NotReady(_("This export could not be made."), way_out=_("Ask for it again."))
    if export.state != ExportState.READY:
        raise NotReady(_("This export is still being made."), way_out=_("Try again in a moment."))


async def reports_of(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[EvidenceReport]:
    """The reports of a workspace that are mailed, the oldest first."""
    row = EvidenceReport
    query = select(row).where(row.account_id == account_id, row.workspace_id == workspace_id)
    return list((await session.execute(query.order_by(row.created_at, row.id))).scalars())


async def imports_of(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    before: Sequence[object] | None = None,
    limit: int | None = None,
) -> list[EvidenceImport]:
    """What was brought from elsewhere, the newest first; of that before the place (imported at, id)."""
    row = EvidenceImport
    query = select(row).where(row.account_id == account_id, row.workspace_id == workspace_id)
    if before is not None:
        query = query.where(tuple_(row.imported_at, row.id) < tuple_(*before))
    return list((await session.execute(query.order_by(row.imported_at.desc(), row.id.desc()).limit(limit))).scalars())


async def records_of(
    session: AsyncSession, *, account_id: UUID, import_id: UUID, after: int = 0, limit: int = 50
) -> list[ImportedRecord]:
    """The records of an import behind number `after`, in their order."""
    row = ImportedRecord
    query = select(row).where(row.account_id == account_id, row.import_id == import_id, row.number > after)
    return list((await session.execute(query.order_by(row.number).limit(limit))).scalars())


async def get_import(session: AsyncSession, *, account_id: UUID, import_id: UUID) -> EvidenceImport:
    """One import. Raises NotFound."""
    found = await session.get(EvidenceImport, (account_id, import_id))
    if found is None:
        raise NotFound(_("There is no such import."), way_out=_("Go to Evidence, and choose one there."))
    return found
