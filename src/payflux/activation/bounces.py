"""What is done about a mail that came back: it is noted where staff look, and an address that does not work gets only
what has to be told until its user proves it again."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

import structlog
from sqlalchemy import select

from payflux.activation.models import ActivationMail
from payflux.frontdoor.accounts.bounces import bounced_user, note_bounce, return_path
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.errors import NotFound
from payflux.world.bootstrap import World
from payflux.world.delivery_reports import is_permanent, meaning_of, read_report

log = structlog.get_logger(__name__)


def sender_of(world: World, addressee: Addressee) -> str:
    """The return path of a mail to `addressee`; empty where it is the address that mails come from."""
    base = world.settings.bounce_address
    if not base or addressee.user_id is None:
        return base
    return return_path(base, world.tokens, user_id=addressee.user_id, email=addressee.email)


class UnknownReturnPath(NotFound):
    code = "unknown_return_path"


async def take_report(world: World, raw: bytes) -> bool:
    """Take in the mail `raw`, which came to a return path of ours. Whether anything new was noted: what is no report,
    such as a holiday notice, is not. Raises UnknownReturnPath, also where its user has another address by now."""
    async with world.database.system() as session:
        user = await bounced_user(session, world.tokens, base=world.settings.bounce_address, mail=raw)
        if user is None:
            log.info("mail to an unknown return path refused", bytes=len(raw))
            raise UnknownReturnPath(
                "The mail did not come to a return path of ours.",
                way_out="Hand over what came to an address that PayFlux mails from, with its header as it was.",
            )
        report = read_report(raw)
        if report is None:
            log.info("mail to a return path is no report", user_id=str(user.id), bytes=len(raw))
            return False
        new = await note_bounce(
            session,
            user,
            bounce_id=UUID(bytes=blake2b(user.id.bytes + raw, digest_size=16).digest()),
            status=report.status,
            permanent=report.permanent,
            now=world.clock.now(),
        )
        log.info("mail came back", user_id=str(user.id), status=report.status, permanent=report.permanent, new=new)
    if report.mail_id is not None:
        await _note_in_log(world, user.id, report.mail_id, report.status)
    return new


async def note_refused_recipient(world: World, addressee: Addressee, *, mail_id: UUID, status: str) -> None:
    """The mail server itself has refused the recipient with `status`: the same as a report of it."""
    if addressee.user_id is None or not is_permanent(status):
        return
    async with world.database.system() as session:
        user = await session.get(User, addressee.user_id, with_for_update=True)
        if user is not None and user.email == addressee.email:
            await note_bounce(session, user, bounce_id=mail_id, status=status, permanent=True, now=world.clock.now())


async def _note_in_log(world: World, user_id: UUID, mail_id: UUID, status: str) -> None:
    """Say in the log of the account's mails that this one came back, or is late, where it is one of those."""
    row = ActivationMail
    async with world.database.system() as session:
        query = select(row.account_id).where(row.id == mail_id, row.user_id == user_id)
        account_id = (await session.execute(query)).scalar_one_or_none()
    if account_id is None:
        return
    async with world.database.tenant(account_id) as session:
        mail = await session.get_one(row, (account_id, mail_id), with_for_update=True)
        if status.startswith("5"):
            mail.refused_at, what = world.clock.now(), "Came back"
        elif mail.refused_at is None:
            what = "Not delivered so far"
        else:
            return
        mail.outcome = f"{what} ({status}): {meaning_of(status)}."
