"""Exceptions of one account on the console's pages: what it would change, then the grant; and the end of one."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.admin.plan_forms import value_in_words
from payflux.frontdoor.catalogue.queries import LIMITS
from payflux.frontdoor.staff.acts import require_reason
from payflux.frontdoor.staff.selling.overrides import (
    OverrideKind,
    Value,
    WantedOverride,
    grant_override,
    preview_override,
    take_override_back,
)
from payflux.kit.errors import InvalidInput
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render, see_other

router = APIRouter()

OVERRIDES = f"{PATH}/accounts/{{account_id}}/overrides"
_VALUES: dict[str, Value] = {"on": True, "off": False}


@router.post(f"{OVERRIDES}/preview", dependencies=STAFF)
async def preview(
    request: Request,
    staff: CurrentStaff,
    world: CurrentWorld,
    account_id: UUID,
    key: Text = "",
    value: Text = "",
    reason: Text = "",
    expires: Text = "",
) -> Response:
    """What the account has now and would have; the next step grants it."""
    wanted, ends = _wanted(account_id, key, value), _end_of(expires)
    said = require_reason(reason)
    async with world.database.system() as session:
        seen = await preview_override(session, wanted, now=world.clock.now())
    field = f"{wanted.kind}s.{key}"
    return render(
        request,
        "admin/override_preview.html",
        staff=staff,
        seen=seen,
        before=value_in_words(field, seen.before),
        after=value_in_words(field, seen.after),
        fields={"key": key, "value": value, "reason": said, "expires": expires},
        ends=ends,
    )


@router.post(OVERRIDES, dependencies=STAFF)
async def grant(
    staff: CurrentStaff,
    world: CurrentWorld,
    account_id: UUID,
    key: Text = "",
    value: Text = "",
    reason: Text = "",
    expires: Text = "",
) -> Response:
    """Grant it from now on; an earlier one of the same key ends."""
    wanted, ends = _wanted(account_id, key, value), _end_of(expires)
    async with world.database.system() as session:
        await grant_override(session, staff, wanted, reason=reason, expires_at=ends, now=world.clock.now())
    return see_other(f"{PATH}/accounts/{account_id}#overrides")


@router.post(f"{OVERRIDES}/{{kind}}/{{override_id}}/end", dependencies=STAFF)
async def end(
    staff: CurrentStaff, world: CurrentWorld, account_id: UUID, kind: OverrideKind, override_id: UUID
) -> Response:
    """The account has what its plan says again."""
    async with world.database.system() as session:
        await take_override_back(
            session, staff, account_id=account_id, kind=kind, override_id=override_id, now=world.clock.now()
        )
    return see_other(f"{PATH}/accounts/{account_id}#overrides")


def _wanted(account_id: UUID, key: str, typed: str) -> WantedOverride:
    """What was chosen: on or off for a feature, a number or nothing (unlimited) for a limit."""
    word = typed.strip().lower()
    if key not in LIMITS:
        if word not in _VALUES:
            raise InvalidInput({"value": "Write on or off for a feature."}, message="A feature is on or off.")
        return WantedOverride(account_id, "feature", key, _VALUES[word])
    number = word.replace(",", "")
    if number and not number.isdecimal():
        problem = "Write a whole number for a limit, or nothing for unlimited."
        raise InvalidInput({"value": problem}, message=problem)
    return WantedOverride(account_id, "limit", key, int(number) if number else None)


def _end_of(day: str) -> datetime | None:
    """The end of the chosen day in UTC; None where none was chosen."""
    if not day:
        return None
    try:
        chosen = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007 -- a day has no zone; its end is in UTC
        return datetime.combine(chosen, time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        problem = "Choose a day such as 2026-12-31, or none."
        raise InvalidInput({"expires": problem}, message=problem) from None
