"""Hand an account over, for programs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from payflux.api.problems import Responses
from payflux.frontdoor.accounts.team import queries, transfers
from payflux.frontdoor.accounts.team.models import OwnershipTransfer
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/accounts/me/transfer-ownership", tags=["accounts"])

READ = [guard(capability="team.read")]

GONE: Responses = {404: {"description": "nothing to answer, or not a member of your account"}}
CONFLICT: Responses = {409: {"description": "an offer is open, or the member's address is not verified"}}


class Transfer(BaseModel):
    """An offer of ownership. `outcome` is null while it waits for an answer."""

    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    requested_at: datetime
    expires_at: datetime
    outcome: str | None


class NewOwner(BaseModel):
    user_id: UUID


@router.get("", dependencies=READ, responses=GONE)
async def get_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Transfer:
    """The offer of ownership that waits for an answer."""
    offer = await queries.open_transfer(session, account_id=who.account_id, now=world.clock.now())
    if offer is None:
        raise NotFound(_("No transfer of ownership is open."), way_out=_("The owner can offer it."))
    return _transfer(offer)


@router.post(
    "",
    dependencies=[guard(capability="account.transfer", grace=False, step_up=True, of_account=True)],
    status_code=HTTPStatus.CREATED,
    responses=GONE | CONFLICT,
)
async def request_transfer(who: Who, world: CurrentWorld, session: Tenant, given: NewOwner) -> Transfer:
    """Offer the account to a member with a verified address. Nothing changes before they accept."""
    return _transfer(await transfers.request_transfer(session, who, user_id=given.user_id, now=world.clock.now()))


@router.delete(
    "",
    dependencies=[guard(capability="account.transfer")],
    responses=GONE,
)
async def cancel_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Transfer:
    """Take the offer back."""
    return _transfer(await transfers.cancel_transfer(session, who, now=world.clock.now()))


@router.post(
    "/accept",
    dependencies=[guard(capability="team.read", grace=False, step_up=True)],
    responses=GONE,
)
async def accept_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Transfer:
    """Own the account, as the member it is offered to."""
    return _transfer(await transfers.accept_transfer(session, who, now=world.clock.now()))


@router.post("/decline", dependencies=READ, responses=GONE)
async def decline_transfer(who: Who, world: CurrentWorld, session: Tenant) -> Transfer:
    """Refuse it."""
    return _transfer(await transfers.decline_transfer(session, who, now=world.clock.now()))


def _transfer(offer: OwnershipTransfer) -> Transfer:
    return Transfer(**{name: getattr(offer, name) for name in Transfer.model_fields})
