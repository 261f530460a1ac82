"""Change roles, remove members, leave, and act in another of one's accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.family import places_of
from payflux.frontdoor.accounts.models import Account, Membership, Session, User
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries, rules
from payflux.frontdoor.accounts.team.capabilities import (
    Role,
    holders,
    manageable_roles,
    may,
    may_change_role,
    may_remove,
    with_article,
)
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.accounts.team.queries import Invite, Member
from payflux.frontdoor.accounts.team.rules import InviteState
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, Forbidden, InvalidInput, NotFound
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_user

InvitesOfLeaver = Literal["keep", "revoke"]


class NotYours(Forbidden):
    """The caller's role does not reach this member."""

    code = "role_not_allowed"


class OwnerStays(Conflict):
    code = "owner_stays"


class OneAccountAlone(Conflict):
    """The session was opened by an account's identity provider, and opens no other account."""

    code = "one_account_alone"


@dataclass(frozen=True)
class Holdings:
    """What a member holds in the account: what becomes of it is chosen when they go."""

    open_invites: list[Invite]


async def change_role(session: AsyncSession, who: SignedIn, *, user_id: UUID, role: str, now: datetime) -> Member:
    """Give a member another role; it holds from their next request on.

    Raises NotFound, InvalidInput for a role that there is none of, and NotYours: nobody gives or takes a role that is
    not below their own, and nobody changes their own.
    """
    if role not in tuple(Role):
        raise InvalidInput({"role": _("Choose one of %(role)s.") % {"role": ", ".join(manageable_roles(who.role))}})
    acting, target = await locked_pair(session, who, user_id)
    if target.user_id == who.user_id or not may_change_role(acting, of=target.role, to=role):
        raise NotYours(
            _("Your role may not make %(name)s %(role)s.")
            % {"name": _("yourself") if user_id == who.user_id else target.name, "role": with_article(role)},
            way_out=_("Ownership changes hands by a transfer.")
            if Role.OWNER in (role, target.role)
            else _("Ask %(holders)s of the account.") % {"holders": holders("account.transfer")},
        )
    if target.role != role:
        await session.execute(
            update(Membership)
            .where(Membership.account_id == who.account_id, Membership.user_id == user_id)
            .values(role=role)
        )
        await _record(session, who, "member.role_changed", user_id, now, before=target.role, after=role)
    return Member(target.user_id, target.name, target.email, Role(role), target.verified, target.joined_at)


async def write_role(
    session: AsyncSession, who: SignedIn, *, user_id: UUID, role: str, now: datetime, by: str = ""
) -> None:
    """Give a member of the caller's account, unless they are the owner, a role that was decided elsewhere: `by` says
    where, in the log. Nothing happens where there is no such member, or they have it."""
    mine = (Membership.account_id == who.account_id, Membership.user_id == user_id)
    before = (await session.execute(select(Membership.role).where(*mine).with_for_update())).scalar_one_or_none()
    if before in (None, Role.OWNER, role):
        return
    await session.execute(update(Membership).where(*mine).values(role=role))
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="member.role_changed",
        subject=str(user_id),
        at=now,
        before={"role": before},
        after={"role": role} | ({"by": by} if by else {}),
    )


async def holdings(session: AsyncSession, *, account_id: UUID, user_id: UUID, now: datetime) -> Holdings:
    """What a member holds: the invites they sent that are still open. Connections are the account's, whoever made
    them."""
    sent = select(AccountInvite.id).where(AccountInvite.account_id == account_id, AccountInvite.invited_by == user_id)
    theirs = set((await session.execute(sent)).scalars())
    pending = await queries.pending_invites(session, account_id=account_id, now=now)
    return Holdings([each for each in pending if each.id in theirs and each.state is InviteState.OPEN])


async def remove_member(
    session: AsyncSession, who: SignedIn, *, user_id: UUID, invites: InvitesOfLeaver, now: datetime
) -> Member:
    """End another member's place in the account, and tell them by mail. It opens nothing to them from their next
    request on; the caller has :func:`forget_membership` run after this transaction.

    `invites` says what becomes of the open invites they sent: kept as the caller's own, or revoked. Raises NotFound,
    NotYours and, for oneself, Conflict.
    """
    await hold_seats(session, account_id=who.account_id)
    acting, target = await locked_pair(session, who, user_id)
    if user_id == who.user_id:
        raise Conflict(_("You cannot remove yourself."), way_out=_("Leave the account instead."), code="use_leave")
    if not may(acting, "team.manage") or not may_remove(acting, target=target.role):
        raise NotYours(
            _("Your role may not remove %(role)s.") % {"role": with_article(target.role)},
            way_out=_("The owner is changed by a transfer.")
            if target.role is Role.OWNER
            else _("Ask %(holders)s of the account.") % {"holders": holders("account.transfer")},
        )
    heir = who.user_id if invites == "keep" else None
    await end_membership(session, account_id=who.account_id, user_id=user_id, heir=heir, now=now)
    await _record(session, who, "member.removed", user_id, now, before=target.role)
    await enqueue_mail_to_user(session, "member_removed", user_id, left_account_id=str(who.account_id))
    return target


