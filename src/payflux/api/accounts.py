"""The caller's account, for programs: members, invites, export and deletion."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from payflux.activation.allowances import seat_allowance
from payflux.activation.deletion import delete_account
from payflux.activation.removing import leave_for_good, remove_for_good
from payflux.activation.single_sign_on import give_role
from payflux.activation.workspaces import rename_here
from payflux.api.problems import Responses
from payflux.frontdoor.accounts.keys.service import KeysOfLeaver
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import queries
from payflux.frontdoor.accounts.team.bulk import invite_many
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.exporting import account_document
from payflux.frontdoor.accounts.team.inviting import invite, resend_invite, revoke_invite
from payflux.frontdoor.accounts.team.members import InvitesOfLeaver
from payflux.frontdoor.accounts.team.rules import BULK_MAX, InviteState
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/accounts/me", tags=["accounts"])

OWN = [guard(verified=False)]
READ = [guard(capability="team.read", metered=True)]
INVITE = [guard(capability="team.invite", grace=False, entitled=True, metered=True)]
REVOKE = [guard(capability="team.invite", grace=False, metered=True)]
MANAGE = [guard(capability="team.manage", metered=True)]

GONE: Responses = {404: {"description": "not in your account"}}
CONFLICT: Responses = {409: {"description": "it does not stand as the request takes it to"}}
SEATS: Responses = {402: {"description": "the plan has no seat left"}}
CAPPED: Responses = {429: {"description": "too many invite mails today"}}

Email = Annotated[str, Field(max_length=320)]


class Account(BaseModel):
    """An account or workspace, its seats, and the caller's role in it. `seat_limit` is the account's, null without one;
    `seats_elsewhere` counts who takes one in other workspaces of the account alone."""

    id: UUID
    name: str
    role: Role
    seat_limit: int | None
    members: int
    open_invites: int
    seats_elsewhere: int


class NewName(BaseModel):
    name: str = Field(max_length=1000)


class Member(BaseModel):
    """A member of the account."""

    user_id: UUID
    name: str
    email: str
    role: Role
    verified: bool
    joined_at: datetime


class NewRole(BaseModel):
    role: Role


class NewInvite(BaseModel):
    email: Email
    role: Role = Role.ANALYST


class NewInvites(BaseModel):
    emails: list[Email] = Field(min_length=1, max_length=BULK_MAX)
    role: Role = Role.ANALYST


class Invite(BaseModel):
    """An invite that is not accepted. `email_sent_at` is null until the mail server has taken its mail. The code of
    its link stands in that mail alone."""

    id: UUID
    email: str
    role: Role
    state: InviteState
    created_at: datetime
    expires_at: datetime
    email_sent_at: datetime | None


class Outcome(BaseModel):
    """What became of one address: `invite_id`, or the `code` and `message` of the refusal."""

    email: str
    invite_id: UUID | None
    code: str
    message: str


class Deletion(BaseModel):
    """The account's name, typed, as the proof that it is meant."""

    name: str = Field(max_length=1000)


class Receipt(BaseModel):
    """What is kept of a deleted account, and mailed to whoever deleted it. `rows` counts what was deleted by table."""

    id: UUID
    deleted_at: datetime
    rows: dict[str, int]


@router.get("", dependencies=OWN)
async def get_account(who: Who, world: CurrentWorld, session: Tenant) -> Account:
    """The account that the caller acts in."""
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    seats = await queries.seats(session, account_id=who.account_id, allowance=allowance, now=world.clock.now())
    account = await queries.account_name(session, account_id=who.account_id)
    return Account(
        id=who.account_id,
        name=account,
        role=Role(who.role),
        seat_limit=seats.limit,
        members=seats.members,
        open_invites=seats.invites,
        seats_elsewhere=seats.elsewhere,
    )


@router.patch("", dependencies=[guard(capability="account.update", metered=True)])
async def rename_account(who: Who, world: CurrentWorld, session: Tenant, given: NewName) -> Account:
    """Rename it."""
    await rename_here(session, who, name=given.name, now=world.clock.now())
    return await get_account(who, world, session)


@router.get("/members", dependencies=READ)
async def list_members(who: Who, session: Tenant) -> list[Member]:
    """The members, the owner first."""
    return [Member(**vars(member)) for member in await queries.members(session, account_id=who.account_id)]


@router.patch("/members/{user_id}", dependencies=MANAGE, responses=GONE | CONFLICT)
async def change_role(who: Who, world: CurrentWorld, session: Tenant, user_id: UUID, given: NewRole) -> Member:
    """Give a member another role, below one's own."""
    member = await give_role(session, world, who, user_id=user_id, role=given.role)
    return Member(**vars(member))


