"""From a new user to an account with a running trial and a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.scans import keep_scan
from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.models import Account, User
from payflux.frontdoor.accounts.registering import create_account
from payflux.frontdoor.billing.trials import grant_trial
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.funnel.events import EmailVerificationCompleted, Proof, RegisterCompleted, SignUpMethod
from payflux.frontdoor.funnel.recording import record
from payflux.kit.crypto import TokenHasher

SIGNUP_SOURCES = frozenset({"beta"})
"""The links that lead to the registration and are told apart: beta is the old waiting list's."""


class SignUp(NamedTuple):
    """How a new user came: by which method, and who they were today before
    (:func:`~payflux.frontdoor.funnel.rules.visitor_key`), None where their browser asks not to be told."""

    method: SignUpMethod
    visitor: str | None = None


async def open_account(
    session: AsyncSession,
    tokens: TokenHasher,
    user: User,
    now: datetime,
    *,
    sign_up: SignUp = SignUp(SignUpMethod.PASSWORD),  # noqa: B008 -- immutable
    plan: str = "",
    source: str = "",
    scan: str = "",
) -> Account:
    """The account that a new `user` owns, with its workspace and, unless they had one before, its trial. As the system
    role.

    `plan` is the one they chose on the way, `source` the link they came by, `scan` the token of a website scan
    that the account keeps from now on; what is not known is ignored.
    """
    intended = plan if plan in read_catalogue().plans else None
    account = await create_account(
        session,
        owner=user,
        intended_plan=intended,
        signup_source=source if source in SIGNUP_SOURCES else None,
        now=now,
    )
    await record_sign_up(session, user, sign_up, account_id=account.id, now=now)
    await grant_trial(session, tokens, account_id=account.id, owner=user, now=now)
    await create_workspace(session, account_id=account.id, name=account.name, now=now)
    if scan:
        await keep_scan(session, tokens, scan, account_id=account.id, now=now, at_registration=True)
    return account


async def record_sign_up(
    session: AsyncSession, user: User, sign_up: SignUp, *, account_id: UUID, invited: bool = False, now: datetime
) -> None:
    """Keep that a new `user` came to the account and, where a provider or an invite proved it, that their address is
    verified. As the system role."""
    completed = RegisterCompleted(method=sign_up.method, invited=invited)
    await record(session, completed, at=now, account_id=account_id, user_id=user.id, visitor=sign_up.visitor)
    if user.email_verified_at is not None:
        proven = EmailVerificationCompleted(Proof.INVITE if invited else Proof.PROVIDER)
        await record(session, proven, at=now, account_id=account_id, user_id=user.id)
