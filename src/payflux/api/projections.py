"""Reserve projections: what stands, what was said before, and how good it was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.api.paging import Cursor, Limit, page_of, read_cursor
from payflux.api.problems import Responses
from payflux.api.structs import StructResponse, struct_answer
from payflux.kit.errors import NotFound
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.queries import connection_named
from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection
from payflux.monitor.projections.queries import newest_readout, scores_of_workspace
from payflux.monitor.projections.scorebook import Outcome
from payflux.monitor.projections.timeline import points_before
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/projections", tags=["projections"])

READ = [guard(capability="monitor.read", feature="reserve_projection", metered=True, scope="projections:read")]
UNKNOWN: Responses = {404: {"description": "no merchant of yours, or nothing was projected yet"}}
WRONG: Responses = {422: {"description": "a parameter is wrong"}}

Merchant = Annotated[
    str,
    Path(
        max_length=255,
        description="`self` for the connected processor, a connection's id, or the processor's own id of the account",
        examples=["self"],
    ),
]


class CurrentProjection(msgspec.Struct, frozen=True, kw_only=True):
    """What stands of a merchant."""

    merchant_id: str
    connection_id: UUID
    processor: str
    reason: str
    risk_tier: int
    risk_band: str
    projection: ReserveProjection


class PastProjection(msgspec.Struct, frozen=True, kw_only=True):
    """What was said at `as_of`, at its horizons; amounts are minor units of `currency`."""

    as_of: datetime
    reason: str
    risk_tier: int
    risk_band: str
    stability_score: int
    currency: str
    windows: tuple[ProjectedWindow, ...]


class ProjectionHistory(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what was said, the newest first."""

    data: list[PastProjection]
    next_cursor: str | None


class TrackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Horizons that are over, with what was said of them and what came, the last first; `next` is the one over next."""

    data: list[Outcome]
    next: Outcome | None


ANSWERS = (CurrentProjection, ProjectionHistory, TrackRecord)


@router.get(
    "/{merchant_id}",
    dependencies=READ,
    response_class=StructResponse,
    responses={**struct_answer(CurrentProjection, "the projection that stands"), **UNKNOWN},
)
async def projection(who: Who, session: Tenant, merchant_id: Merchant) -> StructResponse:
    """The newest projection: trapped capital at each horizon with its 80 % interval, by scenario and by day, and what
    it rests on."""
    connection = await _connection(session, who.account_id, merchant_id)
    readout = await newest_readout(session, connection)
    if readout is None:
        raise NotFound("Nothing was projected of this merchant yet.", way_out="Ask again once the workspace is live.")
    return StructResponse(
        CurrentProjection(
            merchant_id=connection.external_account_id,
            connection_id=connection.id,
            processor=connection.processor,
            reason=readout.reason,
            risk_tier=readout.surface.risk_tier,
            risk_band=readout.surface.risk_band,
            projection=readout.projection,
        )
    )


@router.get(
    "/{merchant_id}/history",
    dependencies=READ,
    response_class=StructResponse,
    responses={**struct_answer(ProjectionHistory, "a page"), **UNKNOWN, **WRONG},
)
async def history(
    who: Who, session: Tenant, merchant_id: Merchant, limit: Limit = 50, cursor: Cursor = ""
) -> StructResponse:
    """What was said before, at every reading, as it was said then."""
    connection = await _connection(session, who.account_id, merchant_id)
    place = read_cursor(cursor, datetime, UUID)
    rows = await points_before(session, connection, before=place, limit=limit + 1)
    shown, following = page_of(rows, limit, lambda row: (row.point.as_of, row.id))
    said = [
        PastProjection(
            as_of=point.as_of,
            reason=point.reason,
            risk_tier=point.risk_tier,
            risk_band=point.band,
            stability_score=point.stability_score,
            currency=point.currency,
            windows=point.windows,
        )
        for _, point in shown
    ]
    return StructResponse(ProjectionHistory(data=said, next_cursor=following))


@router.get(
    "/{merchant_id}/scores",
    dependencies=READ,
    response_class=StructResponse,
    responses={**struct_answer(TrackRecord, "the scores"), **UNKNOWN, **WRONG},
)
async def scores(
    who: Who, session: Tenant, world: CurrentWorld, merchant_id: Merchant, limit: Limit = 12
) -> StructResponse:
    """How good the projections were: each horizon that is over beside what happened."""
    connection = await _connection(session, who.account_id, merchant_id)
    book = await scores_of_workspace(
        session, account_id=who.account_id, connection_id=connection.id, now=world.clock.now(), limit=limit
    )
    return StructResponse(TrackRecord(data=list(book.due), next=book.next))


async def _connection(session: AsyncSession, account_id: UUID, merchant_id: str) -> Connection:
    workspace = await get_workspace(session, account_id=account_id)
    name = str(workspace.connection_id or "") if merchant_id == "self" else merchant_id
    found = await connection_named(session, account_id=account_id, workspace_id=workspace.id, name=name)
    if found is None:
        raise NotFound("There is no such merchant in your workspace.", way_out="Send `self` for the connected one.")
    return found
