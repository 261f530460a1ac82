"""Prove one's address and change one's password, for programs."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field

from payflux.api.problems import TOO_MANY, Responses
from payflux.frontdoor.accounts.changing_password import change_password, is_password_of
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.verification.proving import CodeAnswer, send_verification, use_code
from payflux.frontdoor.accounts.verification.rules import Purpose
from payflux.kit.errors import InvalidInput
from payflux.web.guards import CurrentWorld, Who
from payflux.web.pages.passwords import new_password_problem
from payflux.web.pages.verification import CODE_PROBLEMS
from payflux.web.policies import guard

router = APIRouter(prefix="/auth", tags=["auth"])

SIGNED_IN = [guard(verified=False)]
ALREADY: Responses = {409: {"description": "The address is proven already"}}
NO_PASSWORD: Responses = {400: {"description": "Not readable, or the user has no password: use_oauth_provider"}}


class MailedCode(BaseModel):
    """The six digits of the mail."""

    code: str = Field(max_length=32)


class PasswordChange(BaseModel):
    """The old password, and a new one of at least ten characters that is hard to guess."""

    old_password: str = Field(max_length=512)
    password: str = Field(max_length=512)


@router.post(
    "/email/send-verification",
    dependencies=SIGNED_IN,
    status_code=HTTPStatus.NO_CONTENT,
    responses=ALREADY | TOO_MANY,
)
async def send_verification_mail(world: CurrentWorld, who: Who) -> None:
    """Mail a new link and a new code to the caller's address; the ones before no longer work."""
    async with world.database.system() as session:
        await send_verification(session, await session.get_one(User, who.user_id), world.clock.now())


@router.post("/email/verify", dependencies=SIGNED_IN, status_code=HTTPStatus.NO_CONTENT)
async def verify_email(world: CurrentWorld, who: Who, given: MailedCode) -> None:
    """Prove the caller's address by the code that was mailed there."""
    if who.email_verified:
        return
    async with world.database.system() as session:
        answer = await use_code(
            session,
            world.tokens,
            user_id=who.user_id,
            purpose=Purpose.VERIFY,
            code=given.code,
            now=world.clock.now(),
        )
    if answer is not CodeAnswer.RIGHT:
        raise InvalidInput({"code": CODE_PROBLEMS[answer]})


@router.post(
    "/password/change",
    dependencies=SIGNED_IN,
    status_code=HTTPStatus.NO_CONTENT,
    responses=NO_PASSWORD | TOO_MANY,
)
async def change_own_password(world: CurrentWorld, who: Who, given: PasswordChange) -> None:
    """Change the caller's password. Their other sessions end, and they are told by mail."""
    now, problems = world.clock.now(), {}
    async with world.database.system() as session:
        user = await session.get_one(User, who.user_id)
        # what counts a wrong password is stored before the refusal
        has_password = user.password_hash is not None
        if has_password and not await is_password_of(
            session, world.tokens, user=user, password=given.old_password, now=now
        ):
            problems["old_password"] = "This is not your password."  # noqa: S105 -- words for a person
        elif has_password and (problem := await new_password_problem(world, given.password, user)):
            problems["password"] = problem
        else:
            await change_password(session, user=user, session_id=who.session_id, password=given.password, now=now)
    if problems:
        raise InvalidInput(problems)
