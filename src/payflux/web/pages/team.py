"""The team: who is in the account, who is invited, and who owns it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from payflux.activation.allowances import seat_allowance
from payflux.activation.removing import leave_for_good, remove_for_good
from payflux.activation.service import get_workspace
from payflux.activation.single_sign_on import give_role
from payflux.frontdoor.accounts.keys.service import KeysOfLeaver, keys_of
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import members, queries, transfers
from payflux.frontdoor.accounts.team.bulk import Outcome, addresses_in, invite_many
from payflux.frontdoor.accounts.team.capabilities import Role, manageable_roles, may
from payflux.frontdoor.accounts.team.inviting import resend_invite, revoke_invite
from payflux.frontdoor.accounts.team.members import InvitesOfLeaver
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.web.browsers import with_session
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other

router = APIRouter(prefix="/account/team")

TEAM = "/account/team"
READ = [guard(capability="team.read")]
INVITE = [guard(capability="team.invite", grace=False, entitled=True)]
REVOKE = [guard(capability="team.invite", grace=False)]
MANAGE = [guard(capability="team.manage")]
TRANSFER = [guard(capability="account.transfer", grace=False, step_up=True, of_account=True)]

ROLE_WORDS = {
    Role.OWNER: mark("does everything, pays, and may hand over or delete the account"),
    Role.ADMIN: mark("manages connections, the team, keys and billing"),
    Role.ANALYST: mark("reads everything, manages alerts and exports evidence"),
    Role.VIEWER: mark("reads everything"),
}


@router.get("", dependencies=READ)
async def team_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """Members, invites, seats, and an offer of ownership where one is open."""
    return await _page(request, who, world, session, subscription)


@router.post("/invites", dependencies=INVITE)
async def invite(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    emails: Text = "",
    role: Text = "",
) -> Response:
    """Invite everybody in a pasted list."""
    form = {"emails": emails, "role": role}
    try:
        outcomes = await invite_many(
            session,
            world.tokens,
            who,
            emails=addresses_in(emails),
            role=role,
            allowance=await seat_allowance(session, world, account_id=who.account_id),
            now=world.clock.now(),
        )
    except InvalidInput as wrong:
        return await _page(request, who, world, session, subscription, errors=wrong.fields, form=form)
    refused = [outcome for outcome in outcomes if outcome.invite_id is None]
    if not refused:
        return see_other(f"{TEAM}#invites")
    form["emails"] = "\n".join(outcome.email for outcome in refused)
    errors = {"emails": _("Some were not invited; they still stand here.")}
    return await _page(request, who, world, session, subscription, errors=errors, form=form, outcomes=outcomes)


@router.post("/invites/{invite_id}/resend", dependencies=INVITE)
async def resend(who: Who, world: CurrentWorld, session: Tenant, invite_id: UUID) -> Response:
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    await resend_invite(session, world.tokens, who, invite_id=invite_id, allowance=allowance, now=world.clock.now())
    return see_other(f"{TEAM}#invites")


@router.post("/invites/{invite_id}/revoke", dependencies=REVOKE)
async def revoke(who: Who, world: CurrentWorld, session: Tenant, invite_id: UUID) -> Response:
    await revoke_invite(session, who, invite_id=invite_id, now=world.clock.now())
    return see_other(f"{TEAM}#invites")


@router.post("/members/{user_id}/role", dependencies=MANAGE)
async def change_role(who: Who, world: CurrentWorld, session: Tenant, user_id: UUID, role: Text = "") -> Response:
    await give_role(session, world, who, user_id=user_id, role=role)
    return see_other(TEAM)


@router.get("/members/{user_id}/remove", dependencies=MANAGE)
async def remove_page(
    request: Request,
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    user_id: UUID,
) -> Response:
    """What a member holds, and the question what is to become of it."""
    member = await queries.find_member(session, account_id=who.account_id, user_id=user_id)
    if member is None:
        raise NotFound(_("This person is not a member of your account."), way_out=_("Reload the list of members."))
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(
        request,
        "member_remove.html",
        member=member,
        holdings=await members.holdings(session, account_id=who.account_id, user_id=user_id, now=world.clock.now()),
        keys=await keys_of(session, account_id=who.account_id, owner_id=user_id, now=world.clock.now()),
        **product_context(world, workspace, subscription),
    )


@router.post("/members/{user_id}/remove", dependencies=MANAGE)
async def remove(
    who: Who,
    world: CurrentWorld,
    session: Tenant,
    user_id: UUID,
    invites: Annotated[InvitesOfLeaver, Form()] = "revoke",
    keys: Annotated[KeysOfLeaver, Form()] = "revoke",
) -> Response:
    await remove_for_good(session, world, who, user_id=user_id, invites=invites, keys=keys)
    return see_other(TEAM)


@router.post("/leave", dependencies=[guard(verified=False)])
async def leave(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    """End one's own membership, and sign out: what is left is another account, or none."""
    await leave_for_good(session, world, who)
    return with_session(see_other("/"), world, "")


