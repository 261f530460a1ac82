"""Prove that an address is read by its user: at registration, and when they change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.queries import account_of
from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.accounts.verification import rules
from payflux.frontdoor.accounts.verification.challenges import (
    get_challenge,
    issue_challenge,
    lock_user,
    newest_challenge,
    supersede,
)
from payflux.frontdoor.accounts.verification.models import EmailChallenge
from payflux.frontdoor.accounts.verification.rules import LinkState, Purpose
from payflux.frontdoor.accounts.verification.secrets import challenge_of, code_of
from payflux.frontdoor.funnel.events import EmailVerificationCompleted, EmailVerificationSent, Proof
from payflux.frontdoor.funnel.recording import record
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, InvalidInput, TooManyRequests
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_address, enqueue_mail_to_user


class AlreadyVerified(Conflict):
    code = "already_verified"


class CodeAnswer(StrEnum):
    """What a typed code is worth. CLOSED: too late, too many tries, or none was mailed."""

    RIGHT = "right"
    WRONG = "wrong"
    CLOSED = "closed"
    TAKEN = "taken"


@dataclass(frozen=True)
class OpenedLink:
    """What is shown to whoever opens a mailed link: its state, and of a link of ours which address it is about."""

    state: LinkState
    email: str = ""
    user_id: UUID | None = None


async def send_verification(session: AsyncSession, user: User, now: datetime) -> None:
    """Mail a link and a code to the user's address, also to prove again one that mail came back from. Raises
    TooManyRequests, and AlreadyVerified."""
    if user.email_verified_at is not None and not user.mail_returns:
        raise AlreadyVerified(_("Your address is verified already."), way_out=_("There is nothing left to do."))
    email = user.email
    if user.email_verified_at is None:
        newest = await newest_challenge(session, user_id=user.id, purpose=Purpose.VERIFY)
        email = newest.email if newest is not None else email
    await _challenge(session, user, Purpose.VERIFY, email, now)


async def correct_address(session: AsyncSession, user: User, *, email: str, now: datetime) -> None:
    """Mail to another address instead, for a user who mistyped theirs. From now on they sign in with it, unless it is
    somebody's: then only that somebody is told, and the answer is the same.

    Raises InvalidInput, TooManyRequests, and AlreadyVerified.
    """
    if user.email_verified_at is not None:
        raise AlreadyVerified(_("Your address is verified already."), way_out=_("Change it on your profile."))
    email = _checked(email)
    if not await _is_somebodys(session, email, but=user.id):
        await lock_user(session, user.id)
        try:
            async with session.begin_nested():
                user.email, user.email_normalized, user.mail_returned_at = email, normalize_email(email), None
        except IntegrityError:  # somebody took it meanwhile
            await session.refresh(user)
    await _challenge(session, user, Purpose.VERIFY, email, now)


async def request_change(session: AsyncSession, user: User, *, email: str, now: datetime) -> None:
    """Mail a link to the address that the user wants instead of theirs, and a notice to theirs. Nothing changes until
    the link is used. Raises InvalidInput, and TooManyRequests."""
    email = _checked(email)
    if normalize_email(email) == user.email_normalized:
        raise InvalidInput({"email": _("This is your address already.")})
    challenge = await _challenge(session, user, Purpose.CHANGE, email, now)
    await enqueue_mail_to_user(session, "address_change_asked", user.id, challenge_id=str(challenge.id))


async def open_link(
    session: AsyncSession, tokens: TokenHasher, *, token: str, signed_in: UUID | None, now: datetime
) -> OpenedLink:
    """What the link that carries `token` is worth to this visitor; looking at it uses nothing up."""
    challenge_id = challenge_of(tokens, token)
    challenge = await get_challenge(session, challenge_id) if challenge_id is not None else None
    if challenge is None or challenge.purpose not in (Purpose.VERIFY, Purpose.CHANGE):
        return OpenedLink(LinkState.UNKNOWN)
    if signed_in is not None and signed_in != challenge.user_id:
        return OpenedLink(LinkState.OTHER_USER, challenge.email, challenge.user_id)
    state = rules.link_state(
        used_at=challenge.used_at, superseded_at=challenge.superseded_at, expires_at=challenge.expires_at, now=now
    )
    user = await session.get_one(User, challenge.user_id)
    same = normalize_email(challenge.email) == user.email_normalized
    if same and user.email_verified_at is not None and not user.mail_returns:
        state = LinkState.USED  # whichever of several mails did it
    return OpenedLink(state, challenge.email, challenge.user_id)


async def use_link(
    session: AsyncSession, tokens: TokenHasher, *, token: str, signed_in: UUID | None, now: datetime
) -> OpenedLink:
    """Prove the address by the link that carries `token`. OPEN in the answer says that this was done."""
    challenge_id = challenge_of(tokens, token)
    if challenge_id is not None and (challenge := await get_challenge(session, challenge_id)) is not None:
        await lock_user(session, challenge.user_id)
        await session.refresh(challenge)
    opened = await open_link(session, tokens, token=token, signed_in=signed_in, now=now)
    if opened.state is not LinkState.OPEN or challenge is None:
        return opened
    if not await _prove(session, challenge, Proof.LINK, now):
        return OpenedLink(LinkState.TAKEN, opened.email, opened.user_id)
    return opened


async def use_code(
    session: AsyncSession, tokens: TokenHasher, *, user_id: UUID, purpose: Purpose, code: str, now: datetime
) -> CodeAnswer:
    """Prove the address by the code of the newest mail for `purpose`. A wrong one is counted."""
    await lock_user(session, user_id)
    challenge = await newest_challenge(session, user_id=user_id, purpose=purpose, lock=True)
    if (
        challenge is None
        or challenge.used_at is not None
        or challenge.superseded_at is not None
        or not rules.code_is_open(created_at=challenge.created_at, attempts=challenge.code_attempts, now=now)
    ):
        return CodeAnswer.CLOSED
    challenge.code_attempts += 1
    if "".join(code.split()) != code_of(tokens, challenge.id):
        return CodeAnswer.WRONG
    return CodeAnswer.RIGHT if await _prove(session, challenge, Proof.CODE, now) else CodeAnswer.TAKEN


async def _challenge(session: AsyncSession, user: User, purpose: Purpose, email: str, now: datetime) -> EmailChallenge:
    challenge = await issue_challenge(session, user=user, purpose=purpose, email=email, now=now)
    if purpose is Purpose.VERIFY:
        account_id = await account_of(session, user.id)
        await record(session, EmailVerificationSent(), at=now, account_id=account_id, user_id=user.id)
    if await _is_somebodys(session, email, but=user.id):
        await tell_owner(session, email=email, now=now)
    else:
        await enqueue_mail_to_address(session, f"{purpose}_address", "email_challenge", challenge.id)
    return challenge


async def tell_owner(session: AsyncSession, *, email: str, now: datetime) -> None:
    """Tell the user with this address that somebody wanted to register it: they themselves, most likely. One who was
    told a short time ago is not told again."""
    owner = (
        await session.execute(select(User).where(User.email_normalized == normalize_email(email)))
    ).scalar_one_or_none()
    if owner is None:
        return
    try:
        challenge = await issue_challenge(session, user=owner, purpose=Purpose.TAKEN, email=owner.email, now=now)
    except TooManyRequests:
        return
    await enqueue_mail_to_address(session, "address_taken", "email_challenge", challenge.id)


async def _prove(session: AsyncSession, challenge: EmailChallenge, proof: Proof, now: datetime) -> bool:
    """Make the challenged address the user's, and proven; False when it is somebody else's by now."""
    if await _is_somebodys(session, challenge.email, but=challenge.user_id):
        return False
    user = await session.get_one(User, challenge.user_id)
    first = user.email_verified_at is None
    user.email, user.email_normalized = challenge.email, normalize_email(challenge.email)
    user.email_verified_at = challenge.used_at = now
    await supersede(session, user_id=user.id, purposes=list(Purpose), now=now)
    action = "user.email_changed" if challenge.purpose == Purpose.CHANGE else "user.email_verified"
    await record_personal_change(session, user_id=user.id, action=action, at=now)
    if challenge.purpose == Purpose.CHANGE:
        await enqueue_mail_to_address(session, "address_changed", "previous_email", challenge.id)
    elif first:
        account_id = await account_of(session, user.id)
        await record(session, EmailVerificationCompleted(proof), at=now, account_id=account_id, user_id=user.id)
    return True


def _checked(email: str) -> str:
    if len(email) > 320 or not is_email(normalize_email(email)):
        raise InvalidInput({"email": _("Enter an e-mail address like you@company.com.")})
    return email.strip()


async def _is_somebodys(session: AsyncSession, email: str, *, but: UUID) -> bool:
    others = select(User.id).where(User.email_normalized == normalize_email(email), User.id != but)
    return (await session.execute(others)).scalar_one_or_none() is not None
