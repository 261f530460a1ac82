"""Change how one proves who one is. Each change ends the other sessions, is told by mail, and is kept in the logs of
the accounts. Whoever asks has proven who they are a short time ago."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.passkeys import passkeys_of, register_passkey, remove_passkey
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.recovery import replace_recovery_codes
from payflux.frontdoor.accounts.factors.relying_party import RelyingParty
from payflux.frontdoor.accounts.factors.rules import may_remove_method
from payflux.frontdoor.accounts.factors.totp import confirm_totp, remove_totp
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.sessions import SignedIn, end_sessions
from payflux.frontdoor.accounts.verification.challenges import lock_user
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.errors import Conflict, NotFound
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_user

Change = Literal["totp_added", "totp_removed", "recovery_codes_replaced", "passkey_added", "passkey_removed"]


class LastSignInMethod(Conflict):
    code = "last_sign_in_method"


async def set_up_app(
    session: AsyncSession, tokens: TokenHasher, secrets: SecretBox, who: SignedIn, *, code: str, now: datetime
) -> list[str] | None:
    """Let the authenticator app count if `code` is its; returns the recovery codes, which nobody sees again."""
    if not await confirm_totp(session, secrets, user_id=who.user_id, code=code, now=now):
        return None
    codes = await replace_recovery_codes(session, tokens, user_id=who.user_id)
    await _tell(session, who, "totp_added", now)
    return codes


async def remove_app(session: AsyncSession, who: SignedIn, *, now: datetime) -> None:
    """Sign in without a code from now on. Nothing happens where no app is set up."""
    if await remove_totp(session, user_id=who.user_id):
        await _tell(session, who, "totp_removed", now)


async def renew_recovery_codes(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, *, now: datetime
) -> list[str]:
    """Ten new recovery codes in place of the old. Raises Conflict where there is no app for them to stand in for."""
    await lock_user(session, who.user_id)
    if not (await sign_in_methods(session, user_id=who.user_id)).totp:
        raise Conflict(_("Recovery codes stand in for an authenticator app."), way_out=_("Set one up first."))
    codes = await replace_recovery_codes(session, tokens, user_id=who.user_id)
    await _tell(session, who, "recovery_codes_replaced", now)
    return codes


async def add_passkey(
    session: AsyncSession,
    tokens: TokenHasher,
    party: RelyingParty,
    who: SignedIn,
    *,
    browser: str,
    credential: str,
    name: str,
    now: datetime,
) -> bool:
    """Keep a passkey that the browser made; False where it is no answer to what it was asked."""
    passkey = await register_passkey(
        session, tokens, party, user_id=who.user_id, browser=browser, credential=credential, name=name, now=now
    )
    if passkey is not None:
        await _tell(session, who, "passkey_added", now)
    return passkey is not None


async def drop_passkey(session: AsyncSession, who: SignedIn, *, passkey_id: UUID, now: datetime) -> None:
    """Forget one of the caller's passkeys. Raises NotFound, and LastSignInMethod where nothing else signs them in."""
    await lock_user(session, who.user_id)  # or two methods could be removed at once, each thinking the other stays
    if passkey_id not in {passkey.id for passkey in await passkeys_of(session, user_id=who.user_id)}:
        raise NotFound(_("You have no such passkey."), way_out=_("Look at the list of your passkeys."))
    if not may_remove_method(await sign_in_methods(session, user_id=who.user_id)):
        raise LastSignInMethod(
            _("This passkey is the only way you can sign in."),
            way_out=_("Add another passkey, or connect Google or Microsoft, before you remove it."),
        )
    await remove_passkey(session, user_id=who.user_id, passkey_id=passkey_id)
    await _tell(session, who, "passkey_removed", now)


async def _tell(session: AsyncSession, who: SignedIn, change: Change, now: datetime) -> None:
    await end_sessions(session, user_id=who.user_id, except_id=who.session_id)
    await record_personal_change(session, user_id=who.user_id, action=f"user.{change}", at=now)
    await enqueue_mail_to_user(session, "security_notice", who.user_id, what=change, at=now.isoformat())
