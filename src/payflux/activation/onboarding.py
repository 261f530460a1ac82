"""From a new user to an account with a running trial and a workspace."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.models import Account, User
from payflux.frontdoor.accounts.registering import create_account
from payflux.frontdoor.billing.service import start_trial
from payflux.frontdoor.catalogue.file import read_catalogue


async def open_account(session: AsyncSession, user: User, now: datetime, *, plan: str = "") -> Account:
    """The account that a new `user` owns, with its trial and its workspace. `plan` is the one they chose on the way;
    one that the catalogue does not have is ignored."""
    intended = plan if plan in read_catalogue().plans else None
    account = await create_account(session, owner=user, intended_plan=intended, now=now)
    await start_trial(session, account_id=account.id, now=now)
    await create_workspace(session, account_id=account.id, name=account.name, now=now)
    return account
