"""Whether this process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from payflux.kit.isolation.canary import Isolation
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard

router = APIRouter()
log = structlog.get_logger(__name__)

_PATIENCE = 3.0  # seconds


@router.get("/healthz", dependencies=[guard(Audience.PUBLIC)])
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[guard(Audience.PUBLIC)])
async def readyz(request: Request, world: CurrentWorld) -> JSONResponse:
    """The process can serve: its database answers, and accounts are kept apart there. 503 otherwise."""
    try:
        async with asyncio.timeout(_PATIENCE), world.database.system() as session:
            await session.execute(text("SELECT 1 FROM alembic_version"))
    except (OSError, TimeoutError, SQLAlchemyError) as error:
        log.warning("not ready", reason=type(error).__name__)
        return JSONResponse({"status": "unavailable", "database": "no answer"}, HTTPStatus.SERVICE_UNAVAILABLE)
    found: Isolation | None = request.app.state.isolation
    if found is not None and found.breaches:
        answer = {"status": "unavailable", "database": "ok", "isolation": "broken"}
        return JSONResponse(answer, HTTPStatus.SERVICE_UNAVAILABLE)
    return JSONResponse({"status": "ok", "database": "ok", "isolation": "ok" if found else "not checked"})
