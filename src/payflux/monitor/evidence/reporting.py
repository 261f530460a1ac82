"""Reports that are mailed again and again: to whom, what, and when the next one is due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.evidence.models import Every, EvidenceReport, ReportContent
from payflux.monitor.evidence.rules import next_time

MOST_REPORTS = 10


async def add_report(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    content: str,
    every: str,
    recipients: Collection[UUID],
    actor_id: UUID,
    now: datetime,
) -> EvidenceReport:
    """Have a report mailed to `recipients`, who are members. Raises InvalidInput on `content`, `every` or
    `recipients`."""
    problems = {}
    if content not in set(ReportContent):
        problems["content"] = _("Choose the dossier or the summary.")
    if every not in set(Every):
        problems["every"] = _("Choose each week or each month.")
    row = EvidenceReport
    number = select(func.count()).where(row.account_id == account_id, row.workspace_id == workspace_id)
    if not recipients:
        problems["recipients"] = _("Choose at least one member.")
    elif (await session.execute(number)).scalar_one() >= MOST_REPORTS:
        problems["recipients"] = _("There are %(most)s reports already. Remove one first.") % {"most": MOST_REPORTS}
    if problems:
        raise InvalidInput(problems)
    report = EvidenceReport(
        account_id=account_id,
        workspace_id=workspace_id,
        id=new_id(),
        content=content,
        every=every,
        recipients=sorted(recipients),
        created_by=actor_id,
        created_at=now,
        next_at=next_time(Every(every), now),
    )
    session.add(report)
    await session.flush()
    await record_change(
        session,
        account_id=account_id,
        actor_id=actor_id,
        action="evidence_report.added",
        subject=str(report.id),
        at=now,
        after={"content": content, "every": every, "recipients": len(report.recipients)},
    )
    return report


async def remove_report(
    session: AsyncSession, *, account_id: UUID, report_id: UUID, actor_id: UUID, now: datetime
) -> None:
    """Mail a report no more. Raises NotFound."""
    report = await session.get(EvidenceReport, (account_id, report_id))
    if report is None:
        raise NotFound(_("There is no such report."), way_out=_("Go to Evidence, and choose one there."))
    await session.delete(report)
    await record_change(
        session,
        account_id=account_id,
        actor_id=actor_id,
        action="evidence_report.removed",
        subject=str(report_id),
        at=now,
        before={"content": report.content, "every": report.every},
    )


async def due_reports(session: AsyncSession, *, now: datetime) -> list[tuple[UUID, UUID]]:
    """(account, report) of every report that is due, of all accounts: for the system role."""
    row = EvidenceReport
    query = select(row.account_id, row.id).where(row.next_at <= now).order_by(row.next_at, row.id)
    return [(account_id, report_id) for account_id, report_id in await session.execute(query)]


async def take_due(
    session: AsyncSession, *, account_id: UUID, report_id: UUID, now: datetime
) -> tuple[EvidenceReport, datetime] | None:
    """The report with the time it is due for, whose next time is put on; None where somebody else has taken it."""
    report = await session.get(EvidenceReport, (account_id, report_id), with_for_update=True)
    if report is None or report.next_at > now:
        return None
    due, report.next_at = report.next_at, next_time(Every(report.every), now)
    return report, due
