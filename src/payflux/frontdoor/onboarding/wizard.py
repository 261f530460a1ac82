"""What a new owner tells of their business, and how far they are with telling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.models import Account, Membership, User
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.frontdoor.accounts.team.members import rename_account
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.funnel.events import (
    ProductEvent,
    WelcomeWizardCompleted,
    WelcomeWizardSkipped,
    WelcomeWizardStepCompleted,
)
from payflux.frontdoor.funnel.recording import record
from payflux.frontdoor.onboarding.rules import Answer, Progress, after, is_done, is_open
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.messages import gettext as _


class StepNotOpen(Conflict):
    """The wizard is done, or an earlier step comes first."""

    code = "wizard_step_not_open"


@dataclass(frozen=True)
class Told:
    """What has been told so far; None where it has not. The keys are the catalogue's."""

    progress: Progress
    team_size: str | None
    role: str | None
    processor: str | None


@dataclass(frozen=True)
class Given:
    """What somebody fills in with one step; None for what they leave as it is."""

    name: str | None = None
    team_size: str | None = None
    role: str | None = None
    processor: str | None = None


async def get_told(session: AsyncSession, who: SignedIn, *, lock: bool = False) -> Told:
    """How far `who` is with the wizard, and what it knows of the account they act in; their own row locked where it is
    about to change."""
    query = (
        select(
            User.onboarding_step_completed,
            User.onboarding_dismissed,
            Account.team_size_bucket,
            User.role_at_signup,
            Account.primary_processor,
        )
        .join(Membership, Membership.user_id == User.id)
        .join(Account, Account.id == Membership.account_id)
        .where(User.id == who.user_id, Membership.account_id == who.account_id)
    )
    found = await session.execute(query.with_for_update(of=User) if lock else query)
    completed, dismissed, team_size, role, processor = found.one()
    return Told(Progress(completed, dismissed), team_size, role, processor)


def is_due(who: SignedIn, progress: Progress) -> bool:
    """Whether the wizard is what `who` begins with: as the owner of the account, until it is done. Those who were
    invited, and staff who look, never see it, and nobody in a further workspace."""
    return who.role == Role.OWNER and who.parent_id is None and who.impersonated_by is None and not is_done(progress)


async def answer_step(
    session: AsyncSession, who: SignedIn, *, step: int, answer: Answer, given: Given, now: datetime
) -> Progress:
    """Store what `who` does with a step of the wizard, and return where they are then. What is skipped stays as it is.

    Raises StepNotOpen, and InvalidInput naming each wrong field; nothing is written then.
    """
    told = await get_told(session, who, lock=True)
    if not is_due(who, told.progress) or not is_open(told.progress, step):
        raise StepNotOpen("This step is not open.", way_out="Go to /welcome, which leads to the one that is.")
    if answer is Answer.CONTINUE:
        _check(step, given)
        await _write(session, who, told, step, given, now=now)
    progress = after(told.progress, step, answer)
    reached = {"onboarding_step_completed": progress.completed, "onboarding_dismissed": progress.dismissed}
    await session.execute(update(User).where(User.id == who.user_id).values(reached))
    events: list[ProductEvent] = [WelcomeWizardStepCompleted(step)]
    if answer is not Answer.CONTINUE:
        events = [WelcomeWizardSkipped(step, rest=answer is Answer.SKIP_REST)]
    if is_done(progress) and not progress.dismissed:
        events.append(WelcomeWizardCompleted())
    for event in events:
        await record(session, event, account_id=who.account_id, user_id=who.user_id, at=now)
    return progress


def _check(step: int, given: Given) -> None:
    wizard, problems = read_catalogue().wizard, {}
    for field, value, choices in (
        ("team_size", given.team_size, wizard.team_sizes),
        ("role", given.role, wizard.roles),
        ("processor", given.processor, wizard.processors),
    ):
        if value is not None and value not in choices:
            problems[field] = _("Choose one of %(choices)s.") % {"choices": ", ".join(choices)}
    if step == 2 and given.processor is None:
        problems["processor"] = _("Choose one, or skip this step.")
    if problems:
        raise InvalidInput(problems)


async def _write(session: AsyncSession, who: SignedIn, told: Told, step: int, given: Given, *, now: datetime) -> None:
    before: dict[str, object] = {"team_size": told.team_size, "processor": told.processor}
    known = dict(before)
    if step == 1:
        if given.name is not None:
            await rename_account(session, who, name=given.name, now=now)
        if given.role is not None:
            await session.execute(update(User).where(User.id == who.user_id).values(role_at_signup=given.role))
        known["team_size"] = given.team_size or told.team_size
    elif step == 2:
        known["processor"] = given.processor
    if known != before:
        columns = {"team_size_bucket": known["team_size"], "primary_processor": known["processor"]}
        await session.execute(update(Account).where(Account.id == who.account_id).values(columns))
        await record_change(
            session,
            account_id=who.account_id,
            actor_id=who.user_id,
            action="account.described",
            subject=str(who.account_id),
            at=now,
            before=before,
            after=known,
        )
