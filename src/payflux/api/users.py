"""The caller as a person, for programs: how far they are with the welcome wizard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from payflux.api.problems import Responses
from payflux.frontdoor.onboarding.rules import STEPS, Answer, current_step, is_done
from payflux.frontdoor.onboarding.wizard import Given, answer_step
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/users/me", tags=["users"])

NOT_OPEN: Responses = {409: {"description": "the wizard is done, or an earlier step comes first"}}

Key = Annotated[str, Field(max_length=50)]


class OnboardingAnswer(BaseModel):
    """An answer to a step of the wizard. `continue` stores what is given with it: `name`, `team_size` and `role` in
    step 1, `processor` in step 2, nothing in step 3. What is left out stays as it is."""

    step: int = Field(ge=1, le=STEPS)
    action: Answer
    name: str | None = Field(default=None, max_length=1000)
    team_size: Key | None = None
    role: Key | None = None
    processor: Key | None = None


class Onboarding(BaseModel):
    """How far the caller is. `step_completed` is the highest step that is completed or skipped, null before the first;
    `next_step` is null where the wizard is done."""

    step_completed: int | None
    dismissed: bool
    done: bool
    next_step: int | None


@router.patch(
    "/onboarding-step",
    dependencies=[guard(capability="account.update", entitled=True, metered=True)],
    responses=NOT_OPEN,
)
async def answer_onboarding_step(who: Who, world: CurrentWorld, session: Tenant, given: OnboardingAnswer) -> Onboarding:
    """Answer a step of the welcome wizard: continue, skip, or skip the rest. Invites are sent by
    `POST /accounts/me/invites/bulk`."""
    progress = await answer_step(
        session,
        who,
        step=given.step,
        answer=given.action,
        given=Given(given.name, given.team_size, given.role, given.processor),
        now=world.clock.now(),
    )
    return Onboarding(
        step_completed=progress.completed,
        dismissed=progress.dismissed,
        done=is_done(progress),
        next_step=current_step(progress),
    )