@router.delete("/members/{user_id}", dependencies=MANAGE, status_code=HTTPStatus.NO_CONTENT, responses=GONE | CONFLICT)
async def remove_member(
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    user_id: UUID,
    invites: InvitesOfLeaver = "revoke",
    keys: KeysOfLeaver = "revoke",
) -> None:
    """Remove a member at once; `invites` says what becomes of the open ones they sent, `keys` of their API keys: kept
    in your name where your role reaches as far, or revoked."""
    await remove_for_good(session, world, who, user_id=user_id, invites=invites, keys=keys)


@router.post("/leave", dependencies=OWN, status_code=HTTPStatus.NO_CONTENT, responses=CONFLICT)
async def leave(who: Who, world: CurrentWorld, session: Tenant) -> None:
    """End one's own membership. The owner cannot."""
    await leave_for_good(session, world, who)


@router.get("/invites", dependencies=[guard(capability="team.invite", metered=True)])
async def list_invites(who: Who, world: CurrentWorld, session: Tenant) -> list[Invite]:
    """Invites that are open or expired, the newest first."""
    return await _invites(who, world, session)


@router.post(
    "/invites",
    dependencies=INVITE,
    status_code=HTTPStatus.CREATED,
    responses=CONFLICT | SEATS | CAPPED,
)
async def create_invite(who: Who, world: CurrentWorld, session: Tenant, given: NewInvite) -> Invite:
    """Invite one address, and mail it."""
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    added = await invite(
        session, world.tokens, who, email=given.email, role=given.role, allowance=allowance, now=world.clock.now()
    )
    return _invite((await _invites(who, world, session)), added.id)


@router.post("/invites/bulk", dependencies=INVITE)
async def create_invites(who: Who, world: CurrentWorld, session: Tenant, given: NewInvites) -> list[Outcome]:
    """Invite several; each address has its own outcome, in their order."""
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    outcomes = await invite_many(
        session, world.tokens, who, emails=given.emails, role=given.role, allowance=allowance, now=world.clock.now()
    )
    return [Outcome(**vars(outcome)) for outcome in outcomes]


@router.post("/invites/{invite_id}/resend", dependencies=INVITE, responses=GONE | CONFLICT | SEATS | CAPPED)
async def resend(who: Who, world: CurrentWorld, session: Tenant, invite_id: UUID) -> Invite:
    """Renew an invite and mail it again, with the same link."""
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    now = world.clock.now()
    await resend_invite(session, world.tokens, who, invite_id=invite_id, allowance=allowance, now=now)
    return _invite((await _invites(who, world, session)), invite_id)


@router.delete(
    "/invites/{invite_id}", dependencies=REVOKE, status_code=HTTPStatus.NO_CONTENT, responses=GONE | CONFLICT
)
async def revoke(who: Who, world: CurrentWorld, session: Tenant, invite_id: UUID) -> None:
    """Take an invite back: its link opens nothing any more."""
    await revoke_invite(session, who, invite_id=invite_id, now=world.clock.now())


@router.get(
    "/export",
    dependencies=[guard(verified=False, capability="account.export", step_up=True)],
    response_class=StreamingResponse,
    responses={200: {"description": "everything that is held of the account", "content": {"application/json": {}}}},
)
async def export(who: Who, world: CurrentWorld) -> StreamingResponse:
    """Everything that is held of the account, without keys and tokens: `tables` has the rows of each."""
    return StreamingResponse(
        account_document(world.database, account_id=who.account_id, now=world.clock.now()),
        media_type="application/json",
    )


@router.delete(
    "",
    dependencies=[guard(verified=False, capability="account.delete", step_up=True)],
    responses=CONFLICT | {503: {"description": "a processor does not answer; nothing was deleted"}},
)
async def delete(who: Who, world: CurrentWorld, given: Annotated[Deletion, Body()]) -> Receipt:
    """Delete the account with every row of it. 409 lists in `blockers` what has to end before."""
    receipt = await delete_account(world, who, typed_name=given.name)
    return Receipt(id=receipt.id, deleted_at=receipt.deleted_at, rows=receipt.rows)


async def _invites(who: SignedIn, world: CurrentWorld, session: Tenant) -> list[Invite]:
    pending = await queries.pending_invites(session, account_id=who.account_id, now=world.clock.now())
    return [Invite(**{name: getattr(each, name) for name in Invite.model_fields}) for each in pending]


def _invite(pending: list[Invite], invite_id: UUID) -> Invite:
    return next(each for each in pending if each.id == invite_id)
