"""The mail about how somebody signs in: a factor that was added, removed or used up, or a token that was copied."""

from __future__ import annotations

from datetime import datetime

from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail

NOTICES = {
    "totp_added": (
        mark("An authenticator app was set up"),
        mark("From now on signing in asks for a code of that app."),
    ),
    "totp_removed": (mark("Your authenticator app was removed"), mark("Signing in no longer asks for a code.")),
    "recovery_codes_replaced": (
        mark("Your recovery codes were replaced"),
        mark("The codes you had before no longer work."),
    ),
    "recovery_code_used": (
        mark("A recovery code was used"),
        mark("Somebody signed in with it in place of the app's code."),
    ),
    "passkey_added": (mark("A passkey was added"), mark("Whoever holds it can sign in as you.")),
    "passkey_removed": (mark("A passkey was removed"), mark("It no longer signs you in.")),
    "refresh_token_reused": (
        mark("An API client was signed out"),
        mark(
            "A refresh token that was exchanged before came back. Two programs hold it, and one may not be yours, so "
            "neither is signed in any more. Sign the one that is yours in again."
        ),
    ),
}
"""What each notice says: its subject, and what it means."""


async def _security_notice(world: World, payload: Payload, addressee: Addressee) -> Mail:
    what_happened, meaning = NOTICES[payload["what"]]
    return write_mail(
        "security_notice",
        greeting=addressee.greeting,
        what_happened=_(what_happened),
        meaning=_(meaning),
        at=moment_words(datetime.fromisoformat(payload["at"])),
        url=f"{world.settings.url}/account/security",
        reset_url=f"{world.settings.url}/forgot",
    )


async def _key_leaked(world: World, payload: Payload, addressee: Addressee) -> Mail:
    return write_mail(
        "key_leaked",
        greeting=addressee.greeting,
        name=payload["name"],
        ending=payload["ending"],
        at=moment_words(datetime.fromisoformat(payload["at"])),
        url=f"{world.settings.url}/api-keys",
    )


WRITERS = {"security_notice": _security_notice, "key_leaked": _key_leaked}
