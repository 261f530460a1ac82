"""The account's directory, as it tells by SCIM who is in the company: members come and go with it. As the system role,
for whoever comes is in no account yet, and whoever goes takes their sessions along.

Source: RFC 7643 and RFC 7644. An address authorizes nothing by itself: its domain has to be proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.keys.service import settle_keys
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso.arriving import find_or_create_user, is_own_domain, make_member, require_seat
from payflux.frontdoor.accounts.sso.groups import default_role, given_roles, note_departure, set_role
from payflux.frontdoor.accounts.sso.leaving import bury, unearth
from payflux.frontdoor.accounts.sso.models import DirectoryUser
from payflux.frontdoor.accounts.team.inviting import hold_seats
from payflux.frontdoor.accounts.team.members import end_membership, forget_membership
from payflux.frontdoor.accounts.workspaces.leaving import leave_workspaces
from payflux.kit.audit import record_change
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, PaymentRequired
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _


class AlreadyInDirectory(Conflict):
    code = "uniqueness"


class OwnerStays(Forbidden):
    """A directory does not take the owner's place: somebody has to be able to mend it."""

    code = "owner_stays"


class PlanTakesNobody(PaymentRequired):
    code = "sso_no_new_members"


@dataclass(frozen=True)
class Person:
    """What a directory tells of somebody; `user_name` is their address."""

    user_name: str
    external_id: str = ""
    name: str = ""
    active: bool = True


@dataclass(frozen=True)
class Room:
    """What the account's plan allows: how many seats (None without a limit), and whether a directory may fill them."""

    seats: int | None
    takes_members: bool


async def list_people(
    session: AsyncSession, *, account_id: UUID, user_name: str | None, external_id: str | None, start: int, count: int
) -> tuple[int, list[DirectoryUser]]:
    """How many there are, and `count` of them from the `start`th (the first is 1) on, by when they came."""
    where = [DirectoryUser.account_id == account_id]
    if user_name is not None:
        where.append(DirectoryUser.user_name == normalize_email(user_name))
    if external_id is not None:
        where.append(DirectoryUser.external_id == external_id)
    total = (await session.execute(select(func.count()).select_from(DirectoryUser).where(*where))).scalar_one()
    query = select(DirectoryUser).where(*where).order_by(DirectoryUser.id).offset(max(start, 1) - 1).limit(count)
    return total, list((await session.execute(query)).scalars())


async def get_person(session: AsyncSession, *, account_id: UUID, person_id: UUID) -> DirectoryUser:
    """Raises NotFound."""
    query = select(DirectoryUser).where(DirectoryUser.account_id == account_id, DirectoryUser.id == person_id)
    found = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if found is None:
        raise NotFound(_("The directory has no such person."), way_out=_("List them, and use the id of one."))
    return found


