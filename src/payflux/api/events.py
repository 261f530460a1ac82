"""Payment events: read those that are stored, and post those of a processor of any kind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from payflux.activation.service import get_workspace
from payflux.api.instants import Instant
from payflux.api.paging import Cursor, Page, page_of, read_cursor
from payflux.api.problems import Responses
from payflux.api.repeating import IdempotencyKey, once
from payflux.kit.errors import Conflict, UserError
from payflux.kit.ids import new_id
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.event_list import ListedEvent, list_events
from payflux.monitor.processors.event_stream import stream_events
from payflux.monitor.processors.generic.connecting import current_source
from payflux.monitor.processors.generic.inbox import receive_delivery
from payflux.monitor.processors.generic.reading import EventsRefused, read_posted
from payflux.monitor.processors.generic.schema import json_schema
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/events", tags=["events"])
whole = APIRouter(tags=["events"])

READ = [guard(capability="monitor.read", feature="processor_connection", metered=True, scope="events:read")]
WRITE = [guard(capability="connection.manage", feature="processor_connection", metered=True, scope="events:write")]

EventKind = StrEnum("EventKind", [(kind.name, kind.name.lower()) for kind in Kind])
NO_SOURCE: Responses = {409: {"description": "no processor that posts its events is connected"}}
WRONG: Responses = {422: {"description": "an event is wrong; nothing was taken, and `errors` names each"}}
MOST = 1000


class NoSource(Conflict):
    code = "no_source"


class EventsWrong(UserError):
    """Something posted is no event; nothing of the request was taken."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "events_refused"


class PaymentEvent(BaseModel):
    """One thing that happened at a processor. Amounts are minor units of their currency and never negative; the kind
    says which way the money moved. What is not known is null."""

    id: str = Field(description="the processor's id of the object")
    kind: str
    status: str
    occurred_at: datetime
    amount: int
    currency: str
    settled_amount: int
    settled_currency: str
    charge_id: str | None
    network: str | None
    method: str | None
    outcome: str | None
    risk_level: str | None
    three_d_secure: bool | None
    country: str | None
    reason: str | None
    ends_at: datetime | None
    connection_id: UUID


class Received(BaseModel):
    """How many events were taken. `id` names the delivery on the page of the processor."""

    id: str
    received: int


@router.get("", dependencies=READ, responses={422: {"description": "a filter is wrong"}})
async def events(
    who: Who,
    session: Tenant,
    kind: Annotated[list[EventKind] | None, Query(description="any of these")] = None,
    since: Annotated[Instant | None, Query(description="happened at this instant or later")] = None,
    until: Annotated[Instant | None, Query(description="happened before this instant")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    cursor: Cursor = "",
) -> Page[PaymentEvent]:
    """The workspace's payment events, the newest first."""
    workspace = await get_workspace(session, account_id=who.account_id)
    place = read_cursor(cursor, int, int, str, UUID)
    rows = await list_events(
        session,
        account_id=who.account_id,
        workspace_id=workspace.id,
        kinds=[Kind[each.name] for each in kind or []],
        since=since,
        until=until,
        after=place,
        limit=limit + 1,
    )
    shown, following = page_of(rows, limit, lambda row: row.place)
    return Page(data=[_event(row) for row in shown], next_cursor=following)


@whole.get(
    "/events.ndjson",
    dependencies=READ,
    response_class=StreamingResponse,
    responses={
        200: {"description": "one event a line", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        422: {"description": "a filter is wrong"},
    },
)
async def stream(
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    since: Annotated[Instant | None, Query(description="happened at this instant or later")] = None,
    until: Annotated[Instant | None, Query(description="happened before this instant")] = None,
) -> StreamingResponse:
    """Every payment event of a span as lines of JSON, the oldest first, in one snapshot; the fields of a line are those
    of a PaymentEvent."""
    workspace = await get_workspace(session, account_id=who.account_id)

    async def lines() -> AsyncGenerator[bytes]:
        # of its own: the request's transaction ends before the first byte is sent
        async with world.database.stream(who.account_id) as streaming:
            pieces = stream_events(
                streaming, account_id=who.account_id, workspace_id=workspace.id, since=since, until=until
            )
            async for piece in pieces:
                yield piece

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/schema", dependencies=READ)
async def schema() -> dict[str, object]:
    """The JSON Schema of an event that can be posted."""
    return json_schema()


@router.post(
    "",
    dependencies=WRITE,
    status_code=HTTPStatus.ACCEPTED,
    response_model=Received,
    responses={**NO_SOURCE, **WRONG},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/PostedEvent"},
                            {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": MOST,
                                "items": {"$ref": "#/components/schemas/PostedEvent"},
                            },
                        ]
                    }
                }
            },
        }
    },
)
async def post_events(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take one event, or an array of up to 1,000, of the processor that posts. All of them are taken, or none; they are
    applied within seconds. An event that comes again changes nothing, whatever its order."""
    now = world.clock.now()
    try:
        posted = read_posted(await request.body(), now)
    except EventsRefused as refused:
        faults = refused.faults
        raise EventsWrong(
            faults[0].detail,
            way_out=faults[0].way_out,
            details={"errors": [{"field": _path(each.event, each.field), "detail": each.detail} for each in faults]},
        ) from None

    async def take() -> Received:
        workspace = await get_workspace(session, account_id=who.account_id)
        source = await current_source(session, account_id=who.account_id, workspace_id=workspace.id)
        if source is None:
            raise NoSource(
                "No processor that posts its events is connected.",
                way_out="Activate → I use a different processor → name it; then post again.",
            )
        delivery_id = f"api_{new_id()}"
        await receive_delivery(session, source, message_id=delivery_id, posted=posted, now=now)
        return Received(id=delivery_id, received=len(posted.events))

    return await once(request, session, world, who, idempotency_key, take, status=HTTPStatus.ACCEPTED)


def _path(event: int | None, field: str) -> str:
    return ".".join(part for part in ("" if event is None else f"[{event}]", field) if part) or "body"


def _event(row: ListedEvent) -> PaymentEvent:
    event = row.event
    return PaymentEvent(
        id=event.source_id,
        kind=event.kind.name.lower(),
        status=event.status.name.lower(),
        occurred_at=event.occurred_at,
        amount=event.amount,
        currency=event.currency,
        settled_amount=event.settled_amount,
        settled_currency=event.settled_currency,
        charge_id=event.charge_id or None,
        network=event.network.name.lower() if event.network else None,
        method=event.method.name.lower() if event.method else None,
        outcome=event.outcome.name.lower() if event.outcome else None,
        risk_level=event.risk_level.name.lower() if event.risk_level else None,
        three_d_secure=event.three_d_secure,
        country=event.country or None,
        reason=event.reason or None,
        ends_at=event.ends_at.astimezone(UTC) if event.ends_at else None,
        connection_id=row.connection_id,
    )
