"""The mail to the owner when something is to be kept for a shorter time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from payflux.activation.retention.choosing import MAIL, choices_of
from payflux.activation.retention.rules import Choice, Kept
from payflux.activation.retention.words import NAMES
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _shortened(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id, kind = UUID(payload["account_id"]), Kept(payload["kind"])
    async with world.database.tenant(account_id) as session:
        choice = (await choices_of(session, account_id=account_id)).get(kind, Choice())
    if choice.coming_at is None or choice.coming_days is None:
        return None  # it was taken back
    return write_mail(
        MAIL,
        greeting=addressee.greeting,
        account=addressee.account_name,
        what=_(NAMES[kind].name),
        means=_(NAMES[kind].goes),
        days=choice.coming_days,
        holds_from=moment_words(choice.coming_at),
        before=moment_words(choice.coming_at - timedelta(days=choice.coming_days)),
        url=f"{world.settings.url}/settings/retention",
    )


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {MAIL: _shortened}
