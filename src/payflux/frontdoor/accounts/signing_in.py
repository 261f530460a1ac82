"""Sign in with a password; refusals slow the next attempt down."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts import rules
from payflux.frontdoor.accounts.devices import known_device
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import verify_password
from payflux.frontdoor.accounts.throttling import PRESSURE_KEY, Budget, require_budget, restore, spend, under_pressure
from payflux.kit.crypto import TokenHasher
from payflux.kit.messages import gettext as _


async def sign_in(
    session: AsyncSession,
    tokens: TokenHasher,
    *,
    email: str,
    password: str,
    client: str,
    device_cookie: str = "",
    now: datetime,
) -> User | None:
    """The user with this address and password, or None. A refusal is counted, and too many make the next one wait.

    Refusals count per address and `client` (the network address asking), and per client; many refusals everywhere
    make both budgets smaller. A browser in which the address was signed in to before (`device_cookie`) has a budget
    of its own instead, so that nobody, not even from the same network, can keep its owner out.
    Raises TooManyRequests while the client has to wait; the password is not looked at then.
    """
    address = rules.normalize_email(email)
    if not rules.is_email(address):
        address = ""  # belongs to nobody
    device = known_device(tokens, device_cookie, address)
    if device:
        own = Budget(f"sign in {address} device {device}", rules.FREE_FAILURES)
        budgets = [own]
    else:
        pressed = await under_pressure(session, tokens, now=now)
        own = Budget(
            f"sign in {address} {client}", rules.FREE_FAILURES_UNDER_PRESSURE if pressed else rules.FREE_FAILURES
        )
        per_client = rules.CLIENT_FREE_FAILURES_UNDER_PRESSURE if pressed else rules.CLIENT_FREE_FAILURES
        budgets = [own, Budget(f"sign in from {client}", per_client)]
    await require_budget(session, tokens, *budgets, refusal=_("Too many attempts to sign in."), now=now)
    user = (await session.execute(select(User).where(User.email_normalized == address))).scalar_one_or_none()
    correct = await verify_password(password, user.password_hash if user is not None else None)
    if user is None or not correct:
        counted = [budget.key for budget in budgets]
        await spend(session, tokens, *counted, *([] if device else [PRESSURE_KEY]), now=now)
        return None
    await restore(session, tokens, own.key)
    return user
