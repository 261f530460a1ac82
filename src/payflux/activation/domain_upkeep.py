"""Proven domains are looked up again, and whoever manages the account is told of one that is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from payflux.activation.sending import mail_members_once
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sso.domains import domains_of, find_domain
from payflux.frontdoor.accounts.sso.looking_again import domains_to_look_up, note_look
from payflux.frontdoor.accounts.sso.rules import LAPSES_AFTER, RECORD, Standing, record_value
from payflux.kit.errors import NotFound
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.pools import served_by
from payflux.world.bootstrap import World
from payflux.world.dns import DnsUnavailable
from payflux.world.mail import Mail, write_mail

MAILS = {Standing.MISSING: "domain_missing", Standing.LAPSED: "domain_lapsed"}

log = structlog.get_logger(__name__)


async def look_domains_up(world: World) -> None:
    """Every night: look up each proven domain that is due. Where nobody answers, nothing was found out: it is tried
    again the next night. One that fails stops no other."""
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        due = [each for each in await domains_to_look_up(session, now=world.clock.now()) if ours(each[0])]
    for account_id, domain in due:
        try:
            await _look_up(world, account_id, domain)
        except DnsUnavailable:
            log.warning("domain not looked up: no answer", account_id=str(account_id))
        except NotFound:
            log.info("domain not looked up: it was removed", account_id=str(account_id))
        except Exception:
            log.exception("domain not looked up", account_id=str(account_id))


async def _look_up(world: World, account_id: UUID, domain: str) -> None:
    texts, now = await world.dns.texts(f"{RECORD}.{domain}"), world.clock.now()
    async with world.database.tenant(account_id) as session:
        standing = await note_look(session, account_id=account_id, domain=domain, texts=texts, now=now)
        if standing in MAILS:
            row = await find_domain(session, account_id=account_id, domain=domain)
            since = row.missing_since.isoformat() if row.missing_since else ""
            await mail_members_once(
                session,
                MAILS[standing],
                f"{MAILS[standing]} {since} {domain}"[:160],
                account_id=account_id,
                capability="account.update",
                now=now,
                domain=domain,
            )


async def _about_domain(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        known = await domains_of(session, account_id=account_id)
    row = next((each for each in known if each.domain == payload["domain"]), None)
    lapsed = payload["mail"] == MAILS[Standing.LAPSED]
    if row is None or row.missing_since is None or lapsed is not (row.lapsed_at is not None):
        return None  # it was removed, found or proven meanwhile
    return write_mail(
        payload["mail"],
        greeting=addressee.greeting,
        account=addressee.account_name,
        domain=row.domain,
        since=moment_words(row.missing_since),
        until=moment_words(row.missing_since + LAPSES_AFTER),
        record=f"{RECORD}.{row.domain}",
        value=record_value(row.challenge),
        url=f"{world.settings.url}/account/sso",
    )


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = dict.fromkeys(
    MAILS.values(), _about_domain
)
