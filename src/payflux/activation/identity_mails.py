"""The mails about who somebody is: that an address is theirs, that a password or an address was changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.providers.identities import providers_of
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.verification.challenges import challenged_address, get_challenge, previous_address
from payflux.frontdoor.accounts.verification.models import EmailChallenge
from payflux.frontdoor.accounts.verification.rules import LinkState, link_state
from payflux.frontdoor.accounts.verification.secrets import code_of, link_token
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _challenge(world: World, payload: Payload) -> EmailChallenge:
    async with world.database.system() as session:
        challenge = await get_challenge(session, UUID(payload["row_id"]))
    assert challenge is not None, "a challenge outlives its mail"
    return challenge


def _writer(template: str, page: str) -> Callable[[World, Payload, Addressee], Awaitable[Mail | None]]:
    """A mail whose link leads to `page` and is used up there; none once its challenge is no longer open."""

    async def write(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
        challenge = await _challenge(world, payload)
        state = link_state(
            used_at=challenge.used_at,
            superseded_at=challenge.superseded_at,
            expires_at=challenge.expires_at,
            now=world.clock.now(),
        )
        if state is not LinkState.OPEN:
            return None
        return write_mail(
            template,
            # the address may be a stranger's, whom a name that somebody else typed has nothing to tell
            greeting=_("Hello,"),
            address=addressee.email,
            code=code_of(world.tokens, challenge.id),
            expires_at=moment_words(challenge.expires_at),
            url=f"{world.settings.url}{page}?token={link_token(world.tokens, challenge.id)}",
        )

    return write


async def _address_taken(world: World, _payload: Payload, addressee: Addressee) -> Mail:
    return write_mail("address_taken", greeting=_("Hello,"), address=addressee.email, url=f"{world.settings.url}/login")


async def _no_password_to_reset(world: World, payload: Payload, addressee: Addressee) -> Mail:
    challenge = await _challenge(world, payload)
    async with world.database.system() as session:
        providers = await providers_of(session, user_id=challenge.user_id)
    return write_mail(
        "no_password_to_reset",
        greeting=_("Hello,"),
        address=addressee.email,
        providers=" or ".join(provider.label for provider in providers) or _("the provider that you chose"),
        url=f"{world.settings.url}/login",
    )


async def _password_changed(world: World, payload: Payload, addressee: Addressee) -> Mail:
    return write_mail(
        "password_changed",
        greeting=addressee.greeting,
        changed_at=moment_words(datetime.fromisoformat(payload["at"])),
        url=f"{world.settings.url}/forgot",
    )


async def _address_change_asked(world: World, payload: Payload, addressee: Addressee) -> Mail:
    async with world.database.system() as session:
        challenge = await get_challenge(session, UUID(payload["challenge_id"]))
    assert challenge is not None, "a challenge outlives its mail"
    return write_mail(
        "address_change_asked",
        greeting=addressee.greeting,
        address=challenge.previous_email,
        new_address=challenge.email,
        changed_at=moment_words(challenge.created_at),
        url=f"{world.settings.url}/forgot",
    )


async def _address_changed(world: World, payload: Payload, addressee: Addressee) -> Mail:
    challenge = await _challenge(world, payload)
    return write_mail(
        "address_changed",
        greeting=addressee.greeting,
        new_address=challenge.email,
        changed_at=moment_words(challenge.used_at or world.clock.now()),
    )


async def _challenged(_world: World, session: AsyncSession, row_id: UUID) -> Addressee | None:
    return await challenged_address(session, row_id)


async def _previous(_world: World, session: AsyncSession, row_id: UUID) -> Addressee | None:
    return await previous_address(session, row_id)


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "address_change_asked": _address_change_asked,
    "address_changed": _address_changed,
    "address_taken": _address_taken,
    "change_address": _writer("change_address", "/verify-email"),
    "no_password_to_reset": _no_password_to_reset,
    "password_changed": _password_changed,
    "reset_password": _writer("reset_password", "/reset"),
    "verify_address": _writer("verify_address", "/verify-email"),
}

ADDRESSES = {"email_challenge": _challenged, "previous_email": _previous}
