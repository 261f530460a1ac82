"""Webhook sinks: endpoints of your own that alerts are posted to, signed as Standard Webhooks says."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.advancing import advance
from payflux.activation.service import get_workspace
from payflux.api.problems import Responses
from payflux.api.repeating import IdempotencyKey, once
from payflux.kit.errors import NotFound
from payflux.monitor.alerts import channels
from payflux.monitor.alerts.asking import replay, send_test
from payflux.monitor.alerts.models import AlertChannel, DeliveryState
from payflux.monitor.alerts.queries import Delivered, deliveries_to
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.policies import guard

router = APIRouter(prefix="/sinks", tags=["webhook sinks"])

FEATURE, KIND = "webhook_sinks", "webhook"
READ = [guard(capability="alerts.manage", feature=FEATURE, metered=True, scope="sinks:read")]
WRITE = [guard(capability="alerts.manage", feature=FEATURE, metered=True, scope="sinks:write")]
REMOVE = [guard(capability="alerts.manage", metered=True, scope="sinks:write")]
GONE: Responses = {404: {"description": "no sink of yours"}}
WRONG: Responses = {422: {"description": "the name or the address is wrong"}}
FULL: Responses = {409: {"description": "there are too many already, or the Idempotency-Key came with another request"}}
SOON: Responses = {429: {"description": "a test was sent a moment ago"}}


class Sink(BaseModel):
    """Where alerts are posted. `url` is without its query, which may hold a secret. One that answers 410 is disabled,
    and says why."""

    id: UUID
    name: str
    url: str
    created_at: datetime
    disabled_at: datetime | None
    disabled_because: str | None


class SinkList(BaseModel):
    data: list[Sink]


class NewSink(BaseModel):
    """An endpoint to be posted to: https, on a public address."""

    name: str = Field(max_length=60, examples=["risk desk"])
    url: str = Field(max_length=2000, examples=["https://hooks.example.com/payflux"])


class CreatedSink(BaseModel):
    """A new sink. `secret` signs what is posted, and is shown this once."""

    id: UUID
    name: str
    url: str
    secret: str


class Try(BaseModel):
    """One try at a delivery; `status` is that of the HTTP answer, null where none came."""

    at: datetime
    succeeded: bool
    status: int | None
    outcome: str
    milliseconds: int


class Delivery(BaseModel):
    """What was posted, or is about to be. `event_id` is null for a test."""

    id: UUID
    event_id: UUID | None
    state: DeliveryState
    created_at: datetime
    due_at: datetime
    tries: list[Try]


class DeliveryList(BaseModel):
    data: list[Delivery]


class Sent(BaseModel):
    """The delivery that is on its way."""

    delivery_id: UUID


@router.get("", dependencies=READ)
async def sinks(who: Who, session: Tenant) -> SinkList:
    """The workspace's sinks, the oldest first."""
    workspace = await get_workspace(session, account_id=who.account_id)
    found = await channels.channels_of(session, account_id=who.account_id, workspace_id=workspace.id)
    return SinkList(data=[_sink(each) for each in found if each.kind == KIND])


@router.post(
    "", dependencies=WRITE, status_code=HTTPStatus.CREATED, response_model=CreatedSink, responses={**WRONG, **FULL}
)
async def add_sink(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    asked: NewSink,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Have alerts posted to an endpoint from now on."""

    async def add() -> CreatedSink:
        workspace = await get_workspace(session, account_id=who.account_id)
        channel, secret = await channels.add_channel(
            session,
            world,
            account_id=who.account_id,
            workspace_id=workspace.id,
            kind=KIND,
            name=asked.name,
            address=asked.url,
            actor_id=who.user_id,
        )
        await advance(session, account_id=who.account_id, now=world.clock.now(), actor_id=who.user_id)
        return CreatedSink(id=channel.id, name=channel.name, url=channel.shown, secret=secret)

    return await once(request, session, world, who, idempotency_key, add, status=HTTPStatus.CREATED)


@router.delete("/{channel_id}", dependencies=REMOVE, status_code=HTTPStatus.NO_CONTENT, responses=GONE)
async def remove_sink(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID) -> None:
    """Post nothing more to it, and forget its address."""
    channel = await _find(session, who.account_id, channel_id)
    await channels.remove(session, channel, actor_id=who.user_id, now=world.clock.now())


@router.post("/{channel_id}/test", dependencies=WRITE, status_code=HTTPStatus.ACCEPTED, responses={**GONE, **SOON})
async def test_sink(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID) -> Sent:
    """Post a test, signed as every delivery."""
    channel = await _find(session, who.account_id, channel_id)
    return Sent(delivery_id=await send_test(session, channel, now=world.clock.now()))


@router.get("/{channel_id}/deliveries", dependencies=READ, responses=GONE)
async def deliveries(who: Who, session: Tenant, channel_id: UUID) -> DeliveryList:
    """The last deliveries, the newest first, with every try."""
    channel = await _find(session, who.account_id, channel_id)
    found = await deliveries_to(session, account_id=who.account_id, target=channel.id)
    return DeliveryList(data=[_delivery(each) for each in found])


@router.post(
    "/{channel_id}/deliveries/{delivery_id}/replay",
    dependencies=WRITE,
    status_code=HTTPStatus.ACCEPTED,
    responses=GONE,
)
async def replay_delivery(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID, delivery_id: UUID) -> Sent:
    """Post a delivery once more, under the same id."""
    channel = await _find(session, who.account_id, channel_id)
    known = await deliveries_to(session, account_id=who.account_id, target=channel.id)
    if delivery_id not in {each.row.id for each in known}:
        raise NotFound("The sink has no such delivery.", way_out="Read its deliveries, and choose one of them.")
    await replay(session, account_id=who.account_id, delivery_id=delivery_id, now=world.clock.now())
    return Sent(delivery_id=delivery_id)


async def _find(session: AsyncSession, account_id: UUID, channel_id: UUID) -> AlertChannel:
    channel = await channels.get_channel(session, account_id=account_id, channel_id=channel_id)
    if channel.kind != KIND:
        raise NotFound("There is no such sink.", way_out="Read the list of sinks.")
    return channel


def _sink(channel: AlertChannel) -> Sink:
    return Sink(
        id=channel.id,
        name=channel.name,
        url=channel.shown,
        created_at=channel.created_at,
        disabled_at=channel.disabled_at,
        disabled_because=channel.disabled_because or None,
    )


def _delivery(each: Delivered) -> Delivery:
    row = each.row
    return Delivery(
        id=row.id,
        event_id=row.event_id,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        tries=[
            Try(
                at=one.at,
                succeeded=one.succeeded,
                status=one.status,
                outcome=one.outcome,
                milliseconds=one.milliseconds,
            )
            for one in each.tries
        ],
    )
