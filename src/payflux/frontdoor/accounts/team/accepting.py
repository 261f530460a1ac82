"""Open an invite by its code, and accept it. These run as the system role: whoever holds a code has no account yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.team.codes import read_code
from payflux.frontdoor.accounts.team.inviting import SeatLimit, hold_seats
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.accounts.team.rules import InviteState, SeatAllowance, invite_state
from payflux.frontdoor.funnel.events import MemberRole, TeammateAcceptedInvite
from payflux.frontdoor.funnel.recording import record
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Forbidden, UserError
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail


@dataclass(frozen=True)
class Offer:
    """An invite as whoever holds its code sees it. `accepted_by` is set once it is accepted."""

    id: UUID
    account_id: UUID
    account_name: str
    email: str
    role: str
    state: InviteState
    invited_by: str
    expires_at: datetime
    accepted_by: UUID | None


class InviteUnusable(UserError):
    """The code opens no invite (any more); `state` says why, None for one that is unknown."""

    status = HTTPStatus.GONE
    code = "invite_unusable"

    def __init__(self, state: InviteState | None) -> None:
        words: dict[InviteState | None, str] = {
            InviteState.ACCEPTED: _("This invite has been used."),
            InviteState.REVOKED: _("This invite was taken back."),
            InviteState.EXPIRED: _("This invite has expired."),
        }
        super().__init__(
            words.get(state, _("This invite is not known.")),
            way_out=_("Ask whoever invited you to send a new one."),
            code=f"invite_{state or 'unknown'}",
        )
        self.state = state


class InviteEmailMismatch(UserError):
    """The invite is for another address than the one that wants to use it."""

    code = "invite_email_mismatch"


class AddressNotVerified(Forbidden):
    code = "email_not_verified"


async def open_invite(session: AsyncSession, tokens: TokenHasher, *, code: str, now: datetime) -> Offer:
    """What `code` offers, in whatever state; looking changes nothing. Raises InviteUnusable for an unknown one."""
    invite_id = read_code(tokens, code)
    query = (
        select(AccountInvite, Account.name, User.name)
        .join(Account, Account.id == AccountInvite.account_id)
        .outerjoin(User, User.id == AccountInvite.invited_by)
        .where(AccountInvite.id == invite_id)
    )
    found = None if invite_id is None else (await session.execute(query)).one_or_none()
    if found is None:
        raise InviteUnusable(None)
    row, account_name, inviter = found
    return Offer(
        id=row.id,
        account_id=row.account_id,
        account_name=account_name,
        email=row.email,
        role=row.role,
        state=invite_state(row, now),
        invited_by=inviter or "",
        expires_at=row.expires_at,
        accepted_by=row.accepted_by,
    )


def require_address(offer: Offer, email: str) -> None:
    """Raises InviteEmailMismatch unless `email` is the invited address."""
    if normalize_email(email) != normalize_email(offer.email):
        raise InviteEmailMismatch(
            _("This invite is for %(email)s, not for %(email_2)s.") % {"email": offer.email, "email_2": email.strip()},
            way_out=_("Use the invited address, or ask for an invite to the one you use."),
            details={"error": "invite_email_mismatch"},
        )


async def accept_invite(
    session: AsyncSession, tokens: TokenHasher, *, code: str, user: User, allowance: SeatAllowance, now: datetime
) -> Offer:
    """Make `user` a member of the account that `code` offers; returns the offer as it stood.

    An invite that this user has accepted before is accepted again without a change. Raises InviteUnusable,
    InviteEmailMismatch, AddressNotVerified and SeatLimit; nothing is written then.
    """
    offer = await open_invite(session, tokens, code=code, now=now)
    await hold_seats(session, account_id=offer.account_id)
    stored = (
        await session.execute(
            select(AccountInvite)
            .where(AccountInvite.account_id == offer.account_id, AccountInvite.id == offer.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    state = invite_state(stored, now)
    if state is InviteState.ACCEPTED and stored.accepted_by == user.id:
        return offer
    if state is not InviteState.OPEN:
        raise InviteUnusable(state)
    require_address(offer, user.email)
    if user.email_verified_at is None:
        raise AddressNotVerified(
            _("Your e-mail address is not verified."),
            way_out=_("Open the link in the mail to %(email)s, then come back to this invite.") % {"email": user.email},
        )
    elsewhere = allowance.members_elsewhere
    if user.email_normalized not in elsewhere and await _is_full(session, offer.account_id, allowance):
        raise SeatLimit(
            _("%(account_name)s has no seat left.") % {"account_name": offer.account_name},
            way_out=_("Ask whoever invited you; the invite stays open."),
        )
    await session.execute(
        insert(Membership)
        .values(account_id=offer.account_id, user_id=user.id, role=stored.role, created_at=now)
        .on_conflict_do_nothing(index_elements=[Membership.account_id, Membership.user_id])
    )
    stored.accepted_at, stored.accepted_by = now, user.id
    owned = select(Membership.account_id).where(Membership.user_id == user.id, Membership.role == "owner")
    if (await session.execute(owned)).first() is None:
        user.onboarding_dismissed = True  # the wizard is for who opens an account, also if they own this one later
    await session.flush()
    await record_change(
        session,
        account_id=offer.account_id,
        actor_id=user.id,
        action="member.joined",
        subject=str(user.id),
        at=now,
        after={"role": stored.role, "invite": str(stored.id)},
    )
    accepted = TeammateAcceptedInvite(MemberRole(stored.role))
    await record(session, accepted, at=now, account_id=offer.account_id, user_id=user.id)
    await enqueue_mail(session, "member_joined", offer.account_id, stored.invited_by, member_id=str(user.id))
    return offer


async def _is_full(session: AsyncSession, account_id: UUID, allowance: SeatAllowance) -> bool:
    """Whether members alone take every seat; the open invite that is accepted holds one of its own."""
    if allowance.limit is None:
        return False
    members = select(User.email_normalized).join(Membership, Membership.user_id == User.id)
    present = (await session.execute(members.where(Membership.account_id == account_id))).scalars()
    return len({*present, *allowance.members_elsewhere}) >= allowance.limit