@router.get("/transfer", dependencies=TRANSFER)
async def transfer_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """Whom the account can be offered to."""
    everyone = await queries.members(session, account_id=who.account_id)
    workspace = await get_workspace(session, account_id=who.account_id)
    candidates = [member for member in everyone if member.user_id != who.user_id and member.verified]
    return render(request, "transfer.html", candidates=candidates, **product_context(world, workspace, subscription))


@router.post("/transfer", dependencies=TRANSFER)
async def request_transfer(
    who: Who, world: CurrentWorld, session: Tenant, user_id: Annotated[UUID, Form()]
) -> Response:
    await transfers.request_transfer(session, who, user_id=user_id, now=world.clock.now())
    return see_other(f"{TEAM}#ownership")


@router.post("/transfer/cancel", dependencies=[guard(capability="account.transfer")])
async def cancel_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    await transfers.cancel_transfer(session, who, now=world.clock.now())
    return see_other(f"{TEAM}#ownership")


@router.post("/transfer/decline", dependencies=READ)
async def decline_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    await transfers.decline_transfer(session, who, now=world.clock.now())
    return see_other(f"{TEAM}#ownership")


@router.get("/transfer/accept", dependencies=[guard(capability="team.read", grace=False, step_up=True)])
async def accept_page(
    request: Request, who: Who, world: CurrentWorld, session: Tenant, subscription: CurrentSubscription
) -> Response:
    """What owning the account means, for the member it is offered to."""
    offer = await queries.open_transfer(session, account_id=who.account_id, now=world.clock.now())
    if offer is None or offer.to_user_id != who.user_id:
        raise NotFound(_("No transfer of ownership is open to you."), way_out=_("Go to Team to see how it stands."))
    workspace = await get_workspace(session, account_id=who.account_id)
    return render(request, "transfer_accept.html", offer=offer, **product_context(world, workspace, subscription))


@router.post("/transfer/accept", dependencies=[guard(capability="team.read", grace=False, step_up=True)])
async def accept_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Response:
    await transfers.accept_transfer(session, who, now=world.clock.now())
    return see_other(f"{TEAM}#ownership")


async def _page(
    request: Request,
    who: SignedIn,
    world: CurrentWorld,
    session: Tenant,
    subscription: CurrentSubscription,
    *,
    errors: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    outcomes: list[Outcome] | None = None,
) -> Response:
    now = world.clock.now()
    allowance = await seat_allowance(session, world, account_id=who.account_id)
    workspace = await get_workspace(session, account_id=who.account_id)
    invites = may(who.role, "team.invite")
    return render(
        request,
        "team.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        who=who,
        members=await queries.members(session, account_id=who.account_id),
        invites=await queries.pending_invites(session, account_id=who.account_id, now=now) if invites else [],
        seats=await queries.seats(session, account_id=who.account_id, allowance=allowance, now=now),
        transfer=await queries.open_transfer(session, account_id=who.account_id, now=now),
        roles=manageable_roles(who.role),
        role_words=ROLE_WORDS,
        may_invite=invites,
        may_manage=may(who.role, "team.manage"),
        may_transfer=may(who.role, "account.transfer"),
        form=form or {"emails": "", "role": "analyst"},
        errors=errors or {},
        outcomes=outcomes or [],
        **product_context(world, workspace, subscription),
    )
