"""Invite people by mail, send an invite again, and take it back. Verbs of a member, on their account's rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries, rules
from payflux.frontdoor.accounts.team.capabilities import (
    CAPABILITIES,
    Role,
    holders,
    manageable_roles,
    may,
    with_article,
)
from payflux.frontdoor.accounts.team.models import AccountInvite, InviteMail
from payflux.frontdoor.accounts.team.queries import Seats
from payflux.frontdoor.accounts.team.rules import Cap, InviteState, SeatAllowance, invite_state
from payflux.frontdoor.funnel.events import MemberRole, TeammateInvited
from payflux.frontdoor.funnel.recording import record
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, PaymentRequired, TooManyRequests
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.kit.messages import ngettext
from payflux.world.outbox import enqueue_mail_to_address


class RoleNotAllowed(Forbidden):
    code = "role_not_allowed"


class InviterNotVerified(Forbidden):
    code = "email_not_verified"


class AlreadyMember(Conflict):
    code = "already_member"


class AlreadyInvited(Conflict):
    code = "already_invited"


class SeatLimit(PaymentRequired):
    code = "seat_limit"


class InviteCap(TooManyRequests):
    code = "invite_cap"


async def hold_seats(session: AsyncSession, *, account_id: UUID) -> None:
    """Have seats of an account counted and taken one after the other, until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"seats {account_id}", 0))))


async def invite(
    session: AsyncSession,
    tokens: TokenHasher,
    who: SignedIn,
    *,
    email: str,
    role: str,
    allowance: SeatAllowance,
    now: datetime,
) -> AccountInvite:
    """Offer `email` a place in the caller's account, and mail it. Raises InvalidInput, RoleNotAllowed,
    InviterNotVerified, AlreadyMember, AlreadyInvited, SeatLimit and InviteCap; nothing is written then.
    """
    _refuse_inviter(who, role)
    address = normalize_email(email)
    if len(email) > 320 or not is_email(address):
        raise InvalidInput({"email": _("Enter an e-mail address like you@company.com.")})
    await hold_seats(session, account_id=who.account_id)
    present = select(User.id).join(Membership, Membership.user_id == User.id)
    if (await session.execute(present.where(User.email_normalized == address))).first() is not None:
        raise AlreadyMember(
            _("%(address)s is a member already.") % {"address": address},
            way_out=_("Change their role in the list of members."),
        )
    earlier = await _unanswered(session, account_id=who.account_id, address=address)
    if earlier is not None and invite_state(earlier, now) is InviteState.OPEN:
        raise AlreadyInvited(
            _("%(address)s is invited already.") % {"address": address},
            way_out=_("Send that invite again, or revoke it first."),
        )
    taken = await queries.seats(session, account_id=who.account_id, allowance=allowance, now=now)
    if taken.left == 0 and address not in allowance.elsewhere:
        raise SeatLimit(
            _seats_in_words(taken),
            way_out=_("Revoke an invite, remove a member, or have %(holders)s choose a larger plan.")
            % {"holders": holders("billing.manage")},
            details={
                "error": "limit_reached",
                "limit": taken.limit,
                "used": taken.members + taken.invites + taken.elsewhere,
                "reset_at": None,
                "limit_key": "seats",
                "changed_by": sorted(CAPABILITIES["billing.manage"]),
            },
        )
    if earlier is not None:  # expired: the new one takes its place
        earlier.revoked_at = now
        await session.flush()
    added = AccountInvite(
        account_id=who.account_id,
        id=new_id(),
        email=email.strip(),
        email_normalized=address,
        role=Role(role),
        invited_by=who.user_id,
        created_at=now,
        expires_at=now + rules.INVITE_LIFETIME,
    )
    session.add(added)
    await session.flush()
    await _send_mail(session, tokens, who, added, now=now)
    await _record(session, who, "member.invited", added, now=now, after={"email": address, "role": added.role})
    invited = TeammateInvited(MemberRole(added.role))
    await record(session, invited, at=now, account_id=who.account_id, user_id=who.user_id)
    return added


async def resend_invite(
    session: AsyncSession,
    tokens: TokenHasher,
    who: SignedIn,
    *,
    invite_id: UUID,
    allowance: SeatAllowance,
    now: datetime,
) -> AccountInvite:
    """Renew an invite that is open or has expired, and mail it again, with the same link.

    Raises NotFound, Conflict for one that is accepted or revoked, RoleNotAllowed, InviterNotVerified, SeatLimit and
    InviteCap.
    """
    await hold_seats(session, account_id=who.account_id)
    found = await _own_invite(session, who, invite_id)
    _refuse_inviter(who, found.role)
    state = invite_state(found, now)
    if state in (InviteState.ACCEPTED, InviteState.REVOKED):
        raise Conflict(_("This invite is %(state)s.") % {"state": _(state)}, way_out=_("Invite the address anew."))
    if state is InviteState.EXPIRED:
        taken = await queries.seats(session, account_id=who.account_id, allowance=allowance, now=now)
        if taken.left == 0 and found.email_normalized not in allowance.elsewhere:
            raise SeatLimit(
                _("Your plan has no seat left for this invite."), way_out=_("Revoke another, or remove a member.")
            )
    await _send_mail(session, tokens, who, found, now=now)
    found.expires_at = now + rules.INVITE_LIFETIME
    found.email_sent_at = None
    await session.flush()
    await _record(session, who, "invite.resent", found, now=now)
    return found


