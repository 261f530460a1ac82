"""The day's signed checkpoint by mail, to whoever asked for it: who keeps one notices when the past is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from sqlalchemy import select

from payflux.activation.mail_preferences import MailKind, subscribers
from payflux.activation.models import MailSubscription
from payflux.activation.sending import mail_members_once
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.figures import day_words, moment_words
from payflux.kit.jobs import Payload
from payflux.kit.pools import served_by
from payflux.monitor.ledger.queries import checkpoint_signed_at, latest_checkpoint
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail

MAIL = "ledger_checkpoint"

log = structlog.get_logger(__name__)


async def mail_checkpoint(world: World) -> None:
    """Every hour: mail the newest checkpoint to whoever asked for checkpoints and was sent none that was signed on its
    day. One account that fails stops no other."""
    async with world.database.system() as session:
        ours = await served_by(session, world.settings.worker_pool)
        newest = await latest_checkpoint(session)
        asking = select(MailSubscription.account_id).where(MailSubscription.kind == MailKind.CHECKPOINTS).distinct()
        accounts = (await session.execute(asking)).scalars().all()
    if newest is None:
        return
    for account_id in filter(ours, accounts):
        try:
            async with world.database.tenant(account_id) as session:
                await mail_members_once(
                    session,
                    MAIL,
                    f"checkpoint {newest.signed_at:%Y-%m-%d}",
                    account_id=account_id,
                    capability="monitor.read",
                    now=world.clock.now(),
                    only=await subscribers(session, account_id=account_id, kind=MailKind.CHECKPOINTS),
                    tree_size=str(newest.tree_size),
                    signed_at=newest.signed_at.isoformat(),
                )
        except Exception:
            log.exception("checkpoint not mailed", account_id=str(account_id))


async def _ledger_checkpoint(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    signed_at = datetime.fromisoformat(payload["signed_at"])
    async with world.database.system() as session:
        stored = await checkpoint_signed_at(session, tree_size=int(payload["tree_size"]), at=signed_at)
    if stored is None:
        return None
    return write_mail(
        MAIL,
        greeting=addressee.greeting,
        account=addressee.account_name,
        day=day_words(signed_at, long=True),
        signed_at=moment_words(signed_at),
        note=stored.note.rstrip("\n"),
        keys_url=f"{world.settings.url}/.well-known/payflux-keys.json",
        settings_url=f"{world.settings.url}/settings/mail",
    )


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {MAIL: _ledger_checkpoint}
