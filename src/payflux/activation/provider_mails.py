"""The mails about the providers that a user signs in by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from payflux.frontdoor.accounts.providers.rules import Provider
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


def _writer(template: str) -> Callable[[World, Payload, Addressee], Awaitable[Mail]]:
    async def write(world: World, payload: Payload, addressee: Addressee) -> Mail:
        return write_mail(
            template,
            greeting=addressee.greeting,
            provider=Provider(payload["provider"]).label,
            url=f"{world.settings.url}/account/security",
        )

    return write


WRITERS = {name: _writer(name) for name in ("address_claimed", "provider_connected", "provider_disconnected")}
