"""Mails to be sent, each enqueued as a job in the transaction of its cause.

A job holds ids alone: who they are and where they are written to is looked up when the mail is sent. So no address and
no token stands in the queue; a link that a mail carries is computed from the id of what it is about.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.ids import new_id
from payflux.kit.jobs import enqueue
from payflux.kit.messages import language


async def enqueue_mail(session: AsyncSession, mail: str, account_id: UUID, user_id: UUID, **subject_ids: str) -> None:
    """Send the mail of that name to a member if, and only if, `session`'s transaction commits; nothing is sent to one
    who has left by then. `subject_ids` name what it is about."""
    await _enqueue(session, mail, {"account_id": str(account_id), "user_id": str(user_id)} | subject_ids)


async def enqueue_mail_to_user(session: AsyncSession, mail: str, user_id: UUID, **subject_ids: str) -> None:
    """The same to a user as a person, whatever accounts they belong to."""
    await _enqueue(session, mail, {"user_id": str(user_id)} | subject_ids)


async def enqueue_mail_to_address(
    session: AsyncSession, mail: str, kept_in: str, row_id: UUID, **subject_ids: str
) -> None:
    """The same to an address that is perhaps nobody's: the one in row `row_id` of what `kept_in` names (see
    `payflux.activation.mails.ADDRESSES`). What its reader speaks is perhaps known to nobody: then the mail is in the
    language of its cause."""
    where = {"kept_in": kept_in, "row_id": str(row_id), "language": language()}
    await _enqueue(session, mail, where | subject_ids)


async def _enqueue(session: AsyncSession, mail: str, payload: dict[str, str]) -> None:
    await enqueue(session, "send_mail", {"mail": mail, "mail_id": str(new_id())} | payload)