async def revoke_invite(session: AsyncSession, who: SignedIn, *, invite_id: UUID, now: datetime) -> None:
    """Take an invite back: its link opens nothing from now on. Doing it twice changes nothing more.

    Raises NotFound, RoleNotAllowed, and Conflict for one that is accepted.
    """
    await hold_seats(session, account_id=who.account_id)
    found = await _own_invite(session, who, invite_id)
    if found.role not in manageable_roles(who.role):
        raise _role_refused(found.role)
    if found.accepted_at is not None:
        raise Conflict(_("This invite is accepted."), way_out=_("Remove the member instead."))
    if found.revoked_at is None:
        found.revoked_at = now
        await session.flush()
        await _record(session, who, "invite.revoked", found, now=now)


def _seats_in_words(taken: Seats) -> str:
    words = ngettext(
        "Your plan has %(limit)s seat: %(members)s taken by members and %(invites)s held by open invites.",
        "Your plan has %(limit)s seats: %(members)s taken by members and %(invites)s held by open invites.",
        taken.limit or 0,
    ) % {"limit": taken.limit, "members": taken.members, "invites": taken.invites}
    if not taken.elsewhere:
        return words
    elsewhere = ngettext(
        "%(seats)s more is taken in other workspaces of your account.",
        "%(seats)s more are taken in other workspaces of your account.",
        taken.elsewhere,
    )
    return f"{words} {elsewhere % {'seats': taken.elsewhere}}"


def _refuse_inviter(who: SignedIn, role: str) -> None:
    if not who.email_verified:
        raise InviterNotVerified(
            _("Your e-mail address is not verified, and invites are sent in your name."),
            way_out=_("Open the link in the mail to %(email)s, or have a new one sent.") % {"email": who.email},
        )
    if role not in tuple(Role):
        raise InvalidInput({"role": _("Choose one of %(role)s.") % {"role": ", ".join(manageable_roles(who.role))}})
    if not may(who.role, "team.invite") or role not in manageable_roles(who.role):
        raise _role_refused(role)


def _role_refused(role: str) -> RoleNotAllowed:
    return RoleNotAllowed(
        _("Your role may not invite %(role)s.") % {"role": with_article(role)},
        way_out=_("Ask the owner of the account.")
        if role == Role.ADMIN
        else _("Ask %(holders)s.") % {"holders": holders("team.invite")},
    )


async def _own_invite(session: AsyncSession, who: SignedIn, invite_id: UUID) -> AccountInvite:
    query = select(AccountInvite).where(AccountInvite.account_id == who.account_id, AccountInvite.id == invite_id)
    found = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if found is None:
        raise NotFound(_("This invite does not exist."), way_out=_("Reload the list of invites."))
    return found


async def _unanswered(session: AsyncSession, *, account_id: UUID, address: str) -> AccountInvite | None:
    query = select(AccountInvite).where(
        AccountInvite.account_id == account_id,
        AccountInvite.email_normalized == address,
        AccountInvite.accepted_at.is_(None),
        AccountInvite.revoked_at.is_(None),
    )
    return (await session.execute(query)).scalar_one_or_none()


async def _send_mail(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, found: AccountInvite, *, now: datetime
) -> None:
    """Have the invite mailed and count it, or raise InviteCap. What a recipient gets from several accounts is capped
    when the mail is written."""
    sent = select(func.count()).where(InviteMail.account_id == who.account_id, InviteMail.at > now - rules.CAP_WINDOW)
    caps: list[tuple[Cap, bool]] = [
        (cap, (await session.execute(query)).scalar_one() >= cap.mails)
        for cap, query in (
            (rules.INVITE_CAP, sent.where(InviteMail.invite_id == found.id)),
            (rules.INVITER_CAP, sent.where(InviteMail.requested_by == who.user_id)),
            (rules.ACCOUNT_CAP, sent),
        )
    ]
    for cap, reached in caps:
        if reached:
            raise InviteCap(
                _("%(mails)s invite mails %(whose)s within a day, and that is the most.")
                % {"mails": cap.mails, "whose": _(cap.whose)},
                way_out=_("Send more tomorrow."),
            )
    mail = InviteMail(
        account_id=who.account_id,
        id=new_id(),
        invite_id=found.id,
        requested_by=who.user_id,
        recipient_digest=tokens.digest(f"invite mail to {found.email_normalized}"),
        at=now,
    )
    session.add(mail)
    await session.flush()
    ids = {"account_id": str(who.account_id), "invite_mail_id": str(mail.id)}
    await enqueue_mail_to_address(session, "account_invite", "account_invites", found.id, **ids)


async def _record(
    session: AsyncSession,
    who: SignedIn,
    action: str,
    found: AccountInvite,
    *,
    now: datetime,
    after: dict[str, object] | None = None,
) -> None:
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action=action,
        subject=str(found.id),
        at=now,
        after=after,
    )