async def leave(session: AsyncSession, who: SignedIn, *, now: datetime) -> None:
    """End the caller's own place in the account; open invites they sent are revoked. Raises OwnerStays."""
    await hold_seats(session, account_id=who.account_id)
    _role, target = await locked_pair(session, who, who.user_id)
    if target.role is Role.OWNER:
        raise OwnerStays(
            _("You own this account, so you cannot leave it."), way_out=_("Transfer the ownership first, or delete it.")
        )
    await end_membership(session, account_id=who.account_id, user_id=who.user_id, heir=None, now=now)
    await _record(session, who, "member.left", who.user_id, now, before=target.role)


async def forget_membership(
    session: AsyncSession, *, account_id: UUID, user_id: UUID, parent_id: UUID | None = None
) -> None:
    """End the sessions that a former member had in an account and, where it was their only one, delete the user: of
    somebody without an account nothing is kept. Runs as the system role, after the membership has ended.

    Somebody who is a member (again) keeps everything; who has left a workspace of the account `parent_id`, and is in
    that still, goes on there.
    """
    # locked first: somebody who joins an account at this moment keeps their user
    found = await session.execute(select(User.id).where(User.id == user_id).with_for_update())
    if found.scalar_one_or_none() is None:
        return
    places = {place.account_id for place in await places_of(session, user_id=user_id)}
    if not places:
        await session.execute(delete(User).where(User.id == user_id))
    elif account_id not in places:
        left = Session.account_id == account_id
        if parent_id not in places:
            left |= Session.account_id.is_(None)
        await session.execute(delete(Session).where(Session.user_id == user_id, left))


async def act_in(session: AsyncSession, *, session_id: UUID, user_id: UUID, account_id: UUID) -> None:
    """Have a session act in another of its user's accounts or workspaces. Runs as the system role. Raises NotFound for
    one that they are not in, whether or not there is such an account, and OneAccountAlone."""
    places = {place.account_id: place for place in await places_of(session, user_id=user_id)}
    if account_id not in places:
        raise NotFound(_("You are not a member of this account."), way_out=_("Choose one of your own."))
    mine = select(Session.sso_account_id).where(Session.id == session_id, Session.user_id == user_id)
    opened_by = (await session.execute(mine)).scalar_one_or_none()
    if opened_by not in (None, account_id, places[account_id].paying_account_id):
        raise OneAccountAlone(
            _("You signed in by single sign-on, which opens one account alone."),
            way_out=_("Sign out, and sign in another way to act in your other accounts."),
        )
    await session.execute(
        update(Session).where(Session.id == session_id, Session.user_id == user_id).values(account_id=account_id)
    )


async def rename_account(session: AsyncSession, who: SignedIn, *, name: str, now: datetime) -> None:
    """Raises InvalidInput."""
    if problem := rules.name_problem(name, longest=rules.ACCOUNT_NAME_MAX):
        raise InvalidInput({"name": problem})
    name = " ".join(name.split())
    if name == who.account_name:
        return
    await session.execute(update(Account).where(Account.id == who.account_id).values(name=name))
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="account.renamed",
        subject=str(who.account_id),
        at=now,
        before={"name": who.account_name},
        after={"name": name},
    )


async def rename_user(session: AsyncSession, *, user_id: UUID, name: str, now: datetime) -> None:
    """Change a person's own name. Runs as the system role. Raises InvalidInput."""
    if problem := rules.name_problem(name, longest=rules.USER_NAME_MAX):
        raise InvalidInput({"name": problem})
    await session.execute(update(User).where(User.id == user_id).values(name=" ".join(name.split())))
    await record_personal_change(session, user_id=user_id, action="user.renamed", at=now)


async def choose_language(session: AsyncSession, *, user_id: UUID, language: str) -> None:
    """Write pages and mails for a person in `language`. Runs as the system role."""
    await session.execute(update(User).where(User.id == user_id).values(language=language))


async def locked_pair(session: AsyncSession, who: SignedIn, user_id: UUID) -> tuple[Role, Member]:
    """The caller's role as it is now, and the member they act on; both keep their places until the transaction ends.
    Raises NotFound unless both are in the account."""
    pair = select(Membership.user_id, Membership.role).where(
        Membership.account_id == who.account_id, Membership.user_id.in_([who.user_id, user_id])
    )
    rows = await session.execute(pair.order_by(Membership.user_id).with_for_update())
    roles = {member_id: Role(role) for member_id, role in rows}
    target = await queries.find_member(session, account_id=who.account_id, user_id=user_id)
    if who.user_id not in roles or target is None:
        raise NotFound(_("This person is not a member of your account."), way_out=_("Reload the list of members."))
    return roles[who.user_id], target


async def end_membership(
    session: AsyncSession, *, account_id: UUID, user_id: UUID, heir: UUID | None, now: datetime
) -> None:
    """Take a member's place, whoever asks; the open invites they sent become those of `heir`, or are revoked."""
    unanswered = (
        AccountInvite.account_id == account_id,
        AccountInvite.invited_by == user_id,
        AccountInvite.accepted_at.is_(None),
        AccountInvite.revoked_at.is_(None),
    )
    becomes = {"revoked_at": now} if heir is None else {"invited_by": heir}
    await session.execute(update(AccountInvite).where(*unanswered).values(**becomes))
    await session.execute(delete(Membership).where(Membership.account_id == account_id, Membership.user_id == user_id))


async def _record(
    session: AsyncSession,
    who: SignedIn,
    action: str,
    user_id: UUID,
    now: datetime,
    *,
    before: str | None = None,
    after: str | None = None,
) -> None:
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action=action,
        subject=str(user_id),
        at=now,
        before=None if before is None else {"role": str(before)},
        after=None if after is None else {"role": str(after)},
    )
