"""Addresses of before, which lead to where they belong now. They change nothing, so that a form of another site may
still post to them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from payflux.web.policies import Audience, guard

router = APIRouter()


PUBLIC = [guard(Audience.PUBLIC)]


@router.get("/beta-signup", dependencies=PUBLIC)
@router.post("/beta-signup", dependencies=PUBLIC)
async def waiting_list() -> RedirectResponse:
    """The waiting list: everybody may register now, and it is remembered who came by it."""
    return RedirectResponse("/register?from=beta", HTTPStatus.TEMPORARY_REDIRECT)
