"""Look at an account as of any instant: how it stands, what its pages show, and the mails that go out by then.

It is what the product itself finds out in a world whose clock shows that instant, so that there is nothing to keep in
step with it. The rows are those of now: what Stripe or a member does in between is not foreseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.billing_mails import WRITERS
from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.team.queries import Member, account_name, members
from payflux.frontdoor.billing.models import SentNotice, Subscription
from payflux.frontdoor.billing.notices import FIRST_WARNING, LAST_WARNING, due_between, notices_sent, who_pays
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.billing.rules import HISTORY, Standing, standing_of
from payflux.frontdoor.entitlements.grounds import grounds_of
from payflux.frontdoor.entitlements.resolving import Entitlements, resolve_all
from payflux.frontdoor.entitlements.rules import Grounds
from payflux.frontdoor.staff.acts import record_look
from payflux.frontdoor.staff.finding import account_record
from payflux.kit.errors import InvalidInput
from payflux.web.billing_words import Pill, open_notices, pill_of
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render
from payflux.world.bootstrap import World
from payflux.world.mail import Mail

router = APIRouter()

FARTHEST = timedelta(days=5 * 365)
"""How far from now an instant may lie."""


@dataclass(frozen=True)
class Forthcoming:
    """A mail that goes out at an instant, and who gets it."""

    at: datetime
    mail: Mail
    to: list[Member]


@dataclass(frozen=True)
class Seen:
    """An account as of an instant. `moments` are the instants at which something changes by itself, in order;
    `mails` go out between now and then, `sent` are those that were sent until then."""

    name: str
    pill: Pill
    held: Entitlements
    notices: list[str]
    mails: list[Forthcoming]
    sent: list[SentNotice]
    moments: list[datetime]
    members: list[Member]


async def seen_at(world: World, *, account_id: UUID, instant: datetime) -> Seen:
    """The account as its members would see it at `instant`, and the mails that lead there. Nothing is changed."""
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        subscription = await newest_subscription(session, account_id=account_id)
        grounds = await grounds_of(session, account_id=account_id, now=now)
        name = await account_name(session, account_id=account_id)
        everybody = await members(session, account_id=account_id)
        payers = await who_pays(session, account_id=account_id)
        sent = await notices_sent(session, account_id=account_id)
    held = resolve_all(grounds, instant)
    return Seen(
        name=name,
        pill=pill_of(held.standing, may_pay=True, now=instant),
        held=held,
        notices=open_notices(held.standing, [], instant),
        mails=[] if subscription is None else await _mails(world, subscription, sent, payers, name, until=instant),
        sent=[each for each in sent if each.at <= instant],
        moments=_moments(grounds),
        members=everybody,
    )


async def _mails(
    world: World, subscription: Subscription, sent: list[SentNotice], to: list[Member], account: str, *, until: datetime
) -> list[Forthcoming]:
    now, found = world.clock.now(), []
    earlier = [each.notice for each in sent if each.subscription_id == subscription.id]
    for due in due_between(standing_of(subscription), earlier, now, until) if to else []:
        at, first = max(due.at, now), to[0]
        payload = {"account_id": str(subscription.account_id), "subscription_id": str(subscription.id)}
        mail = await WRITERS[due.mail](world.as_of(at), payload, Addressee(first.name, first.email, account))
        if mail is not None:
            found.append(Forthcoming(at, mail, to))
    return found


def _moments(grounds: Grounds) -> list[datetime]:
    standing = [each for each in grounds.overrides if each.revoked_at is None]
    edges = {edge for each in standing for edge in (each.starts_at, each.expires_at) if edge is not None}
    return sorted(edges | _edges(grounds.standing))


def _edges(standing: Standing | None) -> set[datetime]:
    if standing is None:
        return set()
    edges = {standing.cancel_at, standing.next_payment_attempt_at}
    if standing.status == "trialing" and (end := standing.current_period_end) is not None:
        edges |= {end - FIRST_WARNING, end - LAST_WARNING, end, end + HISTORY}
    return {edge for edge in edges if edge is not None}


def instant_typed(typed: str, *, now: datetime) -> datetime:
    """An instant as a form or an address names it, in UTC unless it says otherwise. Raises InvalidInput."""
    try:
        instant = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise _refused("Write the instant like 2026-12-05T12:00; it is in UTC.") from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if abs(instant - now) > FARTHEST:
        raise _refused("Choose an instant within five years of now.")
    return instant.astimezone(UTC)


def _refused(problem: str) -> InvalidInput:
    return InvalidInput({"instant": problem}, message=problem)


@router.get(f"{PATH}/accounts/{{account_id}}/at", dependencies=STAFF)
async def account_at(
    request: Request, staff: CurrentStaff, world: CurrentWorld, account_id: UUID, instant: str = ""
) -> Response:
    """The account as of `instant`, which is now where none is named; that it was opened stands in its log."""
    now = world.clock.now()
    at = instant_typed(instant, now=now) if instant else now
    async with world.database.system() as session:
        await account_record(session, account_id=account_id, now=now)
        await record_look(session, staff, account_id=account_id, now=now)
    seen = await seen_at(world, account_id=account_id, instant=at)
    return render(request, "admin/at.html", staff=staff, account_id=account_id, seen=seen, at=at, now=now)
