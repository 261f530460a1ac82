"""An account's own periods: what they are, what a shorter one would drop, and how one is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.retention import rules
from payflux.activation.retention.models import RetentionPeriod
from payflux.activation.retention.rules import Bounds, Choice, Kept
from payflux.activation.sending import mail_members_once
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.entitlements.resolving import Entitlements, entitlements_of
from payflux.kit.audit import record_change
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.delivering import count_old_deliveries
from payflux.monitor.ledger.expiring import count_bodies
from payflux.monitor.processors.forgetting import count_events_before
from payflux.world.bootstrap import World

RETENTION = "retention_days"
FEATURE = "custom_retention"
MAIL = "retention_shortened"


class Period(NamedTuple):
    """How one kind is kept: the days in force (None without an end), the choice behind them, and its bounds."""

    kind: Kept
    days: int | None
    choice: Choice
    bounds: Bounds


class Outlook(NamedTuple):
    """What choosing a period would do: whether it is shorter, from when on it holds, and how many rows older than
    `before` go with it then; None and 0 where it drops nothing."""

    period: Period
    wanted: int | None
    is_shorter: bool
    holds_from: datetime
    before: datetime | None
    number: int


async def choices_of(session: AsyncSession, *, account_id: UUID) -> Mapping[Kept, Choice]:
    """What the account has chosen, by kind; a kind without a choice is not there."""
    rows = await session.execute(select(RetentionPeriod).where(RetentionPeriod.account_id == account_id))
    return {Kept(row.kind): row.choice for row in rows.scalars()}


async def periods_of(session: AsyncSession, world: World, *, account_id: UUID) -> list[Period]:
    """How the account keeps each kind."""
    held = await entitlements_of(session, world, account_id=account_id)
    choices = await choices_of(session, account_id=account_id)
    return [_period(kind, choices.get(kind, Choice()), held, world.clock.now()) for kind in Kept]


async def look_ahead(session: AsyncSession, world: World, *, account_id: UUID, kind: str, days: str) -> Outlook:
    """What choosing `days`, as they were typed, would do; empty is the usual period. Raises InvalidInput."""
    now = world.clock.now()
    held = await entitlements_of(session, world, account_id=account_id)
    period, wanted = await _wanted(session, held, account_id=account_id, kind=kind, days=days, now=now)
    after = rules.chosen(period.kind, period.choice, wanted, plan_days=held.limits[RETENTION], now=now)
    if after.coming_at is None:
        return Outlook(period, wanted, False, now, None, 0)
    becomes = _days(period.kind, Choice(days=wanted), held, now)
    assert becomes is not None, "a period without an end is no shorter one"
    before = after.coming_at - timedelta(days=becomes)
    count = _COUNTS[period.kind]
    number = await count(session, account_id=account_id, before=before)
    return Outlook(period, wanted, True, after.coming_at, before, number)


async def choose(session: AsyncSession, world: World, who: SignedIn, *, kind: str, days: str) -> Choice:
    """Keep what is of `kind` for so many `days`, as they were typed, or as usual where they are empty. A shorter period
    holds after a week, and the owner is told at once. Raises InvalidInput."""
    now = world.clock.now()
    held = await entitlements_of(session, world, account_id=who.account_id, fresh=True)
    period, wanted = await _wanted(session, held, account_id=who.account_id, kind=kind, days=days, now=now)
    after = rules.chosen(period.kind, period.choice, wanted, plan_days=held.limits[RETENTION], now=now)
    if after == period.choice:
        return after
    values = {"days": after.days, "coming_days": after.coming_days, "coming_at": after.coming_at, "changed_at": now}
    row = insert(RetentionPeriod).values(account_id=who.account_id, kind=period.kind, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["account_id", "kind"], set_=values))
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="retention.changed",
        subject=period.kind,
        at=now,
        before=_told(period.choice),
        after=_told(after),
    )
    if after.coming_at is not None:
        await mail_members_once(
            session,
            MAIL,
            f"{MAIL} {period.kind} {after.coming_at.isoformat()}",
            account_id=who.account_id,
            capability="account.transfer",
            now=now,
            kind=period.kind,
        )
    return after


async def _wanted(
    session: AsyncSession, held: Entitlements, *, account_id: UUID, kind: str, days: str, now: datetime
) -> tuple[Period, int | None]:
    if kind not in tuple(Kept):
        raise InvalidInput({"kind": _("Choose what is to be kept.")})
    choices = await choices_of(session, account_id=account_id)
    period = _period(Kept(kind), choices.get(Kept(kind), Choice()), held, now)
    typed, bounds = days.strip(), period.bounds
    if not typed:
        return period, None
    longest = rules.LONGEST_TYPED if bounds.longest is None else bounds.longest
    if not typed.isascii() or not typed.isdigit() or not bounds.shortest <= int(typed[:6]) <= longest:
        words = _("Enter %(shortest)s to %(longest)s days, or leave it empty.")
        raise InvalidInput({"days": words % {"shortest": bounds.shortest, "longest": longest}})
    return period, int(typed)


def _period(kind: Kept, choice: Choice, held: Entitlements, now: datetime) -> Period:
    if choice.coming_at is not None and choice.coming_at <= now:
        choice = Choice(choice.at(now))  # it has come
    return Period(kind, _days(kind, choice, held, now), choice, rules.bounds_of(kind, held.limits[RETENTION]))


def _days(kind: Kept, choice: Choice, held: Entitlements, now: datetime) -> int | None:
    may_choose = held.features.get(FEATURE, False)
    return rules.period(kind, choice, plan_days=held.limits[RETENTION], may_choose=may_choose, now=now)


def _told(choice: Choice) -> dict[str, object]:
    coming = {"coming_days": choice.coming_days, "coming_at": choice.coming_at.isoformat()} if choice.coming_at else {}
    return {"days": choice.days} | coming


_COUNTS = {
    Kept.EVIDENCE: count_bodies,
    Kept.PAYMENT_EVENTS: count_events_before,
    Kept.DELIVERIES: count_old_deliveries,
}
