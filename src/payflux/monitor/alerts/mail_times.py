"""When a workspace's mails about alerts go out, as its members have set it."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.models import AlertMailTimes
from payflux.monitor.alerts.timing import MailTimes, time_zones


async def mail_times(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> MailTimes:
    """What is set; mails go out at once where nothing is."""
    row = await session.get(AlertMailTimes, (account_id, workspace_id))
    return MailTimes() if row is None else MailTimes(row.quiet_from, row.quiet_until, row.digest_at, row.time_zone)


async def set_mail_times(
    session: AsyncSession,
    *,
    account_id: UUID,
    workspace_id: UUID,
    quiet_from: str,
    quiet_until: str,
    digest_at: str,
    time_zone: str,
    actor_id: UUID,
    now: datetime,
) -> None:
    """Set them from times of day such as 22:00, each empty for none. Raises InvalidInput on the field that is wrong."""
    wrong: dict[str, str] = {}
    typed = {"quiet_from": quiet_from, "quiet_until": quiet_until, "digest_at": digest_at}
    read = {name: _time(text, name, wrong) for name, text in typed.items()}
    if (read["quiet_from"] is None) != (read["quiet_until"] is None) and not wrong:
        missing = "quiet_from" if read["quiet_from"] is None else "quiet_until"
        wrong[missing] = _("Quiet hours have a beginning and an end; leave both empty for none.")
    if time_zone not in time_zones():
        wrong["time_zone"] = _("Choose a time zone from the list.")
    if wrong:
        raise InvalidInput(wrong)
    before = await mail_times(session, account_id=account_id, workspace_id=workspace_id)
    values = {**read, "time_zone": time_zone}
    statement = insert(AlertMailTimes).values(account_id=account_id, workspace_id=workspace_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["account_id", "workspace_id"], set_=values))
    await record_change(
        session,
        account_id=account_id,
        actor_id=actor_id,
        action="alert_mail_times.changed",
        subject=str(workspace_id),
        at=now,
        before={name: str(value) if value is not None else None for name, value in vars(before).items()},
        after={name: str(value) if value is not None else None for name, value in values.items()},
    )


def _time(text: str, field: str, wrong: dict[str, str]) -> time | None:
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        wrong[field] = _("Write a time of day such as 22:00.")
        return None