async def add_person(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, told: Person, *, room: Room, now: datetime
) -> DirectoryUser:
    """Take somebody up, and make them a member where they are active; a member already is the one they are.

    Raises InvalidInput unless the address is of a proven domain, AlreadyInDirectory, PlanTakesNobody and SeatLimit.
    """
    await hold_seats(session, account_id=who.account_id)
    address = await _own_address(session, who.account_id, told.user_name)
    total, _found = await list_people(
        session, account_id=who.account_id, user_name=address, external_id=None, start=1, count=1
    )
    if total:
        raise AlreadyInDirectory(_("The directory has this address already."), way_out=_("Change that person."))
    row = DirectoryUser(
        account_id=who.account_id,
        id=new_id(),
        user_name=address,
        external_id=told.external_id[:255],
        name=" ".join(told.name.split())[:200],
        active=False,
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    await session.flush()
    if told.active:
        await _bring_in(session, tokens, who, row, room=room, now=now)
    return row


async def change_person(
    session: AsyncSession,
    tokens: TokenHasher,
    who: SignedIn,
    told: Person,
    *,
    person_id: UUID,
    room: Room,
    now: datetime,
) -> DirectoryUser:
    """Make somebody what the directory tells now; inactive ends their place, sessions and keys in this transaction.

    Raises NotFound, OwnerStays, and what :func:`add_person` does.
    """
    await hold_seats(session, account_id=who.account_id)
    row = await get_person(session, account_id=who.account_id, person_id=person_id)
    if normalize_email(told.user_name) != row.user_name:
        address = await _own_address(session, who.account_id, told.user_name)
        total, _found = await list_people(
            session, account_id=who.account_id, user_name=address, external_id=None, start=1, count=1
        )
        if total:
            raise AlreadyInDirectory(_("The directory has this address already."), way_out=_("Change that person."))
        row.user_name = address
    row.external_id, row.name = told.external_id[:255], " ".join(told.name.split())[:200]
    row.changed_at = now
    if told.active and not row.active:
        await _bring_in(session, tokens, who, row, room=room, now=now)
    elif row.active and not told.active:
        await _send_away(session, tokens, who, row, now=now)
    await session.flush()
    return row


async def remove_person(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, *, person_id: UUID, now: datetime
) -> None:
    """Forget somebody, whose place ends too. Raises NotFound and OwnerStays."""
    await hold_seats(session, account_id=who.account_id)
    row = await get_person(session, account_id=who.account_id, person_id=person_id)
    if row.active:
        await _send_away(session, tokens, who, row, now=now)
    await note_departure(session, account_id=who.account_id, person_id=person_id, now=now)
    await session.delete(row)
    await session.flush()


def told_of(row: DirectoryUser) -> Person:
    """What the directory told of somebody last."""
    return Person(row.user_name, row.external_id, row.name, row.active)


async def _bring_in(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, row: DirectoryUser, *, room: Room, now: datetime
) -> None:
    account_id = row.account_id
    await unearth(session, tokens, account_id=account_id, email=row.user_name)
    name = row.name or row.user_name.partition("@")[0]
    user = await find_or_create_user(session, email=row.user_name, name=name, now=now)
    place = select(Membership.role).where(Membership.account_id == account_id, Membership.user_id == user.id)
    given = (await given_roles(session, account_id=account_id, person_id=row.id)).get(row.id)
    if (await session.execute(place)).scalar_one_or_none() is None:
        if not room.takes_members:
            raise PlanTakesNobody(
                _("The account's plan takes no new members from a directory."),
                way_out=_("Have its owner look at the plan."),
            )
        await require_seat(session, account_id=account_id, limit=room.seats)
        role = given or await default_role(session, account_id=account_id)
        await make_member(session, account_id=account_id, user=user, role=role, by="scim", now=now)
    elif given is not None:
        await set_role(session, who, user_id=user.id, role=given, now=now)
    row.user_id, row.active = user.id, True
    await session.flush()


async def _send_away(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, row: DirectoryUser, *, now: datetime
) -> None:
    account_id, user_id = row.account_id, row.user_id
    row.active, row.user_id = False, None
    if user_id is None:
        return
    mine = select(Membership.role).where(Membership.account_id == account_id, Membership.user_id == user_id)
    role = (await session.execute(mine)).scalar_one_or_none()
    if role == "owner":
        raise OwnerStays(
            _("The owner's place cannot be ended by a directory."), way_out=_("Transfer the ownership first.")
        )
    if role is not None:  # else they are in a workspace alone, or nowhere
        await bury(session, tokens, account_id=account_id, user_id=user_id, email=row.user_name, now=now)
        await settle_keys(session, who, owner_id=user_id, becomes="revoke", now=now)
        await end_membership(session, account_id=account_id, user_id=user_id, heir=None, now=now)
        await record_change(
            session,
            account_id=account_id,
            actor_id=who.user_id,
            action="member.deprovisioned",
            subject=str(user_id),
            at=now,
            before={"role": role},
        )
    left = await leave_workspaces(session, who, user_id=user_id, email=row.user_name, now=now)
    for place in (*left, account_id) if role is not None else left:
        await forget_membership(session, account_id=place, user_id=user_id)


async def _own_address(session: AsyncSession, account_id: UUID, user_name: str) -> str:
    address = normalize_email(user_name)
    if not is_email(address) or not await is_own_domain(session, account_id=account_id, email=address):
        raise InvalidInput({"userName": _("Use an e-mail address of a domain that the account has proven.")})
    return address
