"""The few things that staff may do to an account; each stands in its log."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, STEPPED_UP, VISITING, CurrentStaff, EndedVisit
from payflux.admin.time_travel import instant_typed
from payflux.frontdoor.staff import acts, rules, visits
from payflux.kit.errors import InvalidInput
from payflux.web.browsers import client_of, keep, with_session
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import see_other

router = APIRouter()

_CHOOSE = "Choose a member of the account."
MAILS: dict[str, acts.MailKind] = {"verification": "verification", "password_reset": "password_reset"}


@router.post(f"{PATH}/users/{{user_id}}/mails", dependencies=STAFF)
async def send_mail_again(staff: CurrentStaff, world: CurrentWorld, user_id: UUID, mail: Text = "") -> Response:
    """Mail the user the link that verifies their address, or one that sets a new password."""
    if mail not in MAILS:
        raise InvalidInput({"mail": f"Choose one of {', '.join(MAILS)}."})
    async with world.database.system() as session:
        await acts.send_again(session, staff, user_id=user_id, kind=MAILS[mail], now=world.clock.now())
    return see_other(f"{PATH}/users/{user_id}?done=sent")


@router.post(f"{PATH}/users/{{user_id}}/sessions/end", dependencies=STAFF)
async def end_sessions(staff: CurrentStaff, world: CurrentWorld, user_id: UUID) -> Response:
    """Sign the user out everywhere."""
    async with world.database.system() as session:
        await acts.end_user_sessions(session, staff, user_id=user_id, now=world.clock.now())
    return see_other(f"{PATH}/users/{user_id}?done=ended")


@router.post(f"{PATH}/accounts/{{account_id}}/owner", dependencies=STEPPED_UP)
async def transfer_ownership(
    staff: CurrentStaff, world: CurrentWorld, account_id: UUID, user_id: Text = "", reason: Text = ""
) -> Response:
    """Make another member the owner, for an account whose owner cannot."""
    async with world.database.tenant(account_id) as session:
        await acts.transfer_ownership(
            session,
            staff,
            account_id=account_id,
            user_id=_member(user_id),
            reason=reason,
            now=world.clock.now(),
        )
    return see_other(f"{PATH}/accounts/{account_id}")


@router.post(f"{PATH}/accounts/{{account_id}}/visits", dependencies=STEPPED_UP)
async def start_visit(
    request: Request,
    staff: CurrentStaff,
    world: CurrentWorld,
    account_id: UUID,
    user_id: Text = "",
    reason: Text = "",
    instant: Text = "",
) -> Response:
    """Look at the product as this member sees it, or would at an `instant`, in place of whoever is signed in to it in
    this browser."""
    async with world.database.system() as session:
        token = await visits.start_visit(
            session,
            world.tokens,
            staff,
            account_id=account_id,
            user_id=_member(user_id),
            reason=reason,
            client=client_of(request),
            now=world.clock.now(),
            as_of=instant_typed(instant, now=world.clock.now()) if instant else None,
        )
    seconds = int(rules.VISIT_LENGTH.total_seconds())
    return keep(see_other("/start"), world, "session", token, max_age=seconds)


@router.post(f"{PATH}/visits/end", dependencies=VISITING)
async def end_visit(account_id: EndedVisit, world: CurrentWorld) -> Response:
    """Go back to the console once the visit of this browser has ended."""
    return with_session(see_other(f"{PATH}/accounts/{account_id}"), world, "")


def _member(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise InvalidInput({"user_id": _CHOOSE}, message=_CHOOSE) from None
