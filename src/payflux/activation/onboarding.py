"""From a new user to an account with a running trial and a workspace."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.models import Account, User
from payflux.frontdoor.accounts.registering import create_account
from payflux.frontdoor.billing.trials import grant_trial
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.kit.crypto import TokenHasher

SIGNUP_SOURCES = frozenset({"beta"})
"""The links that lead to the registration and are told apart: beta is the old waiting list's."""


async def open_account(
    session: AsyncSession, tokens: TokenHasher, user: User, now: datetime, *, plan: str = "", source: str = ""
) -> Account:
    """The account that a new `user` owns, with its workspace and, unless they had one before, its trial. As the system
    role.

    `plan` is the one they chose on the way, `source` the link they came by; what is not known is ignored.
    """
    intended = plan if plan in read_catalogue().plans else None
    account = await create_account(
        session,
        owner=user,
        intended_plan=intended,
        signup_source=source if source in SIGNUP_SOURCES else None,
        now=now,
    )
    await grant_trial(session, tokens, account_id=account.id, owner=user, now=now)
    await create_workspace(session, account_id=account.id, name=account.name, now=now)
    return account
