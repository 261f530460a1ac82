"""Change a password, knowing the old one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import hash_password, verify_password
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.sessions import end_sessions
from payflux.frontdoor.accounts.throttling import Budget, require_budget, restore, spend
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import UserError
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_user


class NoPassword(UserError):
    """The user signs in by a provider and has no password."""

    code = "use_oauth_provider"


def require_password(user: User) -> None:
    """Raises NoPassword."""
    if user.password_hash is None:
        raise NoPassword(
            _("You sign in by Google or Microsoft and have no password here."),
            way_out=_("Change your password there."),
        )


async def is_password_of(
    session: AsyncSession, tokens: TokenHasher, *, user: User, password: str, now: datetime
) -> bool:
    """Whether a signed-in user knows their password. A wrong one is counted; raises TooManyRequests after too many."""
    budget = Budget(f"password of {user.id}", rules.OLD_PASSWORDS)
    await require_budget(session, tokens, budget, refusal=_("Too many wrong passwords."), now=now)
    if await verify_password(password, user.password_hash):
        await restore(session, tokens, budget.key)
        return True
    await spend(session, tokens, budget.key, now=now)
    return False


async def change_password(session: AsyncSession, *, user: User, session_id: UUID, password: str, now: datetime) -> None:
    """Give a user who has just proven their old password an acceptable new one. Ends their other sessions and tells
    them by mail. Raises NoPassword."""
    require_password(user)
    user.password_hash = await hash_password(password)
    await end_sessions(session, user_id=user.id, except_id=session_id)
    await enqueue_mail_to_user(session, "password_changed", user.id, at=now.isoformat())
    await record_personal_change(session, user_id=user.id, action="user.password_changed", at=now)
