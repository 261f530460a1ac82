"""The job that sends a mail, and how each mail is written. They are enqueued by :mod:`payflux.world.outbox`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation import (
    activation_mails,
    alert_mails,
    billing_mails,
    checkpoint_mails,
    domain_upkeep,
    evidence_reports,
    identity_mails,
    provider_mails,
    sales_mails,
    security_mails,
    team_mails,
    weekly_summary,
)
from payflux.activation.bounces import note_refused_recipient, sender_of
from payflux.activation.mail_preferences import KIND_OF, MailKind, Unsubscribing, unsubscribe_code, unwanted_kinds
from payflux.activation.problems import ended_problem
from payflux.activation.retention import mails as retention_mails
from payflux.activation.sending import SUPPORT, note_outcome, support_address, was_delivered
from payflux.frontdoor.accounts.queries import Addressee, get_addressee, get_user_addressee
from payflux.kit.failures import MAIL, count_failure
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload, Permanent, enqueue
from payflux.kit.messages import SOURCE_LANGUAGE, speaking
from payflux.kit.phrases import spoken_words
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, MailRefused, MailUnavailable, deliver, write_mail

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720))
"""How long to wait after each time that the mail server could not take a mail; then it is given up."""

log = structlog.get_logger(__name__)

Writer = Callable[[World, Payload, Addressee], Awaitable[Mail | None]]
AddressLookUp = Callable[[World, AsyncSession, UUID], Awaitable[Addressee | None]]
Delivered = Callable[[World, Payload], Awaitable[None]]
Refused = Callable[[World, Payload, str], Awaitable[None]]


async def send_mail(world: World, payload: Payload) -> None:
    """Job: write one mail and hand it to the mail server. Tried again, later each time, while that cannot take it."""
    if await was_delivered(world, payload):
        return
    async with world.database.system() as session:
        addressee = await _addressee(world, session, payload)
    if addressee is None:
        log.info("mail not sent: its reader has left", mail=payload["mail"])
        await note_outcome(world, payload)
        await _note_refusal(world, payload, "Whom it was for has left.")
        return
    whose = _unsubscribing(payload)
    if whose is not None and await _does_without(world, whose):
        await note_outcome(world, payload, unwanted=True)
        await _note_refusal(world, payload, "Whom it was for does without such mails.")
        return
    if addressee.mail_returns and whose is not None and whose.kind is not MailKind.ALERTS:
        log.info("mail not sent: mails to its reader come back", mail=payload["mail"])
        await note_outcome(world, payload, returning=True)
        return
    with speaking(addressee.language or payload.get("language", SOURCE_LANGUAGE)):
        mail = await WRITERS[payload["mail"]](world, payload, addressee)
    if mail is None:
        log.info("mail not sent: it is out of date", mail=payload["mail"])
        await note_outcome(world, payload)
        return
    if whose is not None:
        code = unsubscribe_code(world.tokens, whose)
        mail = replace(mail, unsubscribe_url=f"{world.settings.url}/mail/unsubscribe/{code}")
    try:
        path = sender_of(world, addressee)
        await deliver(world.settings, mail, to=addressee.email, message_id=payload["mail_id"], return_path=path)
    except MailUnavailable as failure:
        await _count(world, payload)
        await _send_later(world, payload, failure)
        return
    except MailRefused as refusal:
        await _count(world, payload)
        await note_outcome(world, payload, refused=str(refusal))
        await _note_refusal(world, payload, str(refusal))
        await note_refused_recipient(world, addressee, mail_id=UUID(payload["mail_id"]), status=refusal.status)
        raise Permanent(str(refusal)) from refusal
    await note_outcome(world, payload, delivered=True)
    if payload["mail"] in DELIVERED:
        await DELIVERED[payload["mail"]](world, payload)


def _unsubscribing(payload: Payload) -> Unsubscribing | None:
    """Who would do without which mails; None of a mail that is always sent."""
    kind = KIND_OF.get(payload["mail"])
    return None if kind is None else Unsubscribing(UUID(payload["account_id"]), UUID(payload["user_id"]), kind)


async def _does_without(world: World, whose: Unsubscribing) -> bool:
    async with world.database.tenant(whose.account_id) as session:
        return whose.kind in await unwanted_kinds(session, account_id=whose.account_id, user_id=whose.user_id)


async def _note_refusal(world: World, payload: Payload, why: str) -> None:
    if payload["mail"] in REFUSED:
        await REFUSED[payload["mail"]](world, payload, why)


async def _addressee(world: World, session: AsyncSession, payload: Payload) -> Addressee | None:
    if "kept_in" in payload:
        return await ADDRESSES[payload["kept_in"]](world, session, UUID(payload["row_id"]))
    user_id = UUID(payload["user_id"])
    if "account_id" in payload:
        return await get_addressee(session, account_id=UUID(payload["account_id"]), user_id=user_id)
    return await get_user_addressee(session, user_id=user_id)


async def _count(world: World, payload: Payload) -> None:
    async with world.database.system() as session:
        await count_failure(session, MAIL, payload["mail"], at=world.clock.now())


async def _send_later(world: World, payload: Payload, failure: MailUnavailable) -> None:
    attempt = int(payload.get("attempt", "0"))
    if attempt >= len(RETRY_AFTER):
        await note_outcome(world, payload, refused=str(failure))
        await _note_refusal(world, payload, str(failure))
        raise Permanent(str(failure)) from failure
    log.warning("mail put off", mail=payload["mail"], attempt=attempt + 1, reason=str(failure))
    async with world.database.system() as session:
        later = payload | {"attempt": str(attempt + 1)}
        await enqueue(session, "send_mail", later, delay=RETRY_AFTER[attempt])


async def _connection_ended(world: World, payload: Payload, addressee: Addressee) -> Mail:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=UUID(payload["connection_id"]))
    problem = spoken_words(ended_problem(connection.method))
    return _about_ended(world, addressee, connection, "connection_ended", problem=problem)


async def _connection_disconnected(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        connection = await get_connection(session, account_id=account_id, connection_id=UUID(payload["connection_id"]))
    if connection.disconnected_by != "merchant":
        return None
    return _about_ended(world, addressee, connection, "connection_disconnected")


def _about_ended(world: World, addressee: Addressee, connection: Connection, mail: str, **more: dict[str, str]) -> Mail:
    ended_at = connection.disconnected_at or world.clock.now()
    posts = connection.method == ConnectionMethod.WEBHOOK
    return write_mail(
        mail,
        greeting=addressee.greeting,
        account=addressee.account_name,
        processor=connection.name if posts else "Stripe",
        entity=connection.host or connection.name or connection.external_account_id,
        ended_at=moment_words(ended_at),
        url=f"{world.settings.url}/{'sources' if posts else 'activate'}",
        **more,
    )


WRITERS: dict[str, Writer] = {
    "connection_disconnected": _connection_disconnected,
    "connection_ended": _connection_ended,
    **alert_mails.WRITERS,
    **activation_mails.WRITERS,
    **billing_mails.WRITERS,
    **checkpoint_mails.WRITERS,
    **domain_upkeep.WRITERS,
    **evidence_reports.WRITERS,
    **identity_mails.WRITERS,
    **provider_mails.WRITERS,
    **retention_mails.WRITERS,
    **sales_mails.WRITERS,
    **security_mails.WRITERS,
    **team_mails.WRITERS,
    **weekly_summary.WRITERS,
}
"""Every mail by its name, and how it is written; None for one that is out of date by now."""

ADDRESSES: dict[str, AddressLookUp] = {
    SUPPORT: support_address,
    **identity_mails.ADDRESSES,
    **sales_mails.ADDRESSES,
    **team_mails.ADDRESSES,
}
"""Where an address is kept that is perhaps nobody's, and how it is read by the id of its row."""

DELIVERED: dict[str, Delivered] = {**alert_mails.DELIVERED, **team_mails.DELIVERED}
"""What is noted once the mail server has taken a mail, by the mail's name."""

REFUSED: dict[str, Refused] = {**alert_mails.REFUSED}
"""What is noted once a mail is given up, with why, by the mail's name."""
