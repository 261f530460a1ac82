"""Notices that each member is shown until they close them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.models import DismissedNotice
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _

NOTICES = ("trial_ending", "complimentary")
"""That a trial ends in a few days, and that the account was given its plan free of charge."""
SETUP_STEPS = "setup_steps"
"""The list of first steps, which a member may hide and have shown again."""


async def dismissed(session: AsyncSession, who: SignedIn) -> frozenset[str]:
    """The notices that the member has closed in this account."""
    row = DismissedNotice
    closed = select(row.notice).where(row.account_id == who.account_id, row.user_id == who.user_id)
    return frozenset((await session.execute(closed)).scalars())


async def dismiss(session: AsyncSession, who: SignedIn, notice: str, *, now: datetime) -> None:
    """Show the member a notice no more; closing it again changes nothing. Raises NotFound for one there is none of."""
    if notice not in (*NOTICES, SETUP_STEPS):
        raise NotFound(_("There is no such notice."), way_out=_("Go back to the page, and reload it."))
    row = {"account_id": who.account_id, "user_id": who.user_id, "notice": notice, "at": now}
    await session.execute(insert(DismissedNotice).values(row).on_conflict_do_nothing())


async def show_again(session: AsyncSession, who: SignedIn, notice: str) -> None:
    """Show the member a notice that they have closed; where they have not, nothing changes."""
    row = DismissedNotice
    closed = (row.account_id == who.account_id, row.user_id == who.user_id, row.notice == notice)
    await session.execute(delete(row).where(*closed))
